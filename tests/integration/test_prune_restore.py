"""What a prune merged, deleted and brought back, in a restore to a moment before or between, and
when the archive's index is made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock, to_datetime
from memtend.limits import ARCHIVE_KEEP_MS
from memtend.model.record import Labels
from tests.fixtures.archives import archive_everything, value
from tests.fixtures.pruning import plan_of, pruning, whole
from tests.fixtures.stores import run_sql

NS = "notes/old"
MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("undone", "after", "counts", "uncertain"),
    [
        (False, 1, {"a": 1, "b": 2, "z": None}, 0),
        (False, 3, {"a": 3}, 0),
        (True, 1, {"a": 1, "b": 2, "z": None}, 0),
        (True, 3, {"a": 1, "b": 2, "z": None}, 3),  # rather too much, and it says so
    ],
)
def test_nothing_is_counted_twice_at_a_moment(
    tmp_path: Path,
    clock: ManualClock,
    undone: bool,
    after: int,
    counts: dict[str, int | None],
    uncertain: int,
) -> None:
    """Merging and bringing back keep the time of writing, which so proves nothing."""
    began = clock.now_ms()
    with pruning(f"sqlite:///{tmp_path}/s.db", tmp_path, clock) as services:
        memory = services.memory
        for key, count in (("a", 1), ("b", 2)):
            memory.put(NS, key, value(7), labels=Labels(success_count=count))
        memory.put(NS, "z", value(8))
        services.take_backup()
        clock.advance(2 * MINUTE_MS)
        plan = plan_of(services, f"{NS}/z", into={f"{NS}/b": f"{NS}/a"})
        report = services.apply_prune(plan)
        clock.advance(2 * MINUTE_MS)
        if undone:
            services.undo_prune(report.plan)
        services.take_backup()
        clock.advance(MINUTE_MS)
        moment = to_datetime(began + after * MINUTE_MS)
        restored = services.apply_restore(services.plan_restore(to=moment))
        found = {key: one["labels"]["success_count"] for key, one in whole(memory, NS).items()}
        assert (found, restored.uncertain) == (counts, uncertain)


def test_nothing_is_taken_off_what_never_took_it_over(tmp_path: Path, clock: ManualClock) -> None:
    """The record that took another over is that of before again, and the other was not there."""
    with pruning(f"sqlite:///{tmp_path}/s.db", tmp_path, clock) as services:
        memory = services.memory
        memory.put(NS, "a", value(7), labels=Labels(success_count=10))
        services.take_backup()
        memory.put(NS, "b", value(7), labels=Labels(success_count=3))
        report = services.apply_prune(plan_of(services, into={f"{NS}/b": f"{NS}/a"}))
        clock.advance(MINUTE_MS)
        services.apply_restore(services.plan_restore())
        assert services.undo_prune(report.plan).written == 1
        found = {key: one["labels"]["success_count"] for key, one in whole(memory, NS).items()}
        assert found == {"a": 10, "b": 3}


def test_no_index_brings_back_what_only_a_ghost_knows_of(
    tmp_path: Path, clock: ManualClock
) -> None:
    """The change log and what the prune had kept are gone; what was archived before lies on."""
    with pruning("sqlite://", tmp_path, clock) as services:
        for n in range(6):
            services.memory.put(NS, f"k{n}", value(n))
        archive_everything(services)
        services.apply_prune(plan_of(services, f"{NS}/k0", f"{NS}/k1"))
        services.compact_archive()
        clock.advance(ARCHIVE_KEEP_MS)
        assert services.compact_archive().removed == 1
        services.apply_sweep(services.plan_sweep())
        assert run_sql(services.memory, "SELECT count(*) FROM log") == [(0,)]
        assert services.reindex_archive().written == 0
        assert list(whole(services.memory, NS)) == ["k2", "k3", "k4", "k5"]
