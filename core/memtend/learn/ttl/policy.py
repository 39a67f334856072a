"""The policy that serves: seconds to keep an entry after an access. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memtend.learn.feedback import Floats, Ints
from memtend.learn.state import State, nested, part
from memtend.learn.ttl.classes import ClassTable
from memtend.learn.ttl.forest import SurvivalForest


@dataclass(frozen=True, eq=False)
class TtlPolicy:
    """`kind` says what decides: the forest (access), the table (class), or what was in force.

    A class that was not there at the fit has `default_s`, unless the forest decides.
    """

    kind: str  # access | class | incumbent
    class_names: tuple[str, ...]
    rate: float  # misses for a byte and a second
    floor_s: float
    ceiling_s: float
    default_s: float
    table: ClassTable
    forest: SurvivalForest | None

    def ttl(self, X: Floats, cls: Ints, size: Floats) -> Floats:
        """Seconds, one an access. `X` as `features` makes it; of one access, it has one row."""
        if self.kind == "access" and self.forest is not None:
            return self.forest.ttl(X, self.rate * size, self.floor_s, self.ceiling_s)
        known = (cls >= 0) & (cls < len(self.class_names))
        return np.where(known, self.table.ttl(np.where(known, cls, 0), size), self.default_s)

    def state(self) -> State:
        meta = {
            "kind": self.kind, "class_names": list(self.class_names), "rate": self.rate,
            "floor_s": self.floor_s, "ceiling_s": _told(self.ceiling_s),
            "default_s": _told(self.default_s),
        }  # fmt: skip
        parts = {"table": self.table.state()}
        if self.forest is not None:
            parts["forest"] = self.forest.state()
        return nested(parts, meta)

    @classmethod
    def of(cls, state: State) -> TtlPolicy:
        """Raises `KeyError` where something is missing."""
        meta = state.meta
        forest = SurvivalForest.of(part(state, "forest")) if "forest" in meta["parts"] else None
        return cls(
            meta["kind"], tuple(meta["class_names"]), meta["rate"], meta["floor_s"],
            _seconds(meta["ceiling_s"]), _seconds(meta["default_s"]),
            ClassTable.of(part(state, "table")), forest,
        )  # fmt: skip


def _told(seconds: float) -> float | None:
    """For ever has no number in JSON."""
    return seconds if np.isfinite(seconds) else None


def _seconds(told: float | None) -> float:
    return float("inf") if told is None else told
