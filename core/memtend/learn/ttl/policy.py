"""The policy that serves: seconds to keep an entry after an access. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memtend.learn.state import State

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TtlPolicy:
    """A class that was not seen at the fit has `default_s`."""

    class_names: tuple[str, ...]
    class_ttl_s: Floats
    default_s: float

    def ttl(self, X: Floats, cls: Ints, size: Floats) -> Floats:
        """Seconds, one an access. `X` as `features` makes it; of one row, `X` has one row."""
        known = (cls >= 0) & (cls < len(self.class_ttl_s))
        return np.where(known, self.class_ttl_s[np.where(known, cls, 0)], self.default_s)

    def state(self) -> State:
        return State(
            {"class_names": list(self.class_names), "default_s": self.default_s},
            {"class_ttl_s": self.class_ttl_s},
        )

    @classmethod
    def of(cls, state: State) -> TtlPolicy:
        meta = state.meta
        return cls(tuple(meta["class_names"]), state.arrays["class_ttl_s"], meta["default_s"])
