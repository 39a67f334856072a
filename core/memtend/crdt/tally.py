"""A counter key of the store (CRDT_SPEC 4.5): one sibling per replica with its running totals.

An increment replaces only the replica's own sibling. A reset replaces all that it has seen with
one sibling of a new epoch; siblings of lesser epochs count nothing. Incrementing an expired
counter resets it first, so that a reader never learns whether a sweep has been there.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import orjson

from memtend.crdt.base import integer, items
from memtend.crdt.causal import Dot
from memtend.crdt.counters import Totals
from memtend.crdt.hlc import pack, unpack
from memtend.crdt.rows import RowKind, Sibling, Siblings, latest_deadline
from memtend.errors import LimitExceeded
from memtend.limits import INTEGER_ABS_MAX


class Epoch(NamedTuple):
    """The last reset: its packed timestamp, and whose it was.

    Two resets at the same instant are two epochs, or their starting values would be added up.
    """

    hlc: int = 0
    owner: str = ""


class Part(NamedTuple):
    """The value of a counter's sibling."""

    epoch: Epoch = Epoch()
    totals: Totals = Totals()

    def text(self) -> bytes:
        """Canonical JSON; the time in two numbers, since JSON is exact only below 2^53."""
        owner = b',"%s"' % self.epoch.owner.encode() if self.epoch.owner else b""
        return b"[%d,%d,%d,%d%s]" % (*unpack(self.epoch.hlc), *self.totals, owner)

    @classmethod
    def of(cls, text: bytes) -> Part:
        """The part that was written. Raises `ValueError` on anything else."""
        said = orjson.loads(text)
        owner = ""
        if isinstance(said, list) and len(said) == 5:
            owner = said.pop()
            if not (isinstance(owner, str) and owner.isascii() and owner.isalnum()):
                raise ValueError("the owner of an epoch is no id")
        ms, count, plus, minus = map(integer, items(said, 4))
        hlc = integer(pack(ms, 0), 2**63 - 1) | integer(count, 2**16 - 1)
        return cls(Epoch(hlc, owner), Totals(plus, minus))


Written: TypeAlias = tuple[Sibling, tuple[Sibling, ...]]
"""The new sibling, and the siblings that stay beside it."""


def value(siblings: Siblings, now_ms: int) -> int | None:
    """The sum over the greatest epoch; None when there is no counter or it has expired."""
    parts = _counters(siblings)
    if _is_gone(parts, now_ms):
        return None
    epoch = _epoch(parts)
    totals = [part.totals for part in map(_part, parts) if part.epoch == epoch]
    return sum(total.plus - total.minus for total in totals)


def increment(
    siblings: Siblings,
    by: int,
    *,
    dot: Dot,
    hlc: int,
    exp_ms: int | None,
    now_ms: int,
    was_here: bool,
) -> Written:
    """Add `by`. `was_here`: the key has a log entry, so that an absent counter was swept."""
    parts = _counters(siblings)
    if _is_gone(parts, now_ms) and (parts or was_here):
        return reset(siblings, dot=dot, hlc=hlc, exp_ms=exp_ms, start=by)
    epoch = _epoch(parts)
    own = [s for s in parts if s.dot.replica == dot.replica]
    totals = Totals()
    for part in map(_part, own):
        totals = totals.join(part.totals) if part.epoch == epoch else totals
    part = Part(epoch, _bounded(totals.add(by)))
    return _sibling(part, dot, hlc, exp_ms), tuple(s for s in siblings if s not in own)


def reset(siblings: Siblings, *, dot: Dot, hlc: int, exp_ms: int | None, start: int = 0) -> Written:
    """Begin a new epoch at `start`; increments not seen here are lost with the old one."""
    epoch = Epoch(max(hlc, _epoch(_counters(siblings)).hlc + 1), dot.replica)
    return _sibling(Part(epoch, _bounded(Totals().add(start))), dot, hlc, exp_ms), ()


def _sibling(part: Part, dot: Dot, hlc: int, exp_ms: int | None) -> Sibling:
    return Sibling(dot, hlc, exp_ms, part.text(), RowKind.COUNTER)


def _counters(siblings: Siblings) -> list[Sibling]:
    return [s for s in siblings if s.kind == RowKind.COUNTER]


def _part(sibling: Sibling) -> Part:
    return Part.of(sibling.text)


def _epoch(parts: Siblings) -> Epoch:
    return max((_part(s).epoch for s in parts), default=Epoch())


def _is_gone(parts: Siblings, now_ms: int) -> bool:
    deadline = latest_deadline(parts)
    return deadline is not None and deadline <= now_ms


def _bounded(totals: Totals) -> Totals:
    if max(totals) > INTEGER_ABS_MAX:
        raise LimitExceeded(what="total", name="counter", actual=max(totals), limit=INTEGER_ABS_MAX)
    return totals
