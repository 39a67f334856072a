"""Fit a selector where the cost of every strategy is known, and adopt it only if that pays.

    fitted = fit_selector(feedback, seed=7)
    fitted.selector.choose(X)

The forest is judged by the rows that each of its trees has not seen. It is adopted if it gains more
over the incumbent than one standard error; where times are known, one fitted to the earlier rows
must gain on the later ones, too. Otherwise the single best strategy stays, and the report says why.
The order of the strategies and the unit of the costs change nothing; equal seeds, equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memtend.errors import CostsUnusable
from memtend.learn.feedback import Feedback, Floats, Ints
from memtend.learn.flat import FlatForest
from memtend.learn.gating import STAYS
from memtend.learn.selecting.columns import columns_of, told
from memtend.learn.selecting.growing import Grown, grow
from memtend.learn.selecting.judging import clear, gains, judged
from memtend.learn.selecting.leaves import leaves_of
from memtend.learn.selecting.report import Candidate, SelectionReport
from memtend.learn.selecting.selector import ContrastSelector, without_values
from memtend.learn.selecting.stakes import Stakes
from memtend.learn.single import SingleStrategy

ROWS_MIN: Final = 40
AT_STAKE_MIN: Final = 20
ROWS_MAX: Final = 20_000
"""The latest; more would not fit into the memory that a fit may take."""
_EARLIER: Final = 0.65
POWERS: Final = {"roots of regrets": 2, "regrets": 1}
"""By the name of a candidate. Roots come first: they need no evidence to be preferred."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedSelector:
    selector: ContrastSelector | SingleStrategy
    report: SelectionReport
    grown: Grown | None = None
    columns: tuple[int, ...] = ()
    """Those of the contexts that the trees know, in their order."""

    def estimators(self) -> dict[str, Any]:
        """The trees as scikit-learn knows them. What they predict is what each was grown for; the
        selector has only their shape."""
        trees = () if self.grown is None else self.grown.trees
        return {f"tree_{at:03}": tree for at, tree in enumerate(trees)}


class _Tried(NamedTuple):
    """A forest and what each kind of leaf values says of its own rows, out of bag."""

    grown: Grown
    forest: FlatForest
    places: NDArray[np.int32]
    tables: dict[str, Floats]
    chosen: dict[str, Ints]
    unit: float

    def choose(self, name: str, X: Floats) -> Ints:
        rows = self.places[self.forest.leaves(X)]
        means = np.array([self.tables[name][row].mean(axis=0) for row in rows])
        return np.asarray(means.argmin(axis=1))


def fit_selector(feedback: Feedback, *, seed: int) -> FittedSelector:
    """Raises `CostsUnusable` where a cost is not known, or there is nothing to choose from."""
    _check(feedback)
    feedback = _latest(feedback)
    order = np.array(sorted(range(len(feedback.strategies)), key=feedback.strategies.__getitem__))
    costs = feedback.costs[:, order]
    best = int(order[costs.mean(axis=0).argmin()])
    incumbent = best if feedback.incumbent is None else feedback.incumbent
    at = int(np.flatnonzero(order == incumbent)[0])
    columns = columns_of(feedback)
    report = SelectionReport(
        rows=len(feedback), at_stake=Stakes.of(costs).at_stake, strategies=feedback.strategies,
        incumbent=feedback.strategies[incumbent], features=len(columns.kept),
        dropped=columns.dropped, candidates=(), chosen=None, adopted=False, why="", seed=seed,
    )  # fmt: skip
    single = SingleStrategy.fit(replace(feedback, incumbent=incumbent))
    why = _too_little(report)
    if why:
        return FittedSelector(single, report._replace(why=why))
    X = told(feedback.X[:, columns.kept])
    tried = _try(X, costs, seed)
    rng = np.random.default_rng([seed, 1])
    candidates = [judged(name, costs, tried.chosen[name], at, rng) for name in POWERS]
    name = _preferred(costs, tried.chosen, at)
    adopted, why = _passes(gains(costs, tried.chosen[name], at))
    later = _later(X, costs, feedback.at, name, at, seed) if adopted else None
    if later is not None:
        candidates.append(later)
        if later.gain <= 0:
            adopted = False
            why = f"fitted to the earlier rows it saves nothing on the later ones: {STAYS}"
    report = report._replace(candidates=tuple(candidates), why=why, adopted=adopted)
    if not adopted:
        return FittedSelector(single, report)
    selector = ContrastSelector(
        strategies=feedback.strategies,
        incumbent=incumbent,
        forest=without_values(tried.forest, columns.kept),
        places=tried.places,
        # In the order of rows: `take` copies a table that lies otherwise.
        table=np.ascontiguousarray(tried.tables[name][:, np.argsort(order)], dtype=np.float32),
        power=POWERS[name],
        unit=tried.unit,
    )
    kept = tuple(map(int, columns.kept))
    return FittedSelector(selector, report._replace(chosen=name), tried.grown, kept)


def _check(feedback: Feedback) -> None:
    if feedback.costs.shape != (len(feedback), len(feedback.strategies)):
        raise CostsUnusable(why="there is not one cost for each context and strategy")
    if not feedback.strategies or not len(feedback):
        raise CostsUnusable(why="there is no context or no strategy")
    if not np.isfinite(feedback.costs).all():
        raise CostsUnusable(why="some cost is not known, or not finite")


def _latest(feedback: Feedback) -> Feedback:
    """In the order of time, the last of them."""
    if feedback.at is not None:
        feedback = feedback.rows(np.argsort(feedback.at, kind="stable"))
    return feedback.rows(np.arange(len(feedback))[-ROWS_MAX:])


def _too_little(report: SelectionReport) -> str:
    if len(report.strategies) < 2:
        return f"there is only one strategy: {STAYS}"
    if report.rows < ROWS_MIN:
        return f"{report.rows} rows are too few, {ROWS_MIN} are needed: {STAYS}"
    if report.at_stake < AT_STAKE_MIN:
        return (
            f"only in {report.at_stake} rows does the choice make a difference, {AT_STAKE_MIN} "
            f"are needed: {STAYS}"
        )
    if not report.features:
        return f"nothing in the contexts differs: {STAYS}"
    return ""


def _try(X: Floats, costs: Floats, seed: int) -> _Tried:
    stakes = Stakes.of(costs)
    grown = grow(X, stakes, seed=seed)
    forest = grown.forest()
    leaves = leaves_of(forest.leaves(X), len(forest.features), grown.mass)
    tables = {name: leaves.values(stakes.regret ** (1 / power)) for name, power in POWERS.items()}
    chosen = {name: leaves.out_of_bag(table).argmin(axis=1) for name, table in tables.items()}
    return _Tried(grown, forest, leaves.places, tables, chosen, stakes.unit)


def _preferred(costs: Floats, chosen: dict[str, Ints], incumbent: int) -> str:
    """The first candidate, unless another one is better beyond the error of their difference."""
    first, *others = chosen
    for name in others:
        if clear(gains(costs, chosen[name], incumbent) - gains(costs, chosen[first], incumbent)):
            return name
    return first


def _passes(gain: Floats) -> tuple[bool, str]:
    if clear(gain):
        return True, "what it saves on rows it had not seen is beyond its error"
    return False, f"that it saves anything is within its error: {STAYS}"


def _later(
    X: Floats, costs: Floats, at: Floats | None, name: str, incumbent: int, seed: int
) -> Candidate | None:
    """What a forest fitted to the earlier rows gains on the later ones; None where times do not
    tell enough of them apart. Rows are in the order of time."""
    if at is None:
        return None
    cut = int(np.searchsorted(at, at[int(_EARLIER * len(at))]))
    early, late = costs[:cut], costs[cut:]
    if cut < ROWS_MIN or Stakes.of(early).at_stake < AT_STAKE_MIN:
        return None
    chosen = _try(X[:cut], early, seed).choose(name, X[cut:])
    rng = np.random.default_rng([seed, 2])
    return judged(f"{name}, on later rows", late, chosen, incumbent, rng)
