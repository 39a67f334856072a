"""Backups from the forms: increments, rotation, verification, and what their pages show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prefect import State

from memtend.backup.noted import parted
from memtend.memory import Memory
from memtend_flows.backup import backup
from memtend_flows.parameters import Depth, Keep
from memtend_flows.rotate import rotate
from memtend_flows.verify_backups import verify_backups
from memtend_tasks.address import to_address
from tests.flows.scratch import Scratch
from tests.flows.seen import pages

CHART = "![Growth of the backups"
NONE = Keep(daily=0, weekly=0, monthly=0, yearly=0, within_hours=0, max_age_days=0)
"""Keeps the newest alone."""


@pytest.fixture
def thrice(scratch: Scratch) -> Scratch:
    """Two full backups with an increment between them."""
    backup(scratch.store, scratch.target, "first")
    write(scratch.store)
    backup(scratch.store, scratch.target, "second")
    backup(scratch.store, scratch.target, "third", full=True)
    return scratch


def write(store: str) -> None:
    with Memory.open(store) as memory:
        memory.put("task/alive", "new", {"n": 1})


def manifests(target: str) -> int:
    return len(list((Path(target) / "manifests").iterdir()))


def test_a_second_backup_is_an_increment_unless_asked_otherwise(scratch: Scratch) -> None:
    first = backup(scratch.store, scratch.target)
    write(scratch.store)
    second = backup(scratch.store, scratch.target)
    third = backup(scratch.store, scratch.target, full=True)
    assert [one.kind for one in (first, second, third)] == ["full", "incremental", "full"]
    page = pages(f"backup-report-{to_address(scratch.store).label}")[0]
    assert CHART in page
    assert "| 2 | incremental |" in page


def test_people_read_the_note_and_not_the_mark_of_the_run(scratch: Scratch) -> None:
    """By that a run which is repeated finds its backup: it is in the manifest and in JSON."""
    report = backup(scratch.store, scratch.target, "before the move")
    said, run = parted(report.why)
    assert (said, len(run)) == ("before the move", 36)
    [page] = pages(f"backup-report-{to_address(scratch.store).label}")
    assert page.count("before the move |") == 2
    assert "run " + run[:8] not in page


def test_rotation_shows_why_before_it_drops_anything(thrice: Scratch) -> None:
    report = rotate(thrice.store, thrice.target, NONE)
    assert (report.applied, report.planned) == (False, 2)
    assert manifests(thrice.target) == 3
    page = pages(f"rotate-plan-{to_address(thrice.store).label}")[0]
    assert "Drops **2 of 3** backups" in page
    assert "| keep | newest |" in page


def test_what_was_reviewed_is_what_is_dropped(thrice: Scratch) -> None:
    """A backup that is taken after the review stays, whatever a new plan would say."""
    rotate(thrice.store, thrice.target, NONE)
    label = to_address(thrice.store).label
    digest = pages(f"rotate-plan-{label}")[0].split("Reviewed plan: `")[1][:64]
    backup(thrice.store, thrice.target, "after the review")
    report = rotate(thrice.store, thrice.target, reviewed=digest, dry_run=False)
    assert report.deleted == 2
    assert manifests(thrice.target) == 2
    assert CHART in pages(f"rotation-report-{label}")[0]
    assert verify_backups(thrice.store, thrice.target).ok


def test_rotation_keeps_by_default_what_the_policy_keeps(thrice: Scratch) -> None:
    assert rotate(thrice.store, thrice.target, dry_run=False).deleted == 0


@pytest.mark.parametrize("depth", Depth)
def test_backups_are_verified_as_closely_as_asked(thrice: Scratch, depth: Depth) -> None:
    report = verify_backups(thrice.store, thrice.target, depth, sample_percent=50)
    assert report.ok
    assert report.deep is (depth is not Depth.QUICK)


def test_a_flipped_bit_fails_a_deep_verification(thrice: Scratch) -> None:
    """Its size is right, so that a quick one does not see it."""
    victim = next(path for path in (Path(thrice.target) / "objects").rglob("*") if path.is_file())
    data = bytearray(victim.read_bytes())
    data[-1] ^= 1
    victim.chmod(0o600)
    victim.write_bytes(bytes(data))
    assert verify_backups(thrice.store, thrice.target, Depth.QUICK).ok
    state: State[Any] = verify_backups(thrice.store, thrice.target, return_state=True)
    assert state.is_failed()
    assert "NotWhole" in str(state.message)
    assert victim.name in pages(f"backups-report-{to_address(thrice.store).label}")[0]
