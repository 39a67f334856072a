"""Deltas that are refused: with a typed error, and the store as it was (CRDT_SPEC 5.2, 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import ormsgpack
import pytest

from memtend.clock import ManualClock
from memtend.codec.delta import FIRST, _pack_item, _page, write_pages
from memtend.codec.envelope import unpack
from memtend.errors import DeltaGap, DeltaRefused, EpochMismatch, PeerClock
from memtend.limits import PEER_AHEAD_MS_MAX
from memtend.memory import Memory
from memtend.model.delta import Carried, DeltaHead, Ended, Item, Named
from memtend.model.dot import Dot
from memtend.model.record import Labels
from memtend.store.sync import apply, outgoing, vector
from tests.fixtures.replicas import NS, Make, pages_of, send, state, sync

Forge: TypeAlias = Callable[[DeltaHead, Item], tuple[DeltaHead, Item]]


def carried(**changes: Any) -> Forge:
    """The delta with another sibling: `text`, `exp_ms`, or any column of its body."""

    def forge(head: DeltaHead, item: Item) -> tuple[DeltaHead, Item]:
        [told] = item.siblings
        assert isinstance(told, Carried)
        for name, value in changes.items():
            if name in Carried._fields:
                told = told._replace(**{name: value})
            else:
                told = told._replace(body=unpack(told.body)._replace(**{name: value}).pack())
        if "text" in changes and "size" not in changes:
            told = told._replace(body=unpack(told.body)._replace(size=len(told.text)).pack())
        return head, item._replace(siblings=(told,))

    return forge


def head_with(**changes: Any) -> Forge:
    return lambda head, item: (head._replace(**changes), item)


def item_with(**changes: Any) -> Forge:
    return lambda head, item: (head, item._replace(**changes))


STRANGER = "f" * 32
FORGERIES: dict[str, Forge] = {
    "not canonical": carried(text=b'{"b":1,"a":2}'),
    "spaces": carried(text=b'{"a": 1}'),
    "a key twice": carried(text=b'{"a":1,"a":1}'),
    "not JSON": carried(text=b"{"),
    "NaN": carried(text=b"NaN"),
    "a large integer": carried(text=b"9007199254740992"),
    "infinity": carried(text=b"1e999"),
    "deep": carried(text=b"[" * 65 + b"]" * 65),
    "very deep": carried(text=b"[" * 100_000 + b"]" * 100_000),
    "wrong size": carried(size=99),
    "no body": carried(body=b"\xc1"),
    "long body": carried(body=ormsgpack.packb([1, b"r" * 16, 1, 2, *range(30)])),
    "event zero": carried(n=0),
    "event unseen": carried(n=99),
    "event of a stranger": carried(replica=STRANGER),
    "later than its sender": carried(ts=2**62),
    "negative time": carried(ts=-1),
    "unknown kind": carried(type=9),
    "kind is text": carried(type="0"),
    "a counter that is none": carried(type=1),
    "year 10000": carried(exp_ms=253_402_300_800_000),
    "negative deadline": carried(exp_ms=-1),
    "deadline is text": carried(exp_ms="1"),
    "NUL in a label": carried(agent="a\0b"),
    "long label": carried(session="s" * 257),
    "empty kind": carried(kind=""),
    "tag twice": carried(tags=("t", "t")),
    "many tags": carried(tags=tuple(map(str, range(65)))),
    "tag is a number": carried(tags=(1,)),
    "importance": carried(importance=2.0),
    "confidence": carried(confidence=float("nan")),
    "trust": carried(trust="blind"),
    "dictionary": carried(dictionary=1),
    "extra": carried(extra=b"\x93"),
    "extra is a list": carried(extra=ormsgpack.packb([1])),
    "pinned": carried(pinned=1),
    "ttl": carried(ttl_ms=-5),
    "traversal": item_with(key="../k"),
    "no key": item_with(key=""),
    "absolute": item_with(namespace="/etc"),
    "key is a number": item_with(key=5),
    "long path": item_with(key="k" * 600),
    "odd field": item_with(field="a b"),
    "nothing": item_with(siblings=()),
    "named, not seen": item_with(siblings=(Named(Dot(STRANGER, 1), 0),)),
    "ended, not seen": item_with(ended=(Ended(Dot(STRANGER, 1), 0, "deleted"),)),
    "long reason": item_with(ended=(Ended(Dot(STRANGER, 1), 0, "d" * 99),)),
    "floor above": head_with(floor={STRANGER: 1}),
    "event number zero": head_with(vv={STRANGER: 0}),
    "huge vector": head_with(vv={f"{n:032x}": 1 for n in range(4_097)}),
    "negative epoch": head_with(epoch=-1),
    "huge time": head_with(sent_ms=2**60),
    "odd heard": head_with(heard={STRANGER: -1}),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_no_replica_may_say(replica: Make, name: str) -> None:
    a, b = replica(), replica()
    a.put(NS, "k", {"a": 1}, labels=Labels(agent="ada", tags=("t",)))
    b.put(NS, "k", "mine")
    before = state(b), vector(b.store), b.store.meta()
    with outgoing(a.store, {}) as delta:
        head, item = FORGERIES[name](delta.head, next(delta.items()))
        with pytest.raises(DeltaRefused):
            apply(b.store, write_pages(head, [item]))
    assert (state(b), vector(b.store), b.store.meta()) == before


def test_pages_that_do_not_belong_together(replica: Make) -> None:
    a, b = replica(), replica()
    a.put(NS, "k", 1)
    with outgoing(a.store, {}) as delta:
        item = next(delta.items())
        wide = [item._replace(key=f"k{n}") for n in range(3)]
    one, other = pages_of(a), list(write_pages(delta.head._replace(full=True), wide))
    assert (len(one), len(other)) == (1, 1)
    flipped = bytearray(one[0])
    flipped[-5] ^= 1
    cases: list[Any] = [
        [], [b""], [b"MEMTDLT\0"], one * 2, [*one, *other], [bytes(flipped)], [one[0][:-1]],
        [one[0] + b"\0"], [None], ["text"], [one[0][:8] + b"\0\x09" + one[0][10:]],
    ]  # fmt: skip
    for pages in cases:
        with pytest.raises(DeltaRefused):
            apply(b.store, pages)
    with outgoing(a.store, {}) as delta:
        [whole, *_] = delta.items()
        bare = whole._replace(siblings=(Carried(b"", None, None),))  # type: ignore[arg-type]
        parts = list(map(_pack_item, (whole, bare)))  # a path in two parts, one without a text
        with pytest.raises(DeltaRefused):
            apply(b.store, [_page(0, True, FIRST, delta.head, parts)[0]])
    with pytest.raises(DeltaRefused):  # the same event under three names; each path is well-formed
        apply(b.store, write_pages(delta.head, [wide[1], wide[0]]))
    assert vector(b.store) == {}


def test_pages_lost_or_in_another_order(replica: Make) -> None:
    a, b = replica(), replica()
    for n in range(3):
        a.put(NS, f"k{n}", f"{n}" * 3_000_000)
    pages = pages_of(a)
    assert len(pages) == 3
    for wrong in (pages[:-1], pages[1:], [pages[0], pages[2]], [pages[1], pages[0], pages[2]]):
        with pytest.raises(DeltaRefused):
            apply(b.store, wrong)
    assert apply(b.store, pages).added == 3


def test_a_gap_is_refused(both: tuple[Memory, Memory]) -> None:
    a, b = both
    a.put(NS, "one", 1)
    with outgoing(a.store, {}) as first:
        known = dict(first.head.vv)
    a.put(NS, "two", 2)
    later = pages_of(a, known)
    with pytest.raises(DeltaGap, match="1 events"):
        apply(b.store, later)
    assert vector(b.store) == {}
    send(a, b)
    assert apply(b.store, later).added == 0


def test_a_clock_that_is_ahead_is_refused(replica: Make, clock: ManualClock) -> None:
    ahead = ManualClock(clock.now_ms() + PEER_AHEAD_MS_MAX + 1, seed=7)
    a, b = replica(clock=ahead), replica("postgres")
    a.put(NS, "k", 1)
    before = b.store.meta()
    with pytest.raises(PeerClock):
        send(a, b)
    assert b.store.meta() == before
    clock.advance(2)
    assert send(a, b).added == 1
    b.put(NS, "k", 2)
    sync(a, b)
    assert a.get(NS, "k") == 2  # later than what it replaced, though its clock is behind


def test_another_epoch_is_refused(replica: Make) -> None:
    a, b = replica(), replica()
    a.put(NS, "k", 1)
    with outgoing(a.store, {}) as delta, pytest.raises(EpochMismatch):
        apply(b.store, write_pages(delta.head._replace(epoch=1), delta.items()))
    assert vector(b.store) == {}
