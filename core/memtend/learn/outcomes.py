"""Outcomes as a table to learn from: what each one cost, and what was left out.

The order is that of time, whatever order they came in. Nothing disappears unsaid: who was excluded
and what named no strategy is counted in `left_out`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from memtend.errors import OutcomesUnusable
from memtend.learn.feedback import Feedback, Floats, Ints
from memtend.learn.propensities import estimated_propensities
from memtend.limits_learning import STRATEGIES_MAX
from memtend.model.ended import Ended
from memtend.model.learnpolicy import LearnPolicy, Objective

TIMEOUT: Final = "timeout"
UNITS_MAX: Final = 5.0
_CENSORED: Final = 2.0
"""A task that was given up would have gone on: its time counts twice."""


class LeftOut(NamedTuple):
    """So many outcomes that nothing is learned from."""

    why: str
    outcomes: int


class Scale(NamedTuple):
    """What one unit of time and of money is; None where none was ever recorded."""

    duration_s: float | None
    cost: float | None


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeTable:
    """`cost` is what the objective makes of each outcome, lower is better."""

    rows: tuple[Ended, ...]
    strategies: tuple[str, ...]
    logged: Ints
    success: Floats
    cost: Floats
    scale: Scale
    left_out: tuple[LeftOut, ...]
    excluded: tuple[tuple[str, int], ...]
    writers: tuple[str, ...]
    objective: Objective
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, rows: Iterable[Ended], policy: LearnPolicy, *, excluding: Collection[str] = ()
    ) -> OutcomeTable:
        """Raises `OutcomesUnusable` where none is left."""
        kept, left_out, excluded = _kept(rows, policy, {*policy.writers_excluded, *excluding})
        if not kept:
            why = "none names its strategy"
            if excluded:
                why = "the writers of all that name their strategy are excluded"
            raise OutcomesUnusable(why=why)
        strategies = tuple(sorted({str(row.strategy) for row in kept}))
        code = {name: at for at, name in enumerate(strategies)}
        scale = scale_of(kept, policy.objective)
        return cls(
            rows=tuple(kept),
            strategies=strategies,
            logged=np.array([code[str(row.strategy)] for row in kept], dtype=np.int64),
            success=np.array([row.success for row in kept], dtype=np.float64),
            cost=costs_of(kept, policy.objective, scale),
            scale=scale,
            left_out=tuple(left_out),
            excluded=tuple(excluded),
            writers=tuple(sorted({row.writer for row in kept if row.writer is not None})),
            objective=policy.objective,
            notes=tuple(_notes(kept, policy.objective)),
        )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def at_ms(self) -> Ints:
        return np.array([row.at_ms for row in self.rows], dtype=np.int64)

    def propensities(self) -> Floats:
        """Of every strategy, each row; estimated where nobody wrote them down."""
        recorded = np.array([row.propensity or np.nan for row in self.rows], dtype=np.float64)
        kinds = [row.task_type for row in self.rows]
        return estimated_propensities(kinds, self.logged, len(self.strategies), recorded)

    def feedback(
        self, X: Floats, names: tuple[str, ...] = (), incumbent: str | None = None
    ) -> Feedback:
        """One observed strategy a row. Propensities that nobody recorded are estimated."""
        n, m = len(self.rows), len(self.strategies)
        costs = np.full((n, m), np.nan)
        costs[np.arange(n), self.logged] = self.cost
        writer = {name: at for at, name in enumerate(self.writers)}
        at = self.at_ms.astype(np.float64)
        known = incumbent is not None and incumbent in self.strategies
        return Feedback(
            X=X,
            costs=costs,
            strategies=self.strategies,
            logged=self.logged,
            propensity=self.propensities(),
            success=self.success,
            incumbent=self.strategies.index(str(incumbent)) if known else None,
            at=at,
            writer=np.array([writer.get(str(row.writer), -1) for row in self.rows], np.int64),
            feature_names=names,
        )


def scale_of(rows: Iterable[Ended], objective: Objective) -> Scale:
    """The medians of what is recorded, where the objective says none."""
    kept = list(rows)
    ended = [row for row in kept if row.result != TIMEOUT] or kept
    return Scale(
        objective.duration_full_s or _median([row.duration_s for row in ended]),
        objective.cost_full or _median([row.cost for row in ended]),
    )


def costs_of(rows: Iterable[Ended], objective: Objective, scale: Scale) -> Floats:
    """What is not recorded counts as one unit, which favours nobody."""
    found = []
    for row in rows:
        total = objective.failure * (1 - row.success)
        if scale.duration_s:
            units = 1.0 if row.duration_s is None else row.duration_s / scale.duration_s
            units *= _CENSORED if row.result == TIMEOUT else 1
            total += objective.duration * min(units, UNITS_MAX)
        if scale.cost:
            units = 1.0 if row.cost is None else row.cost / scale.cost
            total += objective.price * min(units, UNITS_MAX)
        found.append(total)
    return np.array(found, dtype=np.float64)


def _kept(
    rows: Iterable[Ended], policy: LearnPolicy, excluded: set[str]
) -> tuple[list[Ended], list[LeftOut], list[tuple[str, int]]]:
    by_id = {row.outcome_id: row for row in rows}
    order = sorted(by_id.values(), key=lambda row: (row.at_ms, row.outcome_id))
    without = [row for row in order if row.strategy is None]
    by_writer = Counter(row.writer for row in order if row.writer in excluded)
    kept = [row for row in order if row.strategy is not None and row.writer not in excluded]
    counts = Counter(row.strategy for row in kept)
    ranked = sorted(counts, key=lambda name: (-counts[name], str(name)))
    rare = set(ranked[STRATEGIES_MAX:])
    common = [row for row in kept if row.strategy not in rare]
    latest = common[-policy.outcomes_max :]
    told = {
        "no strategy is named": len(without),
        "the writer is excluded": by_writer.total(),
        f"a strategy beyond the {STRATEGIES_MAX} most frequent": len(kept) - len(common),
        f"older than the latest {policy.outcomes_max:,}": len(common) - len(latest),
    }
    left_out = [LeftOut(why, count) for why, count in told.items() if count]
    return latest, left_out, sorted((str(name), count) for name, count in by_writer.items())


def _notes(rows: list[Ended], objective: Objective) -> list[str]:
    n = len(rows)
    unknown = sum(row.propensity is None for row in rows)
    times = sum(row.duration_s is None for row in rows)
    timeouts = sum(row.result == TIMEOUT for row in rows)
    notes = []
    if unknown:
        notes.append(
            f"the propensity of {unknown:,} of {n:,} outcomes was not recorded and is estimated "
            "from how often each strategy was followed in tasks of the type"
        )
    if 0 < times < n and objective.duration:
        notes.append(f"{times:,} of {n:,} outcomes say no time and count as the median")
    if timeouts and objective.duration:
        notes.append(f"{timeouts:,} time-outs count as twice the time after which they were ended")
    return notes


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value]
    return float(np.median(known)) if known else None
