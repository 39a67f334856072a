"""Counters (CRDT_SPEC 3.2, 3.3): every replica raises its own totals and nobody else's.

Running totals, not increments, are what replicas exchange: hearing one twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from memtend.crdt.base import HLC_MAX, Json, entries, integer, items, sorted_object
from memtend.crdt.causal import join


class Totals(NamedTuple):
    """What one replica has added and taken away so far."""

    plus: int = 0
    minus: int = 0

    def add(self, by: int) -> Totals:
        return Totals(self.plus + max(by, 0), self.minus + max(-by, 0))

    def join(self, other: Totals) -> Totals:
        return Totals(max(self.plus, other.plus), max(self.minus, other.minus))


@dataclass(frozen=True, slots=True)
class GCounter:
    """A counter that only grows."""

    totals: Mapping[str, int] = field(default_factory=dict)

    @property
    def value(self) -> int:
        return sum(self.totals.values())

    def increment(self, replica: str, by: int = 1) -> GCounter:
        if by < 1:
            raise ValueError("a G-Counter only grows")
        return GCounter({**self.totals, replica: self.totals.get(replica, 0) + by})

    def merge(self, other: GCounter) -> GCounter:
        return GCounter(join(self.totals, other.totals))

    def delta(self, known: GCounter) -> GCounter:
        newer = {r: n for r, n in self.totals.items() if n > known.totals.get(r, 0)}
        return GCounter(newer)

    def encode(self) -> Json:
        return sorted_object(self.totals)

    @classmethod
    def decode(cls, data: Json) -> Self:
        return cls({replica: integer(n) for replica, n in entries(data).items()})


@dataclass(frozen=True, slots=True)
class PNCounter:
    """A counter that can go down and be reset.

    A reset starts a new epoch. The greater epoch wins whole, so increments made at the same time
    as a reset are lost with the old one.
    """

    epoch: int = 0
    totals: Mapping[str, Totals] = field(default_factory=dict)

    @property
    def value(self) -> int:
        return sum(total.plus - total.minus for total in self.totals.values())

    def increment(self, replica: str, by: int = 1) -> PNCounter:
        mine = self.totals.get(replica, Totals()).add(by)
        return PNCounter(self.epoch, {**self.totals, replica: mine})

    def reset(self, hlc: int) -> PNCounter:
        """Start again from zero; `hlc` is the timestamp of the reset."""
        return PNCounter(max(hlc, self.epoch + 1))

    def merge(self, other: PNCounter) -> PNCounter:
        if self.epoch != other.epoch:
            return self if self.epoch > other.epoch else other
        joined = dict(self.totals)
        for replica, totals in other.totals.items():
            joined[replica] = joined.get(replica, Totals()).join(totals)
        return PNCounter(self.epoch, joined)

    def delta(self, known: PNCounter) -> PNCounter:
        if self.epoch != known.epoch:
            return self if self.epoch > known.epoch else PNCounter()
        old = known.totals
        news = {r: t for r, t in self.totals.items() if r not in old or old[r].join(t) != old[r]}
        return PNCounter(self.epoch, news)

    def encode(self) -> Json:
        return [
            self.epoch,
            {replica: list(self.totals[replica]) for replica in sorted(self.totals)},
        ]

    @classmethod
    def decode(cls, data: Json) -> Self:
        epoch, totals = items(data, 2)
        pairs = {replica: items(pair, 2) for replica, pair in entries(totals).items()}
        parsed = {r: Totals(integer(plus), integer(minus)) for r, (plus, minus) in pairs.items()}
        return cls(integer(epoch, HLC_MAX), parsed)
