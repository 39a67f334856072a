"""`memtend export` and `memtend copy`: JSON on stdout, talk on stderr, the error's status."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.memory import Memory
from memtend.migrate.detect import read_source
from tests.fixtures.cli import Cli
from tests.fixtures.stores import run_sql


def test_export_tells_what_it_did(cli: Cli, tmp_path: Path) -> None:
    assert cli("put", "notes", "a", "1").status == 0
    found = cli("export", "out.jsonl", "--json").json
    assert (found["operation"], found["records"], found["counts"]) == ("export", 1, {"note": 1})
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600
    again = cli("export", "out.jsonl", "--json")
    assert (again.status, again.error["code"]) == (76, 76)
    assert cli("export", "out.jsonl", "--replace", "--namespace", "other/**").status == 0
    assert list(read_source(tmp_path / "out.jsonl")) == []
    refused = cli("export", "out", "--format", "aml-2.0.0")
    assert refused.status == 0
    assert "1 left out" in refused.told


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("out.txt",), 19),
        (("out", "--format", "csv"), 19),
        (("out.jsonl", "--namespace", "a//b"), 10),
        (("out.jsonl", "--store", "nowhere.db"), 20),
        (("postgresql://host/x.jsonl",), 19),
    ],
)
def test_export_refuses(cli: Cli, arguments: tuple[str, ...], status: int) -> None:
    assert cli("export", *arguments).status == status


def test_damaged_records_are_named(cli: Cli, tmp_path: Path) -> None:
    """Everything else goes out; the status says that something is not in it."""
    for key in ("a", "b", "c"):
        assert cli("put", "notes", key, "1").status == 0
    with Memory.open(f"{tmp_path}/memtend.db") as memory:
        run_sql(memory, "UPDATE sibling SET value = X'32' WHERE key = 'b'")
    done = cli("export", "out.jsonl")
    assert done.status == 83
    assert "notes/b" in done.told
    assert [one.key for one in read_source(tmp_path / "out.jsonl")] == ["a", "c"]  # type: ignore[union-attr]


def test_an_agent_takes_out_nothing_that_it_may_not_administer(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("put", "secret", "a", "1").status == 0
    assert cli("copy", "memtend.db", "whole.db").status == 0
    assert cli("grant", "bob", "open/**", "read").status == 0
    monkeypatch.setenv("MEMTEND_AGENT", "bob")
    assert cli("export", "out.jsonl").status == 18
    assert cli("copy", "memtend.db", "other.db").status == 18
    assert cli("copy", "memtend.db", "whole.db", "--check").status == 18
    assert not [*tmp_path.glob("out*"), *tmp_path.glob("other*")]


def test_copy_and_check(cli: Cli, tmp_path: Path) -> None:
    assert cli("put", "notes", "a", "1").status == 0
    found = cli("copy", "memtend.db", "other.db", "--json").json
    assert (found["operation"], found["rows"], found["seq"]) == ("copy", 1, 1)
    assert cli("copy", "memtend.db", "other.db", "--json").error["code"] == 72
    assert cli("copy", "memtend.db", "other.db", "--check", "--json").json["equal"] is True
    assert cli("put", "notes", "b", "1").status == 0
    done = cli("copy", "memtend.db", "other.db", "--check", "--json")
    assert (done.status, done.json["names"]) == (73, ["notes/b"])
    assert cli("verify", "--store", "other.db").status == 0
    assert cli("copy", "nowhere.db", "third.db").status == 20
    assert not list(tmp_path.glob("third.db*"))
