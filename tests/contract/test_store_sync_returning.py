"""Back after a year: nothing comes to life again, nothing unsent is lost, nothing old looks new."""

from __future__ import annotations

import pytest

from memtend.clock import ManualClock
from memtend.errors import PeerRetired
from memtend.limits import LOG_KEEP_MS, SWEEP_MARGIN_MS
from memtend.memory import Memory
from memtend.store.expiry import drop_expired, expired
from memtend.store.logfloor import drop_log
from memtend.store.peers import retire_silent
from memtend.store.rejoining import rejoin
from memtend.store.sync import vector
from tests.fixtures.replicas import NS, Make, assert_alike, rows, send, sync
from tests.fixtures.stores import run_sql

DAY_MS = 24 * 3_600_000
COUNTS = "counts"


def sweep(memory: Memory) -> int:
    seqs = [row.seq for row in expired(memory.store, 99)]
    return drop_expired(memory.store, seqs, actor="sweep").rows


@pytest.mark.parametrize("engine", ["file", "postgres"])
def test_after_a_year(engine: str, replica: Make, clock: ManualClock) -> None:
    a, b, away = replica(engine), replica(), replica(engine)
    for n in range(5):
        a.put(NS, f"deleted{n}", n)
    a.put(NS, "expiring", 1, ttl_ms=DAY_MS)
    for name in ("kept", "changed", "ended"):
        b.put(NS, name, "before")
    away.increment(COUNTS, "n", 1)
    sync(a, b, away)
    away.put(NS, "unsent", "from long ago")
    away.put(NS, "changed", "from long ago")
    away.put(NS, "short", 1, ttl_ms=DAY_MS)
    away.delete(NS, "ended")
    away.increment(COUNTS, "n", 10)
    own = away.store.own_replica()

    clock.advance(365 * DAY_MS)
    for n in range(5):
        a.delete(NS, f"deleted{n}")
    b.put(NS, "changed", "since")
    b.increment(COUNTS, "n", 100)
    sync(a, b)
    for memory in (a, b):
        assert sweep(memory) > 0
        assert retire_silent(memory.store) == [own]
        clock.advance(LOG_KEEP_MS)
        assert drop_log(memory.store, actor="law") > 0
        sync(a, b)

    assert len(retire_silent(away.store)) == 2  # it has not heard of them, either
    with pytest.raises(PeerRetired):
        send(away, a)
    came = rejoin(away.store, vector(a.store), actor="law")
    assert came.rewritten == 4  # the counter and three values, of which one has expired
    assert came.replica == away.store.own_replica() != own
    sync(away, a, b)
    for memory in (a, b, away):
        sweep(memory)
        assert dict(memory.scan(NS)) == {
            "kept": "before", "changed": "since", "unsent": "from long ago",
        }  # fmt: skip
        assert [one.value for one in memory.siblings(NS, "changed")] == ["from long ago", "since"]
        assert memory.get(COUNTS, "n") == 111
        assert rows(memory) == 6  # two of them parts of the counter
    assert_alike(a, b, away)


def test_a_swept_counter_is_swept_everywhere(
    both: tuple[Memory, Memory], clock: ManualClock
) -> None:
    """Whoever sweeps waits for those that it knows. Somebody else may have extended the counter in
    time; then those who heard of that first must hear which parts are gone."""
    a, b = both
    a.increment(COUNTS, "n", 1)
    a.touch(COUNTS, "n", 1_000)
    send(a, b)  # b has it, and nobody has told a what b did
    run_sql(a, "DELETE FROM peer")
    b.increment(COUNTS, "n", 10)
    clock.advance(1_000 + SWEEP_MARGIN_MS)
    assert b.get(COUNTS, "n") == 11
    assert sweep(a) == 1
    sync(a, b)
    assert a.get(COUNTS, "n") == b.get(COUNTS, "n") == 10
    assert_alike(a, b)


def test_coming_back_makes_no_value_newer(both: tuple[Memory, Memory], clock: ManualClock) -> None:
    a, b = both
    a.put(NS, "k", "old", ttl_ms=3 * DAY_MS)
    before = a.read(NS, "k")
    clock.advance(DAY_MS)
    b.put(NS, "k", "new")
    clock.advance(DAY_MS)
    rejoin(a.store, vector(b.store), actor="law")
    sync(a, b)
    after = next(one for one in b.siblings(NS, "k") if one.value == "old")
    assert before is not None
    assert (after.updated_at, after.expires_at) == (before.updated_at, before.expires_at)
    assert a.get(NS, "k") == b.get(NS, "k") == "new"
    assert_alike(a, b)
