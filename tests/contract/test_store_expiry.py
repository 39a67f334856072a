"""Expiry: what a reader sees, and what sweeping may and may not change (CRDT_SPEC 6)."""

from __future__ import annotations

import pytest

from memtend.clock import ManualClock, to_ms
from memtend.drafting import Put
from memtend.errors import KindMismatch, NotFound
from memtend.limits import SWEEP_MARGIN_MS
from memtend.memory import Memory
from memtend.model.policy import Cleanup, Policy
from memtend.model.query import Query
from memtend.model.record import Labels
from memtend.store.expiry import drop_expired, expired
from tests.fixtures.stores import beside, run_sql, set_policies

NS = "session/abc"
HOUR = 3_600_000


def sweep(memory: Memory) -> int:
    return drop_expired(
        memory.store, [row.seq for row in expired(memory.store, 100)], actor="t"
    ).rows


def rows(memory: Memory) -> int:
    return int(run_sql(memory, "SELECT count(*) FROM sibling")[0][0])


def deadline(memory: Memory, key: str = "k") -> int | None:
    record = memory.read(NS, key)
    assert record is not None
    return None if record.expires_at is None else to_ms(record.expires_at)


def test_the_deadline_is_exclusive(memory: Memory, clock: ManualClock) -> None:
    memory.put(NS, "k", 1, ttl_ms=1_000, labels=Labels(tags=("t",)))
    clock.advance(999)
    assert memory.get(NS, "k") == 1
    clock.advance(1)
    assert memory.get(NS, "k") is None
    assert memory.get_many(NS, ["k"]) == {}
    assert memory.scan(NS) == []
    assert memory.read(NS, "k") is None
    assert memory.siblings(NS, "k") == []
    assert memory.search(Query(tag="t")) == []
    assert memory.delete(NS, "k") is False
    assert rows(memory) == 1


def test_the_policy_gives_the_ttl_and_the_write_may_override_it(
    memory: Memory, clock: ManualClock
) -> None:
    set_policies(memory, Policy(pattern="session/*", ttl_ms=HOUR))
    memory.put(NS, "k", 1)
    assert deadline(memory) == clock.now_ms() + HOUR
    memory.put(NS, "k", 1, ttl_ms=5)
    assert deadline(memory) == clock.now_ms() + 5
    memory.put(NS, "k", 1, ttl_ms=0)
    assert deadline(memory) is None
    memory.put("other", "k", 1)
    record = memory.read("other", "k")
    assert record is not None
    assert record.expires_at is None


def test_an_absolute_deadline(memory: Memory, clock: ManualClock) -> None:
    end = clock.now_ms() + 7
    memory.put_many([Put(NS, "k", 1, expires_at_ms=end, created_ms=123)])
    assert deadline(memory) == end
    record = memory.read(NS, "k")
    assert record is not None
    assert to_ms(record.created_at) == 123
    clock.advance(7)
    assert memory.get(NS, "k") is None


def test_a_sweep_waits_for_the_margin(memory: Memory, clock: ManualClock) -> None:
    memory.put(NS, "k", 1, ttl_ms=1_000)
    memory.put(NS, "stays", 2)
    clock.advance(1_000 + SWEEP_MARGIN_MS - 1)
    assert sweep(memory) == 0
    clock.advance(1)
    assert sweep(memory) == 1
    assert sweep(memory) == 0
    assert rows(memory) == 1
    assert memory.get(NS, "stays") == 2


def test_siblings_expire_each_for_itself(memory: Memory, clock: ManualClock) -> None:
    beside(memory, NS, "k", "long", ttl_ms=HOUR)
    beside(memory, NS, "k", "short", ttl_ms=10)
    assert memory.get(NS, "k") == "short"
    clock.advance(10)
    assert memory.get(NS, "k") == "long"
    assert memory.scan(NS) == [("k", "long")]
    clock.advance(SWEEP_MARGIN_MS)
    assert sweep(memory) == 1
    assert memory.get(NS, "k") == "long"


def test_cleanups_differ_only_in_when_rows_go(memory: Memory, clock: ManualClock) -> None:
    set_policies(memory, *(Policy(pattern=c, ttl_ms=10, cleanup=c) for c in Cleanup))
    for cleanup in Cleanup:
        memory.put(cleanup, "k", 1)
    clock.advance(10 + SWEEP_MARGIN_MS)
    assert [memory.get(cleanup, "k") for cleanup in Cleanup] == [None, None, None]
    assert rows(memory) == 3
    memory.flush()  # a lazy record that was asked for goes with what reading left behind
    assert {row.namespace for row in expired(memory.store, 9)} == {"manual", "scheduled"}
    assert [memory.get(cleanup, "k") for cleanup in Cleanup] == [None, None, None]


def test_touch_moves_the_deadline_when_it_matters(memory: Memory, clock: ManualClock) -> None:
    memory.put(NS, "k", {"a": 1}, ttl_ms=1_000, labels=Labels(kind="fact", tags=("t",)))
    clock.advance(99)
    assert memory.touch(NS, "k", 1_000) is None
    clock.advance(1)
    assert memory.touch(NS, "k", 1_000) is not None
    assert deadline(memory) == clock.now_ms() + 1_000
    record = memory.read(NS, "k")
    assert record is not None
    assert (record.value, record.labels.kind, record.labels.tags) == ({"a": 1}, "fact", ("t",))
    assert to_ms(record.created_at) == clock.now_ms() - 100
    clock.advance(1_000)
    with pytest.raises(NotFound):
        memory.touch(NS, "k", 1_000)


def test_touch_shortens_makes_permanent_and_takes_the_policys(
    memory: Memory, clock: ManualClock
) -> None:
    set_policies(memory, Policy(pattern="session/*", ttl_ms=HOUR))
    memory.put(NS, "k", 1, ttl_ms=10 * HOUR)
    assert memory.touch(NS, "k", 1_000) is not None
    assert deadline(memory) == clock.now_ms() + 1_000
    assert memory.touch(NS, "k", 0) is not None
    assert deadline(memory) is None
    assert memory.touch(NS, "k") is not None
    assert deadline(memory) == clock.now_ms() + HOUR


def test_refresh_on_read_slides_the_deadline_behind_the_read(
    memory: Memory, clock: ManualClock
) -> None:
    set_policies(memory, Policy(pattern="session/*", ttl_ms=1_000, refresh_on_read=True))
    memory.put(NS, "k", 1)
    memory.put(NS, "unread", 1)
    memory.increment(NS, "counted", 3)
    clock.advance(900)
    assert (memory.get(NS, "k"), memory.get(NS, "counted")) == (1, 3)
    memory.flush()
    clock.advance(999)
    assert (memory.get(NS, "k"), memory.get(NS, "counted")) == (1, 3)
    assert memory.get(NS, "unread") is None
    clock.advance(1)
    memory.flush()  # too late: the deadline was reached before the read was written down
    assert memory.get(NS, "k") is None


def test_a_read_takes_no_time_away(memory: Memory, clock: ManualClock) -> None:
    """What was promised at the write stays, whatever the rule says by now."""
    set_policies(memory, Policy(pattern="session/*", ttl_ms=1_000, refresh_on_read=True))
    memory.put(NS, "own", 1, ttl_ms=5_000)
    memory.put(NS, "always", 1, ttl_ms=0)
    memory.put(NS, "ruled", 1)
    set_policies(memory, Policy(pattern="session/*", ttl_ms=100, refresh_on_read=True))
    found = []
    for pause in (0, 850, 4_000, 9_000):
        clock.advance(pause)
        found.append([key for key in ("own", "always", "ruled") if memory.get(NS, key)])
        memory.flush()
    three, two, one = ["own", "always", "ruled"], ["own", "always"], ["always"]
    assert found == [three, three, two, one]


def test_reads_are_counted_behind_the_reads(memory: Memory, clock: ManualClock) -> None:
    memory.put(NS, "k", 1)
    for _ in range(3):
        memory.get(NS, "k")
    memory.get(NS, "absent")
    before = memory.read(NS, "k")
    assert before is not None
    assert before.access_count == 0
    memory.flush()
    memory.flush()
    after = memory.read(NS, "k")
    assert after is not None
    assert after.accessed_at is not None
    assert (after.access_count, to_ms(after.accessed_at)) == (3, clock.now_ms())
    memory._access.limit = 1
    memory.put("two", "k", 1)
    assert (memory.get("two", "k"), memory.get(NS, "k")) == (1, 1)
    again = memory.read(NS, "k")
    assert again is not None
    assert again.access_count == 4
    assert [r.access_count for r in memory.search(Query(namespace="two"))] == [1]


def test_counts_end_with_the_record(memory: Memory, clock: ManualClock) -> None:
    for end in ("delete", "sweep"):
        memory.put(NS, end, 1, ttl_ms=10)
        memory.get(NS, end)
    memory.flush()
    memory.delete(NS, "delete")
    clock.advance(10 + SWEEP_MARGIN_MS)
    sweep(memory)
    assert run_sql(memory, "SELECT count(*) FROM access") == [(0,)]


def test_many_misses_cost_no_memory(memory: Memory) -> None:
    set_policies(memory, Policy(pattern="session/*", cleanup=Cleanup.LAZY))
    memory._access.limit = 10
    for n in range(100):
        memory.get(NS, f"k{n}")
    assert len(memory._access.leftovers) <= 11


def test_a_counter_expires_whole_and_starts_again(memory: Memory, clock: ManualClock) -> None:
    set_policies(memory, Policy(pattern="session/*", ttl_ms=1_000))
    memory.increment(NS, "n", 5)
    clock.advance(999)
    assert memory.increment(NS, "n", 2) == 7
    clock.advance(1_000)
    assert memory.get(NS, "n") is None
    assert memory.increment(NS, "n", 1) == 1


@pytest.mark.parametrize("swept", [False, True])
def test_sweeping_never_changes_the_next_increment(
    memory: Memory, clock: ManualClock, swept: bool
) -> None:
    set_policies(memory, Policy(pattern="session/*", ttl_ms=1_000))
    memory.increment(NS, "n", 5)
    clock.advance(1_000 + SWEEP_MARGIN_MS)
    if swept:
        assert sweep(memory) == 1
    assert memory.delete(NS, "n") is False
    assert memory.increment(NS, "n", 1) == 1


def test_touching_a_counter_keeps_it_a_counter(memory: Memory, clock: ManualClock) -> None:
    set_policies(memory, Policy(pattern="session/*", ttl_ms=1_000))
    memory.increment(NS, "n", 5)
    assert memory.touch(NS, "n", HOUR) is not None
    clock.advance(1_000)
    assert memory.get(NS, "n") == 5
    assert memory.increment(NS, "n", 1) == 6
    with pytest.raises(KindMismatch):
        memory.put(NS, "n", 1)
    clock.advance(HOUR)
    memory.put(NS, "n", "a value")
    assert memory.get(NS, "n") == "a value"


def test_elements_of_a_set_expire(memory: Memory, clock: ManualClock) -> None:
    set_policies(memory, Policy(pattern="session/*", ttl_ms=1_000))
    memory.add(NS, "s", "early")
    clock.advance(500)
    memory.add(NS, "s", "late")
    clock.advance(500)
    assert memory.members(NS, "s") == ["late"]
    assert memory.remove(NS, "s", "early") is False
    clock.advance(SWEEP_MARGIN_MS)
    assert sweep(memory) == 1
