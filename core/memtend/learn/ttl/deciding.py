"""The gate: which policy is adopted at a price, and why the others are not.

The forest decides where it stands on held-out time, the table where only it does, and what was in
force everywhere else. A class of the table that nothing held out speaks for keeps its incumbent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from memtend.learn.feedback import Floats
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

LATER_MIN: Final = 20  # held-out accesses of a class, for it to be judged by its own
JUDGED_MIN: Final = 50  # held-out accesses, for anything in force to be changed


@dataclass(frozen=True, eq=False)
class Decision:
    learned: Learned
    break_even_s: float
    given: Given

    def fitted(self) -> FittedTtl:
        learned, price = self.learned, self.price
        of_access, of_class = self.estimates
        kind, reasons = self._kind()
        rows, shown = self._rows()
        report = FitReport(
            len(learned.all.gaps), len(rows), int((~learned.all.gaps.event).sum()),
            float(learned.all.gaps.size.mean()), kind, tuple(reasons),
            tuple(learned.names[code] for code in self.drifted),
        )  # fmt: skip
        return FittedTtl(
            self._policy(kind), price, of_access if kind == "access" else of_class, report,
            tuple(rows), tuple(shown), frontier(
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
        count = len(learned.names)
        return drifted(learned.past.gaps, learned.later, count, self.break_even_s)

    @cached_property
    def _old_before(self) -> Floats:
        learned = self.learned
        return incumbents(learned.past.gaps, learned.names, self.price, self.given, *learned.bounds)

    @cached_property
    def _old(self) -> Floats:
        learned = self.learned
        return incumbents(learned.all.gaps, learned.names, self.price, self.given, *learned.bounds)

    @cached_property
    def _before(self) -> ClassTable:
        """What the past alone would have asked for."""
        return self.learned.past.classes.table(self.price.rate, *self.learned.bounds)

    @cached_property
    def _table(self) -> ClassTable:
        return self.learned.all.classes.table(self.price.rate, *self.learned.bounds)

    @cached_property
    def _table_s(self) -> Floats:
        return self._before.ttl(self.learned.later.cls, self.learned.later.size)

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
        elif not self._stands(of_access):
            reasons.append(f"the forest does not stand: {_told(of_access)}")
        else:
            worse = saving(*self._both(), self.learned.seed)
            if worse.high >= 0:
                return "access", [f"the forest stands: {_told(of_access)}"]
            reasons.append("the table saves more than the forest beyond its interval")
        if self._stands(of_class):
            return "class", [*reasons, f"the table stands: {_told(of_class)}"]
        return "incumbent", [*reasons, f"the table does not stand: {_told(of_class)}"]

    def _stands(self, found: Estimate | Saving) -> bool:
        """Against what is in force it must save beyond its interval. Against the best fixed TTL of
        the past, which nobody has followed yet, it stands unless it is worse beyond it."""
        if self.given is not None and len(self.learned.later) < JUDGED_MIN:
            return False
        if self.given is None:
            return (found.high if isinstance(found, Saving) else found.saving_high) >= 0
        return (found.low if isinstance(found, Saving) else found.saving_low) > 0

    def _both(self) -> tuple[Floats, Floats]:
        later = self.learned.later
        forest_s = self._table_s if self._forest_s is None else self._forest_s
        return costs(later, forest_s, self.price), costs(later, self._table_s, self.price)

    def _policy(self, kind: str) -> TtlPolicy:
        learned, bounds = self.learned, self.learned.bounds
        rate, table = self.price.rate, self._table
        if kind == "access" and learned.past.forest is not None:
            rate *= tilt(learned.past.forest, learned.later, self.price, bounds, learned.seed)
        finer = () if kind == "incumbent" else self._finer
        keeps = ~np.isin(np.arange(len(learned.names)), list(finer))
        table = ClassTable(
            table.edges, np.where(keeps[:, None], self._old[:, None], table.cells),
            np.where(keeps, self._old, table.whole),
        )  # fmt: skip
        default = float(np.median(table.whole))
        if self.given is not None:
            default = math.inf if isinstance(self.given, Mapping) else float(self.given)
        return TtlPolicy(
            kind, learned.names, rate, *bounds, default, table,
            learned.all.forest if kind == "access" else None,
        )  # fmt: skip

    @cached_property
    def _finer(self) -> frozenset[int]:
        """Classes whose TTLs by size are adopted. Where nothing is in force that could be lost,
        all of them or none."""
        later, price = self.learned.later, self.price
        if self.given is None:
            stands = self._stands(self.estimates[1])
            return frozenset(range(len(self.learned.names)) if stands else ())
        new = costs(later, self._table_s, price)
        old = costs(later, self._old_before[later.cls], price)
        found = set()
        for code in range(len(self.learned.names)):
            own = later.cls == code
            if own.sum() >= LATER_MIN:
                judged = saving(new[own], old[own], self.learned.seed)
                found |= {code} if self._stands(judged) else set()
        return frozenset(found)

    def _rows(self) -> tuple[list[ClassTtl], list[Curve]]:
        learned, price, table, before = self.learned, self.price, self._table, self._before
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
            bands = table.bands(code) if code in self._finer else ()
            told = row.told(price, found, self._adopts(found, row), bands)
            rows.append(told)
            shown.append(curve_of(told, drawn, learned.all.classes.whole[code]))
        return rows, shown

    def _adopts(self, found: Saving, row: Row) -> bool:
        """By its own held-out accesses; where they are few or none, nothing in force is changed."""
        if len(row.later) >= LATER_MIN:
            return self._stands(found)
        return self.given is None and self._stands(self.estimates[1])


def _told(found: Estimate) -> str:
    return (
        f"{found.saving:+.4f} misses an access ({found.saving_low:+.4f} to "
        f"{found.saving_high:+.4f}) over {found.accesses:,} held out"
    )
