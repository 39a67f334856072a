"""A prune runs for real: previewed, asked about when it is much, archived first, taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prefect import State

from memtend.limits_upkeep import PRUNE_ROWS_FREE
from memtend.services import open_services
from memtend_flows import approval
from memtend_flows.parameters import Strategy
from memtend_flows.prune import prune
from memtend_tasks.address import to_address
from memtend_tasks.publish import PRUNE_COMPLETED
from tests.flows.answering import answer, digest, start
from tests.flows.scratch import Scratch, records, repeat
from tests.flows.seen import events, pages


@pytest.fixture
def old(scratch: Scratch, tmp_path: Path) -> Scratch:
    return Scratch(str(tmp_path / "old.db"), scratch.target)


def test_a_few_are_pruned_without_asking_and_come_back(old: Scratch) -> None:
    before = repeat(old.store, 5)
    label = to_address(old.store).label
    preview = prune(old.store)
    assert (preview.applied, preview.planned) == (False, 4)
    assert records(old.store) == before
    plan = pages(f"prune-plan-{label}")[0]
    assert "Prunes **4 of" in plan
    assert "| notes/old | 4 |" in plan
    assert "redundancy" in pages(f"prune-decisions-{label}")[0]
    report = prune(old.store, dry_run=False).model_dump()
    assert (report["deleted"], records(old.store)) == (4, before - 4)
    page = pages(f"prune-report-{label}")[0]
    assert f"`memtend undo {report['plan']}`" in page
    [event] = events(PRUNE_COMPLETED, f"memtend.store.{label}")
    assert (event["payload"]["plan"], event["payload"]["deleted"]) == (report["plan"], 4)
    assert prune(old.store, dry_run=False).planned == 0
    with open_services(old.store) as services:
        services.undo_prune(report["plan"])
    assert records(old.store) == before


def test_of_many_somebody_is_asked(old: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than goes in a day: refused where nobody is to be asked, and done after a yes."""
    monkeypatch.setattr(approval, "APPROVAL_POLL_S", 0.2)
    before = repeat(old.store, 3 * PRUNE_ROWS_FREE)
    refused: State[Any] = prune(old.store, ask=False, dry_run=False, return_state=True)
    assert "PruneUnapproved" in str(refused.message)
    assert records(old.store) == before
    with start(prune, old.store, strategy=Strategy.REDUNDANCY, dry_run=False) as run:
        shown = answer(old, approve=True, note="ticket 12")
        state = run.result()
    assert state.is_completed()
    assert "more than goes in a day without approval" in shown
    assert "| notes/old | 29 |" in shown
    assert records(old.store) == before - 29
    assert "ticket 12" in pages(f"prune-report-{to_address(old.store).label}")[0]


def test_what_was_read_needs_no_second_yes(old: Scratch) -> None:
    """The digest of a plan on a page stands for the yes; without one nothing goes."""
    before = repeat(old.store, 3 * PRUNE_ROWS_FREE)
    prune(old.store)
    report = prune(old.store, reviewed=digest(old, "prune"), dry_run=False)
    assert (report.deleted, records(old.store)) == (29, before - 29)
