"""The gate: which policy is adopted at a price, and why the others are not.

The forest decides where it saves beyond its interval, the table where only it does, and what was in
force everywhere else. A class of the table that nothing held out speaks for keeps its incumbent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from memtend.learn.ttl.classes import ClassTable
from memtend.learn.ttl.fitted import ClassTtl, Curve, Estimate, FitReport, FittedTtl
from memtend.learn.ttl.frontier import frontier
from memtend.learn.ttl.incumbents import Given, incumbents
from memtend.learn.ttl.judging import Saving, estimate, saving
from memtend.learn.ttl.objective import Price, costs
from memtend.learn.ttl.policy import TtlPolicy
from memtend.learn.ttl.rows import Drawn, Row, curve_of
from memtend.learn.ttl.shifting import drifted, tilt

if TYPE_CHECKING:
    from memtend.learn.ttl.fitting import Learned

Floats = NDArray[np.float64]
LATER_MIN: Final = 20  # held-out accesses of a class, for it to be judged by its own


@dataclass(frozen=True, eq=False)
class Decision:
    learned: Learned
    break_even_s: float
    given: Given

    def fitted(self) -> FittedTtl:
        learned, price = self.learned, self.price
        of_access, of_class = self.estimates
        kind, reasons = self._kind()
        rows, shown = self._rows(reasons, kind)
        codes = {name: code for code, name in enumerate(learned.names)}
        adopted = {codes[row.name] for row in rows if row.adopted}
        report = FitReport(
            len(learned.all.gaps), len(rows), int((~learned.all.gaps.event).sum()),
            float(learned.all.gaps.size.mean()), kind, tuple(reasons),
            tuple(learned.names[code] for code in self.drifted),
        )  # fmt: skip
        return FittedTtl(
            self._policy(kind, adopted), price, of_access if kind == "access" else of_class,
            of_class, report, tuple(rows), tuple(shown),
            frontier(
                learned.later, self._old_before[learned.later.cls], price, learned.bounds,
                learned.past.classes, learned.past.forest,
            ),
        )  # fmt: skip

    @cached_property
    def price(self) -> Price:
        return Price.of(self.break_even_s, float(self.learned.all.gaps.size.mean()))

    @cached_property
    def estimates(self) -> tuple[Estimate, Estimate]:
        """Of the forest (of the table where there is none) and of the table."""
        old = self._old_before[self.learned.later.cls]
        seed, later = self.learned.seed, self.learned.later
        of_class = estimate("class", later, self._table_s, old, self.price, seed)
        if self._forest_s is None:
            return of_class, of_class
        return estimate("access", later, self._forest_s, old, self.price, seed), of_class

    @cached_property
    def drifted(self) -> tuple[int, ...]:
        learned = self.learned
        return drifted(learned.past.classes, learned.later, self.break_even_s)

    @cached_property
    def _old_before(self) -> Floats:
        learned = self.learned
        return incumbents(learned.past.gaps, learned.names, self.price, self.given, *learned.bounds)

    @cached_property
    def _old(self) -> Floats:
        learned = self.learned
        return incumbents(learned.all.gaps, learned.names, self.price, self.given, *learned.bounds)

    @cached_property
    def _table_s(self) -> Floats:
        learned = self.learned
        table = learned.past.classes.table(self.price.rate, *learned.bounds)
        return table.ttl(learned.later.cls, learned.later.size)

    @cached_property
    def _forest_s(self) -> Floats | None:
        learned = self.learned
        if learned.past.forest is None:
            return None
        later = learned.later
        return learned.past.forest.ttl(later.X, self.price.rate * later.size, *learned.bounds)

    def _kind(self) -> tuple[str, list[str]]:
        of_access, of_class = self.estimates
        reasons = []
        if self.learned.past.forest is None:
            reasons.append("too few accesses for a forest: only the table was tried")
        elif of_access.saving_low <= 0:
            reasons.append(f"the forest is not proven to save: {_told(of_access)}")
        else:
            worse = saving(*self._both(), self.learned.seed)
            if worse.high >= 0:
                return "access", [f"the forest saves: {_told(of_access)}"]
            reasons.append("the table saves more than the forest beyond its interval")
        if of_class.saving_low > 0:
            return "class", [*reasons, f"the table saves: {_told(of_class)}"]
        return "incumbent", [*reasons, f"the table is not proven to save: {_told(of_class)}"]

    def _both(self) -> tuple[Floats, Floats]:
        later = self.learned.later
        forest_s = self._table_s if self._forest_s is None else self._forest_s
        return costs(later, forest_s, self.price), costs(later, self._table_s, self.price)

    def _policy(self, kind: str, adopted: set[int]) -> TtlPolicy:
        learned, bounds = self.learned, self.learned.bounds
        rate = self.price.rate
        table = learned.all.classes.table(rate, *bounds)
        if kind == "access" and learned.past.forest is not None:
            rate *= tilt(learned.past.forest, learned.later, self.price, bounds, learned.seed)
        keeps = np.array([code not in adopted for code in range(len(learned.names))])
        table = ClassTable(
            table.edges, np.where(keeps[:, None], self._old[:, None], table.cells),
            np.where(keeps, self._old, table.whole),
        )  # fmt: skip
        default = float(np.median(table.whole))
        return TtlPolicy(
            kind, learned.names, rate, *bounds, default, table,
            learned.all.forest if kind == "access" else None,
        )  # fmt: skip

    def _rows(self, reasons: list[str], kind: str) -> tuple[list[ClassTtl], list[Curve]]:
        learned, price = self.learned, self.price
        table = learned.all.classes.table(price.rate, *learned.bounds)
        before = learned.past.classes.table(price.rate, *learned.bounds)
        rows, shown = [], []
        for code in sorted(set(learned.all.gaps.cls.tolist()), key=lambda one: learned.names[one]):
            own = learned.all.gaps.where(learned.all.gaps.cls == code)
            later = learned.later.where(learned.later.cls == code)
            drawn = Drawn.of(own, learned.all.classes, code, learned.seed)
            low_s, high_s = drawn.ttl_interval(price, learned.bounds)
            ttl_s = float(table.whole[code])
            row = Row(
                learned.names[code], code, own, later, ttl_s, min(low_s, ttl_s),
                max(high_s, ttl_s), float(self._old[code]), float(before.whole[code]),
                float(self._old_before[code]), code in self.drifted,
            )  # fmt: skip
            found = row.saved(price, learned.seed)
            told = row.told(price, found, self._adopts(found, row), table.bands(code))
            rows.append(told)
            shown.append(curve_of(told, drawn, learned.all.classes.whole[code]))
        return rows, shown

    def _adopts(self, found: Saving, row: Row) -> bool:
        """By its own held-out accesses; few of them, or none, by those of all classes together."""
        if found.low > 0:
            return len(row.later) >= LATER_MIN
        proven = self.estimates[1].saving_low > 0
        if self.given is None:  # nothing is in force that could be lost
            return proven and not (len(row.later) >= LATER_MIN and found.high < 0)
        return False


def _told(found: Estimate) -> str:
    return (
        f"{found.saving:+.4f} misses an access ({found.saving_low:+.4f} to "
        f"{found.saving_high:+.4f}) over {found.accesses:,} held out"
    )
