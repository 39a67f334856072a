"""`memtend restore`, `restore undo` and `backup drill` from the command line."""

from __future__ import annotations

import pytest

from tests.fixtures.cli import Cli


@pytest.fixture
def changed(cli: Cli) -> Cli:
    """A store with a backup and changes since."""
    assert cli("put", "a/b", "x", "1").status == 0
    assert cli("put", "a/b", "y", "2").status == 0
    assert cli("backup", "take").status == 0
    assert cli("put", "a/b", "x", "10").status == 0
    assert cli("delete", "a/b", "y").status == 0
    assert cli("put", "c", "z", "3").status == 0
    return cli


@pytest.mark.parametrize("command", [("restore",), ("backup", "restore")])
def test_plan_apply_undo(changed: Cli, command: tuple[str, ...]) -> None:
    plan = changed(*command)
    assert plan.status == 0, plan.told
    assert "Nothing was changed" in plan.told
    assert changed("get", "a/b", "x").out.strip() == "10"
    report = changed(*command, "--apply", "--json").json
    assert report["rows"] == 2
    assert changed("get", "a/b", "x").out.strip() == "1"
    assert changed(*command, "undo").status == 0
    assert changed("get", "a/b", "x").out.strip() == "1"
    undone = changed(*command, "undo", "--apply")
    assert undone.status == 0, undone.told
    assert changed("get", "a/b", "x").out.strip() == "10"
    assert changed("get", "c", "z").out.strip() == "3"
    assert changed("verify").status == 0


def test_one_record(changed: Cli) -> None:
    told = changed("restore", "--namespace", "a/b", "--key", "y", "--apply")
    assert told.status == 0, told.told
    assert changed("get", "a/b", "y").out.strip() == "2"
    assert changed("get", "a/b", "x").out.strip() == "10"


def test_into_a_new_place(changed: Cli) -> None:
    assert changed("restore", "--into", "copy.db", "--apply").status == 0
    assert changed("get", "a/b", "x", "--store", "copy.db").out.strip() == "1"
    assert changed("get", "a/b", "x").out.strip() == "10"
    assert changed("restore", "--into", "copy.db", "--apply").status == 49


def test_what_cannot_be_read(changed: Cli) -> None:
    """Wrong words are usage errors; a moment before all backups is refused."""
    assert changed("restore", "--to", "yesterday").status == 2
    assert changed("restore", "--to", "2026-11-03T14:03:00").status == 2
    assert changed("restore", "--mode", "magic").status == 2
    assert changed("restore", "--key", "x").status == 2
    assert changed("restore", "do").status == 2
    assert changed("restore", "--keep-old", "long").status == 2
    assert changed("restore", "--to", "1999-01-01T00:00:00Z").status == 46
    assert changed("restore", "undo").status == 47
    assert changed("restore", "--manifest", "77").status == 59


def test_drill(changed: Cli) -> None:
    told = changed("backup", "drill")
    assert told.status == 0, told.told
    assert "corruption" in told.out
    report = changed("backup", "drill", "--json").json
    assert all(check["ok"] for check in report["checks"])
