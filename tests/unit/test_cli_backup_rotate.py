"""`memtend backup rotate|pin|unpin|inspect|diff`, and `backup verify` in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.backup.noted import mark_of
from tests.fixtures.cli import Cli


def take(cli: Cli, *more: str) -> str:
    return str(cli("backup", "take", "--json", *more).json["manifest"])


@pytest.fixture
def backups(cli: Cli) -> list[str]:
    """Three backups: a full one and two that build on it."""
    names = []
    for number in range(3):
        cli("put", "notes/a", f"k{number}", f'{{"n": {number}}}', "--tag", "t")
        names.append(take(cli))
        cli("put", "notes/a", "changing", str(number))
    return names


def test_a_rotation_previews_then_drops(cli: Cli, backups: list[str], tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "retention: {keep_within: 0s, daily: 0, weekly: 0, monthly: 0, yearly: 0}"
    )
    cli("policies", "set", "p.yaml")
    full = take(cli, "--full")
    plan = cli("backup", "rotate", "--json").json
    assert [one["action"] for one in plan["decisions"]] == ["delete"] * 3 + ["keep"]
    shown = cli("backup", "rotate")
    assert "newest" in shown.out
    assert all(text in shown.told for text in ("would drop 3 of 4 backups", "--apply"))
    assert "dropped  3 backups" in cli("backup", "rotate", "--apply").out.replace("  " * 4, "  ")
    assert cli("backup", "rotate", "--apply", "--json").json["deleted"] == 0
    found = cli("backup", "verify", "--json").json
    assert found["whole"] == [full]
    assert full not in backups


def test_the_default_keeps_the_last_day(cli: Cli, backups: list[str]) -> None:
    assert "would drop 0 of 3" in cli("backup", "rotate").told
    assert cli("backup", "rotate", "--apply", "--json").json["kept"] == len(backups)


def test_a_pin_keeps_a_backup(cli: Cli, backups: list[str]) -> None:
    assert "is kept as 'mine'" in cli("backup", "pin", "mine", "--backup", "2").told
    assert cli("backup", "pin", "newest", "--json").json["manifest"] == backups[-1]
    reasons = [one["reason"] for one in cli("backup", "rotate", "--json").json["decisions"]]
    assert "pinned as mine" in reasons[1]
    assert cli("backup", "unpin", "newest", "--json").json == {"unpinned": "newest"}
    assert "keeps nothing" in cli("backup", "unpin", "mine").told
    assert cli("backup", "unpin", "mine").status == 59
    actions = [one["action"] for one in cli("audit", "show", "--json").json]
    assert {"pin", "unpin"} <= set(actions)
    assert cli("backup", "pin", "x", "--backup", "99").status == 59
    assert cli("backup", "pin", "a/b").status == 10


def test_the_run_that_took_a_backup_has_a_line_of_its_own(cli: Cli) -> None:
    cli("put", "notes/a", "k", "1")
    run = "0f3e5c1a-7f0b-4d52-9a41-3c1d2e5f6a7b"
    take(cli, "--why", f"before the move {mark_of(run)}")
    lines = [line.split(maxsplit=1) for line in cli("backup", "inspect").out.splitlines()]
    assert ["why", "before the move"] in lines
    assert ["run", run] in lines
    found = cli("backup", "inspect", "--json").json
    assert found["why"] == f"before the move [run {run}]"


def test_a_backup_is_looked_into(cli: Cli, backups: list[str]) -> None:
    shown = cli("backup", "inspect")
    assert backups[-1] in shown.out
    assert "notes/a" in shown.out
    found = cli("backup", "inspect", "1", "--json").json
    assert (found["manifest"], found["records"]) == (backups[0], 1)
    assert "k0" in cli("backup", "inspect", "newest", "notes/a").out
    keys = cli("backup", "inspect", "2", "notes/a", "--json").json
    assert [one["key"] for one in keys] == ["changing", "k0", "k1"]
    assert "--limit" in cli("backup", "inspect", "2", "notes/a", "--limit", "1").told
    assert cli("backup", "inspect", "2", "notes/a", "changing").json == 0
    assert cli("backup", "inspect", "newest", "notes/a", "changing").json == 1
    (version,) = cli("backup", "inspect", "3", "notes/a", "k2", "--json").json
    assert (version["value"], version["tags"], version["type"]) == ({"n": 2}, ["t"], "plain")
    assert cli("backup", "inspect", "1", "notes/a", "k2").status == 17
    assert cli("backup", "inspect", "77").status == 59


def test_a_long_value_comes_back_whole(cli: Cli) -> None:
    """Stored compressed."""
    cli("put", "n", "k", "word " * 2_000)
    take(cli)
    assert cli("backup", "inspect", "newest", "n", "k").json == "word " * 2_000


def test_what_changed_is_shown(cli: Cli, backups: list[str]) -> None:
    found = cli("backup", "diff", "1", "3", "--json").json
    assert (found["added"], found["changed"], found["removed"]) == (3, 0, 0)
    assert found["records"][0] == {"what": "added", "namespace": "notes/a", "key": "changing"}
    cli("delete", "notes/a", "k0")
    found = cli("backup", "diff", "3", "--json").json
    assert (found["added"], found["changed"], found["removed"]) == (0, 1, 1)
    shown = cli("backup", "diff", backups[1])
    assert "notes/a/k0" in shown.out
    assert "1 added, 1 changed, 1 removed, 1 unchanged" in shown.told
    assert "0 added" in cli("backup", "diff", "2", "2").told


def test_a_verification_in_pieces(cli: Cli, backups: list[str]) -> None:
    first = cli("backup", "verify", "--max-seconds", "0.001", "--json").json
    assert first["checked"] == 1
    assert not first["complete"]
    assert "--resume goes on" in cli("backup", "verify", "--resume", "--max-seconds", "0.001").out
    last = cli("backup", "verify", "--resume", "--json").json
    assert last["complete"]
    assert last["checked"] == first["objects"] - 2
    assert last["oldest_check_at"] < last["started_at"]
    assert cli("backup", "verify", "--sample", "1%", "--json").json["checked"] == 1
    for arguments in (("--sample", "0"), ("--sample", "x"), ("--quick", "--resume")):
        assert cli("backup", "verify", *arguments).status == 2
    assert len(backups) == 3
