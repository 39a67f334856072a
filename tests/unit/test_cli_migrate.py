"""The `migrate` commands as an operator meets them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fixtures.aging import GOLDEN
from tests.fixtures.cli import Cli


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """A store with the sample of 1.0.0, imported."""
    shutil.copytree(GOLDEN / "aml-1.0.0", tmp_path / "old")
    assert cli("import", "old", "--apply").status == 0
    return cli


def test_detect_says_what_is_stored(filled: Cli) -> None:
    found = filled("migrate", "detect", "--json").json
    assert found["schema"]["pending"] == []
    assert {(one["found"], one["move"]) for one in found["values"]} == {("1.0.0", "cast")}
    told = filled("migrate", "detect")
    assert "older" in told.out
    assert "24 values are older" in told.told


def test_plan_changes_nothing_and_apply_does_it(filled: Cli) -> None:
    plan = filled("migrate", "plan", "--json").json
    assert (plan["planned"], plan["wanted"]) == (24, "2.0.0")
    assert "Nothing was changed" in filled("migrate", "plan").told
    report = filled("migrate", "apply", "--json").json
    assert (report["written"], report["rehearsed"]) == (24, True)
    again = filled("migrate", "apply")
    assert (again.status, "no value is older" in again.told) == (0, True)
    assert filled("migrate", "apply", "--json").json["planned"] == 0


def test_a_rehearsal_can_be_asked_for_alone(filled: Cli) -> None:
    told = filled("migrate", "plan", "--rehearse", "--to", "1.1.0", "--json").json
    assert all(check["ok"] for check in told["rehearsal"]["checks"])
    assert "way back" in filled("migrate", "plan", "--rehearse").out
    assert {one["state"] for one in filled("migrate", "history", "--json").json} == {"rehearsed"}


def test_there_and_back(filled: Cli) -> None:
    filled("migrate", "apply", "--without-rehearsal", "--to", "1.2.0")
    assert "rolled back" not in filled("migrate", "history").out
    plan = filled("migrate", "rollback", "--json").json
    assert plan["planned"] == 24
    assert "comes back as it was" in filled("migrate", "rollback").out
    assert filled("migrate", "rollback", plan["run"][:6], "--apply").status == 0
    assert "rolled back" in filled("migrate", "history").out
    nothing = filled("migrate", "rollback")
    assert (nothing.status, "memtend migrate history" in nothing.told) == (64, True)


def test_back_by_the_backup(filled: Cli) -> None:
    filled("migrate", "apply")
    filled("put", "notes", "later", "1")
    plan = filled("migrate", "rollback", "--restore", "--json").json
    assert (plan["changed"], plan["removed"]) == (24, 1)
    assert filled("migrate", "rollback", "--restore", "--apply").status == 0
    assert filled("get", "notes", "later").status != 0
    assert filled("migrate", "detect", "--json").json["values"][0]["found"] == "1.0.0"


@pytest.mark.parametrize("command", [["--family", "x"], ["--to", "7"]])
def test_what_is_not_known_is_refused(filled: Cli, command: list[str]) -> None:
    ran = filled("migrate", "plan", *command)
    assert (ran.status, "hint:" in ran.told) == (64, True)


def test_health_names_the_command(filled: Cli) -> None:
    assert "memtend migrate plan" in filled("health").out
