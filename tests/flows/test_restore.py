"""A restore from the form: previewed, approved by somebody, or pinned by a digest; never else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect import State

from memtend.memory import Memory
from memtend_flows import approval
from memtend_flows.backup import backup
from memtend_flows.restore import restore
from memtend_tasks.address import to_address
from memtend_tasks.publish import RESTORE_COMPLETED
from tests.flows import answering
from tests.flows.answering import answer, start
from tests.flows.scratch import DEAD, LIVE, Scratch, fill, records
from tests.flows.seen import events, pages

ALL = LIVE + DEAD


@pytest.fixture
def lost(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    """A store that was backed up, and then lost records and was given another one."""
    monkeypatch.setattr(approval, "APPROVAL_POLL_S", 0.2)
    backup(scratch.store, scratch.target)
    with Memory.open(scratch.store) as memory:
        for n in range(10):
            memory.delete("task/alive", f"k{n}")
        memory.put("task/alive", "since", {"n": -1})
    return scratch


def digest(place: Scratch) -> str:
    return answering.digest(place, "restore")


def test_a_preview_says_what_would_come_and_go(lost: Scratch) -> None:
    report = restore(lost.store, lost.target)
    assert report.model_dump()["planned"] == 11
    page = pages(f"restore-plan-{to_address(lost.store).label}")[0]
    assert f"Brings back **{ALL} records**" in page
    assert "| task/alive | 10 | 0 | 1 |" in page
    assert records(lost.store) == ALL - 9


def test_an_approved_restore_is_done(lost: Scratch) -> None:
    """The form names the plan; after the yes the records are back and everybody hears of it."""
    with start(restore, lost.store, lost.target, dry_run=False) as run:
        shown = answer(lost, approve=True, note="ticket 7")
        assert "/v2/artifacts/artifact/" in shown
        assert run.result().is_completed()
    assert records(lost.store) == ALL
    with Memory.open(lost.store) as memory:
        assert memory.get("task/alive", "k3") == {"n": 3}
        assert memory.get("task/alive", "since", default=None) is None
    label = to_address(lost.store).label
    assert "ticket 7" in pages(f"restore-report-{label}")[0]
    assert events(RESTORE_COMPLETED, f"memtend.store.{label}")


def test_a_refused_restore_changes_nothing(lost: Scratch) -> None:
    with start(restore, lost.store, lost.target, dry_run=False) as run:
        answer(lost, approve=False, note="not that one")
    assert run.result().is_failed()
    assert "not that one" in str(run.result().message)
    assert records(lost.store) == ALL - 9


def test_nobody_answers(lost: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approval, "APPROVAL_S_MAX", 1)
    state: State[Any] = restore(lost.store, lost.target, dry_run=False, return_state=True)
    assert state.is_failed()
    assert records(lost.store) == ALL - 9


def test_a_reviewed_plan_needs_no_second_yes(lost: Scratch) -> None:
    restore(lost.store, lost.target)
    report = restore(lost.store, lost.target, reviewed=digest(lost), dry_run=False)
    assert report.model_dump()["rows"] == ALL
    assert records(lost.store) == ALL


def test_a_digest_that_nobody_knows_is_refused(lost: Scratch) -> None:
    state: State[Any] = restore(
        lost.store, lost.target, reviewed="0" * 64, dry_run=False, return_state=True
    )
    assert "PlanMissing" in str(state.message)


def test_a_plan_of_another_store_is_refused(lost: Scratch, tmp_path: Path) -> None:
    """A slip in the form: the right digest, the wrong store."""
    other = str(tmp_path / "other.db")
    fill(other, live=5, dead=0)
    restore(lost.store, lost.target)
    for dry_run in (True, False):
        state: State[Any] = restore(
            other, lost.target, reviewed=digest(lost), dry_run=dry_run, return_state=True
        )
        assert "PlanForeign" in str(state.message)
    assert pages(f"restore-plan-{to_address(other).label}") == []
    assert records(other) == 5


def test_a_moment_without_a_zone_is_utc() -> None:
    """Forms leave the zone out."""
    given = restore.validate_parameters({"to": "2026-11-03T14:03:00"})
    assert given["to"] == datetime(2026, 11, 3, 14, 3, tzinfo=UTC)


def test_a_part_comes_back_and_the_rest_stays(lost: Scratch) -> None:
    """One key: written anew, beside what came since."""
    restore(lost.store, lost.target, namespace="task/alive", key="k4")
    restore(lost.store, lost.target, reviewed=digest(lost), dry_run=False)
    with Memory.open(lost.store) as memory:
        assert memory.get("task/alive", "k4") == {"n": 4}
        assert memory.get("task/alive", "since") == {"n": -1}
        assert memory.get("task/alive", "k5", default=None) is None


def test_a_moment_is_found(lost: Scratch) -> None:
    """Now, which the live store's own changes give exactly: nothing would change."""
    report = restore(lost.store, lost.target, to=datetime.now(UTC))
    assert report.model_dump()["planned"] == 0
    assert "moment asked for" in pages(f"restore-plan-{to_address(lost.store).label}")[0]
