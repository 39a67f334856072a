"""Defects that somebody might write into the rules of a replica (CRDT_SPEC 9.3).

Each is one wrong rule. The test-suite is worth something only if it finds every one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from memtend.crdt import rows, tally
from memtend.crdt.causal import Dot
from memtend.crdt.counters import Totals
from memtend.crdt.rows import RowKind, Sibling, Siblings, Vector
from memtend.crdt.tally import Epoch
from tests.laws.deltas import Counts, Delta
from tests.laws.replica import Replica, Rules


class MergeAddsCounters(Rules):
    @staticmethod
    def merge(
        mine: Siblings, seen: Vector, theirs: Siblings, they_saw: Vector
    ) -> tuple[Sibling, ...]:
        held = {s.dot: s for s in mine}
        return tuple(
            s._replace(text=_sum(s.text, held[s.dot].text))
            if s.kind is RowKind.COUNTER and s.dot in held
            else s
            for s in rows.merge(mine, seen, theirs, they_saw)
        )


class IncrementReplacesTheOthers(Rules):
    @staticmethod
    def increment(siblings: Siblings, by: int, **facts: Any) -> tally.Written:
        new, _ = tally.increment(siblings, by, **facts)
        return new, ()


class ResetWritesZeros(Rules):
    @staticmethod
    def reset(siblings: Siblings, **facts: Any) -> tally.Written:
        new, kept = tally.reset(siblings, **facts)
        epoch = max((tally.Part.of(s.text).epoch for s in siblings), default=Epoch())
        return new._replace(text=tally.Part(epoch).text()), kept


class EpochHasNoOwner(Rules):
    """Two resets at the same instant begin the same epoch."""

    @staticmethod
    def reset(siblings: Siblings, **facts: Any) -> tally.Written:
        new, kept = tally.reset(siblings, **facts)
        part = tally.Part.of(new.text)
        nobody = part._replace(epoch=part.epoch._replace(owner=""))
        return new._replace(text=nobody.text()), kept


class LosersDroppedAtMerge(Rules):
    @staticmethod
    def merge(
        mine: Siblings, seen: Vector, theirs: Siblings, they_saw: Vector
    ) -> tuple[Sibling, ...]:
        kept = rows.merge(mine, seen, theirs, they_saw)
        plain = [s for s in kept if s.kind is RowKind.PLAIN]
        losers = sorted(plain, key=lambda s: s.order)[:-1]
        return tuple(s for s in kept if s not in losers)


class WriteKeepsSeenSiblings(Rules):
    @staticmethod
    def kept_by_write(siblings: Siblings, context: Vector | None = None) -> tuple[Sibling, ...]:
        return tuple(siblings)


class OneDotPerDeletedKey(Rules):
    """The log entry holds the last event only; two concurrent deletes are two events."""

    @staticmethod
    def logged(log: Vector, dropped: Iterable[Dot]) -> Counts:
        return {dot.replica: dot.n for dot in list(dropped)[-1:]}

    @staticmethod
    def merge_log(log: Vector, theirs: Vector, seen: Vector) -> Counts:
        return dict(theirs or log)


class SweepWithoutLogEntry(Rules):
    @staticmethod
    def logged_sweep(log: Vector, dropped: Iterable[Dot]) -> Counts:
        return dict(log)


class LogDroppedWithoutFloor(Rules):
    def floor_after_drop(self, floor: Counts, log: Counts) -> Counts:
        return floor


class NoGapCheck(Rules):
    def has_gap(self, seen: Counts, delta: Delta) -> bool:
        return False


class NewestEventMissingFromVector(Rules):
    def sent_vector(self, replica: Replica) -> Counts:
        return {**replica.seen, replica.id: replica.seen.get(replica.id, 1) - 1}


class PeersRowsTakenRegardless(Rules):
    """Whatever the peer holds is taken, even what was seen and removed here."""

    @staticmethod
    def merge(
        mine: Siblings, seen: Vector, theirs: Siblings, they_saw: Vector
    ) -> tuple[Sibling, ...]:
        return rows.merge(mine, {}, theirs, they_saw)


class SweepOneTickEarly(Rules):
    def swept(
        self, siblings: tuple[Sibling, ...], now_ms: int, heard_ms: int
    ) -> tuple[Sibling, ...]:
        return rows.swept(siblings, now_ms + 1, heard_ms + 1)


class SweepByTheFirstSibling(Rules):
    def swept(
        self, siblings: tuple[Sibling, ...], now_ms: int, heard_ms: int
    ) -> tuple[Sibling, ...]:
        return siblings if rows.swept(siblings[:1], now_ms, heard_ms) else ()


class RestoreKeepsTheId(Rules):
    def id_after_restore(self, old: str, fresh: str) -> str:
        return old


class CounterSweptUnheard(Rules):
    """A counter is swept although a peer may have extended it in time."""

    def swept(
        self, siblings: tuple[Sibling, ...], now_ms: int, heard_ms: int
    ) -> tuple[Sibling, ...]:
        return rows.swept(siblings, now_ms, now_ms)


class ExpiredCounterGoesOn(Rules):
    """An increment continues an expired counter that no sweep has met yet."""

    @staticmethod
    def increment(siblings: Siblings, by: int, **facts: Any) -> tally.Written:
        return tally.increment(siblings, by, **{**facts, "now_ms": 0, "was_here": False})


def _sum(one: bytes, other: bytes) -> bytes:
    a, b = tally.Part.of(one), tally.Part.of(other)
    added = Totals(a.totals.plus + b.totals.plus, a.totals.minus + b.totals.minus)
    return tally.Part(a.epoch, added).text()


PLANTED: Final[tuple[type[Rules], ...]] = (
    MergeAddsCounters,
    IncrementReplacesTheOthers,
    ResetWritesZeros,
    EpochHasNoOwner,
    LosersDroppedAtMerge,
    WriteKeepsSeenSiblings,
    OneDotPerDeletedKey,
    SweepWithoutLogEntry,
    LogDroppedWithoutFloor,
    NoGapCheck,
    NewestEventMissingFromVector,
    PeersRowsTakenRegardless,
    SweepOneTickEarly,
    SweepByTheFirstSibling,
    RestoreKeepsTheId,
    CounterSweptUnheard,
    ExpiredCounterGoesOn,
)
