"""A proposal of times to live leaves its pictures in the store, and the report draws them."""

from __future__ import annotations

from pathlib import Path

from memtend.clock import ManualClock
from memtend.serving.ttl_pictures import SCENARIO, propose_ttl
from memtend.store import models
from tests.fixtures.tuning import MINUTE_MS, NS, use
from tests.fixtures.tuning import tuning as tuned

PAUSES_MS = [10 * MINUTE_MS, 25 * MINUTE_MS, 40 * MINUTE_MS]


def test_the_newest_proposal_is_drawn(clock: ManualClock, tmp_path: Path) -> None:
    with tuned(f"{tmp_path}/memory.db", tmp_path, clock) as services:
        for day in range(2):
            use(services, clock, f"d{day}-", PAUSES_MS)
        first, plan = propose_ttl(services), propose_ttl(services)
        known = models.listed(services.store, SCENARIO)
        facts = services.report_facts()
        written = services.write_report(f"{tmp_path}/page.html")
    assert plan.decisions == first.decisions
    assert len(known) == 1
    [line, *_] = facts.keeping.survivals if facts.keeping else ()
    assert line.accesses > 0
    assert 0 <= line.points[-1][1].value <= line.points[0][1].value <= 1
    assert {one.role for one in facts.keeping.frontier} >= {"", "current"} if facts.keeping else 0
    page = Path(written.path).read_text()
    assert "When things are read again" in page
    assert NS.partition("/")[0] in page


def test_without_accesses_nothing_is_kept(clock: ManualClock, tmp_path: Path) -> None:
    with tuned(f"{tmp_path}/memory.db", tmp_path, clock) as services:
        assert propose_ttl(services).to_change() == ()
        assert models.listed(services.store, SCENARIO) == []
