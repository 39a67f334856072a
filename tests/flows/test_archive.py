"""Archive and recall run for real: what is cold moves out, stays readable, and comes back."""

from __future__ import annotations

from hashlib import sha256

import pytest

from memtend.clock import SystemClock
from memtend.drafting import Put
from memtend.memory import Memory
from memtend_flows.archive import archive
from memtend_flows.recall import recall
from memtend_tasks.address import to_address
from tests.flows.scratch import LIVE, Scratch
from tests.flows.seen import pages

COLD = 12
DAY_MS = 24 * 3_600_000
TEXT = " ".join(sha256(str(n).encode()).hexdigest() for n in range(400))
"""Long, and not so repetitive that its row is small already."""


@pytest.fixture
def cold(scratch: Scratch) -> Scratch:
    """A store in which some large records have lain unread for weeks."""
    made_ms = SystemClock().now_ms() - 30 * DAY_MS
    with Memory.open(scratch.store) as memory:
        memory.put_many(
            [
                Put("report/old", f"r{n}", {"n": n, "text": TEXT}, ttl_ms=0, created_ms=made_ms)
                for n in range(COLD)
            ]
        )
    return scratch


def archived(store: str) -> int:
    with Memory.open(store, create=False) as memory:
        return sum(tier.records for tier in memory.stats().tiers if tier.name == "cold")


def test_a_dry_run_says_what_is_cold_and_moves_nothing(cold: Scratch) -> None:
    report = archive(cold.store)
    assert (report.applied, report.planned) == (False, COLD)
    assert archived(cold.store) == 0
    page = pages(f"archive-plan-{to_address(cold.store).label}")[0]
    assert f"Archives **{COLD} of" in page
    assert "| large | 12 |" in page


def test_what_was_reviewed_is_what_is_archived(cold: Scratch) -> None:
    """The digest on the plan's page is all that the second run needs; what came since stays."""
    archive(cold.store)
    page = pages(f"archive-plan-{to_address(cold.store).label}")[0]
    digest = page.split("Reviewed plan: `")[1][:64]
    with Memory.open(cold.store) as memory:
        memory.put("report/old", "r0", {"n": "news"})
    report = archive(cold.store, reviewed=digest, dry_run=False)
    assert (report.written, report.changed_since) == (COLD - 1, 1)
    assert archived(cold.store) == COLD - 1


def test_a_run_is_undone_by_its_number(cold: Scratch) -> None:
    """Values are read through to the archive meanwhile, and afterwards they are back."""
    run = archive(cold.store, dry_run=False).model_dump()["run"]
    with Memory.open(cold.store) as memory:
        assert memory.get("report/old", "r3") == {"n": 3, "text": TEXT}
        assert memory.stats().records >= LIVE + COLD
    assert recall(cold.store, run=run).planned == COLD
    assert recall(cold.store, run=run, dry_run=False).written == COLD
    assert archived(cold.store) == 0


def test_one_record_is_recalled_by_its_name(cold: Scratch) -> None:
    archive(cold.store, dry_run=False)
    assert recall(cold.store, records="report/old/r7", dry_run=False).written == 1
    assert archived(cold.store) == COLD - 1
