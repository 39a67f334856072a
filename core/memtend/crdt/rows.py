"""One key of the store (CRDT_SPEC 4 to 6): what merging keeps, what writing replaces, what a
reader sees, what a sweep may drop. Pure; the SQL store asks here and only does what it is told.

Siblings are the concurrent values of a key. Nothing but a write, a delete or a sweep that has
seen a sibling removes it: LWW losers stay in the state and only the reading policy hides them.
Expiry is decided by the reader's clock, never by merging, so sweeping early, late or not at all
never changes what a reader sees.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import IntEnum, StrEnum
from typing import NamedTuple, TypeAlias

from memtend.crdt.causal import Dot, covers, descends, join, merge_dots
from memtend.crdt.lww import order_key
from memtend.limits import SWEEP_MARGIN_MS


class RowKind(IntEnum):
    """What a sibling is. The numbers are stored."""

    PLAIN = 0
    COUNTER = 1
    ELEMENT = 2
    FIELD = 3


class Reading(StrEnum):
    """Which siblings a reader is shown (4.4)."""

    LWW = "lww"
    MV = "mv"


class Sibling(NamedTuple):
    """One value of a key. `text` is canonical JSON; `exp_ms` is exclusive, None is for ever."""

    dot: Dot
    hlc: int
    exp_ms: int | None
    text: bytes
    kind: RowKind = RowKind.PLAIN

    @property
    def order(self) -> tuple[int, str, bytes]:
        return order_key(self.hlc, self.dot.replica, self.text)


Siblings: TypeAlias = Collection[Sibling]
Vector: TypeAlias = Mapping[str, int]


def merge(mine: Siblings, seen: Vector, theirs: Siblings, they_saw: Vector) -> tuple[Sibling, ...]:
    """The siblings after hearing `theirs` from somebody who has seen `they_saw` (5.2)."""
    ours, others = {s.dot: s for s in mine}, {s.dot: s for s in theirs}
    return tuple(sorted(merge_dots(ours, seen, others, they_saw).values()))


def kept_by_write(siblings: Siblings, context: Vector | None = None) -> tuple[Sibling, ...]:
    """What a put or a delete leaves: nothing, or what the writer's `context` had not seen (4.3)."""
    if context is None:
        return ()
    return tuple(s for s in siblings if not covers(context, s.dot))


def is_exactly(siblings: Siblings, dots: Iterable[Dot]) -> bool:
    """Whether a compare-and-set that expects `dots` may go ahead."""
    return {s.dot for s in siblings} == set(dots)


def is_visible(sibling: Sibling, now_ms: int) -> bool:
    return sibling.exp_ms is None or now_ms < sibling.exp_ms


def latest_deadline(siblings: Siblings) -> int | None:
    """When the last of them expires; None is never."""
    deadlines = [s.exp_ms for s in siblings if s.exp_ms is not None]
    return None if len(deadlines) < len(siblings) else max(deadlines, default=0)


def visible(
    siblings: Siblings, reading: Reading, now_ms: int, kind: RowKind = RowKind.PLAIN
) -> tuple[Sibling, ...]:
    """What a reader is shown: the newest, or all in the order of their canonical JSON."""
    alive = [s for s in siblings if s.kind == kind and is_visible(s, now_ms)]
    if reading is Reading.MV:
        return tuple(sorted(alive, key=lambda s: (s.text, s.dot)))
    return (max(alive, key=lambda s: (s.order, s.dot)),) if alive else ()


def strangers(siblings: Siblings, kind: RowKind) -> tuple[Sibling, ...]:
    """Siblings of another kind than the namespace's: kept, reported, never used (4.5a)."""
    return tuple(s for s in siblings if s.kind != kind)


def swept(
    siblings: Siblings, now_ms: int, heard_ms: int, margin_ms: int = SWEEP_MARGIN_MS
) -> tuple[Sibling, ...]:
    """What a sweep at `now_ms` drops (6.3).

    The parts of a counter go together, when the latest deadline has passed, and not before every
    peer was heard from after that deadline (`heard_ms`; without peers it is `now_ms`): a part
    dropped here while an increment elsewhere was extending the counter would be missed in the sum.
    """
    edge_ms = now_ms - margin_ms
    gone = [s for s in siblings if s.kind != RowKind.COUNTER and not is_visible(s, edge_ms)]
    parts = [s for s in siblings if s.kind == RowKind.COUNTER]
    deadline = latest_deadline(parts)
    if deadline is not None and deadline <= min(edge_ms, heard_ms - margin_ms):
        gone += parts
    return tuple(sorted(gone))


def is_news(siblings: Siblings, log: Vector, known: Vector) -> bool:
    """Whether a peer that has seen `known` must be sent this key (5.1)."""
    return not descends(known, log) or any(not covers(known, s.dot) for s in siblings)


def logged(log: Vector, dropped: Iterable[Dot]) -> dict[str, int]:
    """The log entry of a key after the events `dropped` left no sibling. A vector, see 5.6."""
    for dot in dropped:
        log = join(log, {dot.replica: dot.n})
    return dict(log)


def merge_log(log: Vector, theirs: Vector, seen: Vector) -> dict[str, int]:
    """The log entry after hearing `theirs`; what was seen before is already logged or let go."""
    return dict(log) if descends(seen, theirs) else join(log, theirs)
