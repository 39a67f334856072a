"""The numbered examples of CRDT_SPEC, each under its number."""

from __future__ import annotations

from memtend.clock import ManualClock
from memtend.crdt import rows, tally
from memtend.crdt.causal import Dot
from memtend.crdt.counters import GCounter, PNCounter, Totals
from memtend.crdt.hlc import pack, receive, tick, unpack
from memtend.crdt.lww import LWWRegister
from memtend.crdt.lwwset import LWWElementSet
from memtend.crdt.mv import MVRegister
from memtend.crdt.orset import ORSet
from memtend.crdt.rows import Reading, RowKind, Sibling
from memtend.crdt.tally import Epoch
from tests.laws.replica import COUNTER, Replica, Rules

YEAR_MS = 365 * 86_400_000
START_MS = 1_000_000


class KeepsItsId(Rules):
    """A restore as it must not be, for example 12."""

    def id_after_restore(self, old: str, fresh: str) -> str:
        return old


def two() -> tuple[Replica, Replica]:
    return Replica("a", Rules()), Replica("b", Rules())


def sync(sender: Replica, receiver: Replica, now_ms: int = START_MS) -> None:
    sender.meet(receiver.id)
    assert receiver.apply(sender.delta(receiver.seen, now_ms), now_ms)


def texts(replica: Replica, key: str = "k") -> set[bytes]:
    return {s.text for s in replica.at(key)}


def test_example_1_hybrid_clock() -> None:
    first = tick(pack(99, 0), 100)
    second = tick(first, 100)
    heard = receive(second, pack(105, 7), 100)
    later = tick(heard, 103)
    last = tick(later, 106)
    got = [unpack(hlc) for hlc in (first, second, heard, later, last)]
    assert got == [(100, 0), (100, 1), (105, 8), (105, 9), (106, 0)]


def test_example_2_wall_clock_jumps() -> None:
    ahead, back = ManualClock(), ManualClock()
    start = ahead.now_ms()
    ahead.jump(100 * YEAR_MS)
    back.jump(-2 * 86_400_000)
    for clock in (ahead, back):
        clock.advance(1_000)
        assert clock.now_ms() == start + 1_000
        assert clock.alarm_ms is not None
    assert tick(pack(start, 0), back.now_ms()) > pack(start, 0)


def test_example_3_tie_goes_to_the_greater_replica() -> None:
    x, y = LWWRegister(5, "a", b'"x"'), LWWRegister(5, "b", b'"y"')
    assert x.merge(y) == y.merge(x) == y


def test_example_4_repeated_totals_count_once() -> None:
    merged = GCounter({"a": 3}).merge(GCounter({"a": 3, "b": 2}))
    assert merged == GCounter({"a": 3, "b": 2}) == merged.merge(merged)
    assert merged.value == 5


def test_example_5_counter_and_reset() -> None:
    a, b = PNCounter().increment("a", 3), PNCounter().increment("b", -1)
    assert a.merge(b).merge(b).value == 2
    reset, more = a.merge(b).reset(hlc=7), a.merge(b).increment("b", 4)
    assert reset.merge(more).value == more.merge(reset).value == 0
    assert more.totals["b"] == Totals(4, 1)


def test_example_5_in_the_store() -> None:
    a, b = two()
    a.increment(3, None, START_MS)
    b.increment(-1, None, START_MS)
    for _ in range(2):
        sync(a, b)
        sync(b, a)
    assert [tally.value(r.at(COUNTER), START_MS) for r in (a, b)] == [2, 2]
    a.reset(None, START_MS)
    b.increment(4, None, START_MS)
    sync(a, b)
    sync(b, a)
    assert [tally.value(r.at(COUNTER), START_MS) for r in (a, b)] == [0, 0]


def test_example_6_concurrent_values_are_kept() -> None:
    a = MVRegister().write(Dot("a", 1), b'"x"')
    b = a.write(Dot("b", 1), b'"y"')
    c = a.write(Dot("c", 1), b'"z"')
    merged = c.merge(a).merge(b)
    assert merged.values == (b'"y"', b'"z"')
    assert merged.write(Dot("a", 2), b'"w"').merge(b).merge(c).values == (b'"w"',)


def test_example_7_concurrent_add_wins() -> None:
    both = ORSet().add("x", Dot("a", 1))
    merged = both.remove("x").merge(both.add("x", Dot("b", 1)))
    assert merged.dots == {"x": frozenset({Dot("b", 1)})}


def test_example_8_removal_leaves_nothing() -> None:
    both = ORSet().add("x", Dot("a", 1))
    merged = both.remove("x").merge(both)
    assert merged.dots == {}


def test_element_set_prefers_the_add_on_a_tie() -> None:
    """3.6."""
    assert LWWElementSet().add("x", 5).remove("x", 5).value == {"x"}
    assert LWWElementSet().add("x", 5).remove("x", 6).value == frozenset()


def test_losers_must_stay_while_merging() -> None:
    """4.4: x older, y newer, and somebody deleted y without having seen x."""
    x, y = Sibling(Dot("p", 1), 1, None, b"1"), Sibling(Dot("q", 1), 2, None, b"2")
    both = rows.merge([x], {"p": 1}, [y], {"q": 1})
    assert rows.visible(both, Reading.LWW, 0) == (y,)
    deleted_y = {"q": 1}
    one_way = rows.merge(both, {"p": 1, "q": 1}, [], deleted_y)
    other_way = rows.merge([x], {"p": 1}, rows.merge([y], {"q": 1}, [], deleted_y), {"q": 1})
    assert one_way == other_way == (x,)


def test_stranger_is_kept_and_not_used() -> None:
    """4.5a."""
    plain = Sibling(Dot("p", 1), 1, None, b"1")
    part = Sibling(Dot("q", 1), 2, None, tally.Part(Epoch(), Totals(5, 0)).text(), RowKind.COUNTER)
    assert rows.visible([plain, part], Reading.MV, 0) == (plain,)
    assert tally.value([plain, part], 0) == 5
    assert rows.strangers([plain, part], RowKind.PLAIN) == (part,)


def test_example_9_no_resurrection_without_tombstones() -> None:
    a, b = two()
    a.put("k", b"1", None, START_MS)
    late = a.delta({}, START_MS)
    sync(a, b)
    b.delete("k", START_MS)
    b.drop_log()
    assert b.floor == {"b": 1}
    assert b.apply(late, START_MS)
    assert texts(b) == set()
    assert b.delta(a.seen, START_MS).full
    sync(b, a)
    assert texts(a) == set()


def test_example_10_unseen_write_survives_a_delete() -> None:
    a, b = two()
    a.put("k", b"1", None, START_MS)
    sync(a, b)
    a.delete("k", START_MS)
    b.put("k", b"2", None, START_MS)
    sync(a, b)
    sync(b, a)
    assert [s.dot for s in a.at("k")] == [s.dot for s in b.at("k")] == [Dot("b", 1)]


def test_example_11_extension_beats_a_sweep_elsewhere() -> None:
    a, b = two()
    first = a.put("k", b"1", 10_000, START_MS)
    sync(a, b)
    touched = b.put("k", b"1", 191_000, START_MS + 9_000)
    a.sweep(START_MS + 71_000)
    assert a.at("k") == ()
    sync(b, a, START_MS + 80_000)
    sync(a, b, START_MS + 80_000)
    assert a.at("k") == b.at("k") == (touched,)
    assert touched.exp_ms == START_MS + 200_000
    assert first not in a.at("k")


def test_example_12_why_restore_draws_a_new_id() -> None:
    for rules, survives in ((Rules(), True), (KeepsItsId(), False)):
        a, b = Replica("a", rules), Replica("b", rules)
        a.put("k", b"1", None, START_MS)
        backup = a.copy("a")
        a.put("k", b"2", None, START_MS)
        sync(a, b)
        restored = backup.copy(rules.id_after_restore("a", "a2"))
        restored.put("new", b"3", None, START_MS)
        sync(restored, b)
        assert (texts(b, "new") == {b"3"}) is survives


def test_example_13_rejoin_and_reassert() -> None:
    a, b = two()
    a.put("k", b"1", None, START_MS)
    backup = a.copy("a")
    sync(a, b)
    b.delete("k", START_MS)
    restored = backup.copy("a2")
    sync(b, restored)
    assert texts(restored) == set()
    restored.put("k", b"1", None, START_MS)
    sync(restored, b)
    assert texts(b) == {b"1"}


def test_counter_parts_wait_until_every_peer_was_heard() -> None:
    """A part swept here, while somebody extended the counter, would be missing from the sum."""
    a, b = two()
    a.increment(2, 10_000, START_MS)
    sync(a, b)
    b.increment(3, 100_000, START_MS + 9_000)
    a.sweep(START_MS + 80_000)
    sync(b, a, START_MS + 80_000)
    assert tally.value(a.at(COUNTER), START_MS + 80_000) == 5
    sync(b, a, START_MS + 170_000)
    a.sweep(START_MS + 170_000)
    assert a.at(COUNTER) == ()
