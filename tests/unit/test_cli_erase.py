"""`memtend erase`: a plan first, then the deed and its evidence; never a name in what it prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.cli import Cli

CANARY = "canary-77b1e2"


@pytest.fixture
def filled(cli: Cli) -> Cli:
    assert cli("put", f"{CANARY}/ns", "k", f"about {CANARY}", "--tag", "red").status == 0
    assert cli("put", "kept", "k", "1").status == 0
    return cli


def test_a_plan_changes_nothing(filled: Cli) -> None:
    ran = filled("erase", "--namespace", CANARY)
    assert ran.status == 0
    assert "1 of 2" in ran.out
    assert "--apply" in ran.told
    assert CANARY not in ran.out + ran.told
    assert filled("get", f"{CANARY}/ns", "k").status == 0


def test_what_is_erased_is_nowhere(filled: Cli, tmp_path: Path) -> None:
    ran = filled("erase", "--namespace", CANARY, "--apply", "--json")
    assert ran.status == 0
    assert ran.json["deleted"] == 1
    assert ran.json["evidence"]["hits"] == 0
    assert filled("get", f"{CANARY}/ns", "k").status == 17
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not any(CANARY.encode() in file.read_bytes() for file in files)
    assert filled("verify").status == 0
    assert filled("audit", "verify").status == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [f"{CANARY}/ns", "k"],
        ["--tag", "red"],
        ["--namespace", "*/ns"],
    ],
)
def test_every_way_to_name_it(filled: Cli, arguments: list[str]) -> None:
    assert filled("erase", *arguments, "--json").json["rows"] == 1
    ran = filled("erase", *arguments, "--apply")
    assert ran.status == 0
    assert "traces left     0" in ran.out
    assert filled("get", "kept", "k").out.strip() == "1"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["only-a-namespace"],
        ["ns", "k", "--agent", "ada"],
        ["--agent", "ada", "--tag", "red"],
        ["--agent", ""],
        ["--agent", "a\udcff"],
        ["--agent", "a" * 513],
    ],
)
def test_exactly_one_subject(cli: Cli, arguments: list[str]) -> None:
    assert cli("erase", *arguments, "--apply").status == 2


def test_traces_that_are_left_have_a_status(filled: Cli, tmp_path: Path) -> None:
    filled("sweep")  # opens and closes: the file holds everything
    [store] = tmp_path.glob("memtend.db")
    (tmp_path / "memtend.db.copy").write_bytes(store.read_bytes())
    ran = filled("erase", "--namespace", CANARY, "--apply", "--json")
    assert ran.status == 78
    assert ran.json["evidence"]["hits"] > 0
    assert "copy" in ran.error["message"]
    assert CANARY not in ran.out + ran.told


def test_an_agent_needs_the_right_to_administer(
    filled: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert filled("grant", "boss", "**", "admin").status == 0
    monkeypatch.setenv("MEMTEND_AGENT", "somebody")
    assert filled("erase", "kept", "k", "--apply").status == 18
    monkeypatch.delenv("MEMTEND_AGENT")
    assert filled("get", "kept", "k").status == 0
