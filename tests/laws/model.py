"""What the replicas must agree with: a set of writes, and a set of writes known to be undone.

The model merges by union and nothing else, so it converges by construction. It knows no vectors,
logs, floors or deltas.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from memtend.crdt.causal import Dot
from memtend.crdt.rows import Sibling
from memtend.crdt.tally import Epoch
from memtend.limits import SWEEP_MARGIN_MS


class Write(NamedTuple):
    """One put, increment or reset. `number` is its identity; `dot` only tells which write it is
    that a returning replica offers again, and which of two wins at the same time.
    """

    number: int
    key: str
    owner: str
    hlc: int
    exp_ms: int | None
    text: bytes = b""
    epoch: Epoch = Epoch()
    total: int = 0
    dot: Dot = Dot("", 0)

    @property
    def sibling(self) -> Sibling:
        return Sibling(self.dot, self.hlc, self.exp_ms, self.text)

    def is_past(self, at_ms: int) -> bool:
        return self.exp_ms is not None and self.exp_ms <= at_ms


@dataclass
class Model:
    writes: set[Write] = field(default_factory=set)
    undone: set[Write] = field(default_factory=set)

    def copy(self) -> Model:
        return Model(set(self.writes), set(self.undone))

    def merge(self, other: Model) -> None:
        self.writes |= other.writes
        self.undone |= other.undone

    def at(self, key: str) -> list[Write]:
        return [w for w in self.writes - self.undone if w.key == key]

    def write(self, new: Write, replaced: list[Write]) -> None:
        self.writes.add(new)
        self.undone.update(replaced)

    def sweep(self, key: str, now_ms: int, *, together: bool, heard_ms: int) -> None:
        alive, edge_ms = self.at(key), now_ms - SWEEP_MARGIN_MS
        if together:
            last_ms = min(edge_ms, heard_ms - SWEEP_MARGIN_MS)
            self.undone.update(alive if all(w.is_past(last_ms) for w in alive) else ())
        else:
            self.undone.update(w for w in alive if w.is_past(edge_ms))

    def tally(self, key: str, now_ms: int) -> int | None:
        """The sum of the surviving increments of the newest epoch."""
        alive = self.at(key)
        if all(w.is_past(now_ms) for w in alive):
            return None
        newest = max(w.epoch for w in alive)
        return sum(w.total for w in alive if w.epoch == newest)
