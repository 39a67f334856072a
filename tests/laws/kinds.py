"""Random histories of every replicated type, and the laws each must keep (CRDT_SPEC 9.1)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson

from memtend.crdt.base import includes
from memtend.crdt.causal import Dot, VersionVector
from memtend.crdt.counters import GCounter, PNCounter
from memtend.crdt.lww import LWWRegister
from memtend.crdt.lwwset import LWWElementSet
from memtend.crdt.mv import MVRegister
from memtend.crdt.orset import ORSet

REPLICAS: Final = ("a", "b", "c")
ELEMENTS: Final = ("x", "y", "z")
Step = tuple[int, int, int]


class Event(NamedTuple):
    """A local update: `verb` says what, `pick` says with which element or amount."""

    dot: Dot
    hlc: int
    verb: int
    pick: int

    @property
    def value(self) -> bytes:
        return orjson.dumps([self.pick])


class Kind(NamedTuple):
    name: str
    bottom: Any
    update: Callable[[Any, Event], Any]


def _lww(state: LWWRegister, event: Event) -> LWWRegister:
    return state.write(event.hlc, event.dot.replica, event.value if event.verb else None)


def _mv(state: MVRegister, event: Event) -> MVRegister:
    return state.write(event.dot, event.value, {event.dot.replica: 1} if event.verb == 0 else None)


def _gcounter(state: GCounter, event: Event) -> GCounter:
    return state.increment(event.dot.replica, event.pick + 1)


def _pncounter(state: PNCounter, event: Event) -> PNCounter:
    if event.verb == 0:
        return state.reset(event.hlc)
    return state.increment(event.dot.replica, event.pick - 1)


def _orset(state: ORSet, event: Event) -> ORSet:
    element = ELEMENTS[event.pick]
    return state.add(element, event.dot) if event.verb else state.remove(element)


def _lwwset(state: LWWElementSet, event: Event) -> LWWElementSet:
    element = ELEMENTS[event.pick]
    return state.add(element, event.hlc) if event.verb else state.remove(element, event.hlc)


def _vector(state: VersionVector, event: Event) -> VersionVector:
    return state.with_dot(event.dot)


KINDS: Final = (
    Kind("LWWRegister", LWWRegister(), _lww),
    Kind("MVRegister", MVRegister(), _mv),
    Kind("GCounter", GCounter(), _gcounter),
    Kind("PNCounter", PNCounter(), _pncounter),
    Kind("ORSet", ORSet(), _orset),
    Kind("LWWElementSet", LWWElementSet(), _lwwset),
    Kind("VersionVector", VersionVector(), _vector),
)


def steps(seed: int) -> list[Step]:
    dice = random.Random(seed)
    return [
        (dice.randrange(3), dice.randrange(6), dice.randrange(3))
        for _ in range(dice.randint(1, 15))
    ]


def live(kind: Kind, history: list[Step]) -> list[Any]:
    """The states of three replicas after `history`; each update must be an inflation."""
    states, clocks, counts = [kind.bottom] * 3, [0] * 3, [0] * 3
    for i, verb, pick in history:
        if verb > 3:
            states[i] = states[i].merge(states[pick])
            clocks[i] = max(clocks[i], clocks[pick])
            continue
        clocks[i] += 1
        counts[i] += 1
        event = Event(Dot(REPLICAS[i], counts[i]), clocks[i], verb, pick)
        after = kind.update(states[i], event)
        assert includes(after, states[i]), f"{event} lost a part of {states[i]}"
        states[i] = after
    return states


def keep_the_laws(kind: Kind, history: list[Step]) -> None:
    """Merging is a join, encoding is exact, a delta is as good as the state."""
    a, b, c = live(kind, history)
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(a) == a
    assert a.merge(kind.bottom) == a
    assert includes(a.merge(b), a)
    assert a.merge(b.delta(a)) == a.merge(b)
    assert a.merge(b.delta(a)).merge(b.delta(a)) == a.merge(b)
    text = orjson.dumps(a.encode())
    assert type(a).decode(orjson.loads(text)) == a
    assert orjson.dumps(b.merge(a).encode()) == orjson.dumps(a.merge(b).encode())
