"""Which strategy to use, learned where all costs are known: the closed gap on practice scenarios.

0 is the single best strategy of the training folds, 1 is the best one of each context. Each
scenario has ten folds; the harness that scores them lies beside the data, which are not part of
this project: `MEMTEND_LEARNING_DATA` names the folder, without it there is nothing to measure.

The other side is a plain guarded forest (one multi-output random forest on regrets, weighted by
what is at stake, adopted if five folds of its own training rows say so), in the same folds.
Intervals are bootstrapped over contexts, paired; those of a mean over scenarios resample the
contexts of each, since the scenarios are given. They say nothing of other scenarios.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from memtend.learn.feedback import Feedback, Floats, Ints
from memtend.learn.selecting import fit_selector
from tests.benchmarks.harness import Row

DATA: Final = "MEMTEND_LEARNING_DATA"
MEAN_TARGET: Final = 0.66
WORST_TARGET: Final = -0.02
FIT_TARGET_S: Final = 120.0
RESAMPLED: Final = 1_000
LEVEL: Final = (0.05, 0.95)
SEED: Final = 0
TREES: Final = 150
GUARD_TREES: Final = 30
Chooser = Callable[[Floats], Ints]


class Scored(NamedTuple):
    """Of one scenario: costs of every context's test, and CPU seconds of the slowest fit."""

    chosen: Floats
    single: Floats
    best: Floats
    fit_s: float

    def closed(self, rows: Ints | slice = slice(None)) -> float:
        possible = (self.single[rows] - self.best[rows]).sum()
        return float((self.single[rows] - self.chosen[rows]).sum() / possible)


def rows(_folder: Path) -> Iterator[Row]:
    """Nothing where the data are not there."""
    place = os.environ.get(DATA)
    if not place:
        return
    names = sorted(path.stem for path in Path(place, "aslib").glob("*.npz"))
    yield from compared_over(names, Path(place))


def compared_over(names: Sequence[str], place: Path) -> Iterator[Row]:
    harness = _harness(place)
    ours: dict[str, Scored] = {}
    plain: dict[str, Scored] = {}
    for name in names:
        ours[name] = _scored(harness, fit_ours, name, place)
        plain[name] = _scored(harness, fit_plain, name, place)
        yield _row(f"closed gap, {name}", ours, plain, [name])
    mean = _row(f"closed gap, mean of {len(names)} scenarios", ours, plain, names)
    yield mean._replace(target=MEAN_TARGET)
    worst = min(names, key=lambda name: ours[name].closed())
    yield _row(f"closed gap, the worst: {worst}", ours, plain, [worst])._replace(
        target=WORST_TARGET
    )
    slow = max(names, key=lambda name: ours[name].fit_s)
    taken, other = ours[slow].fit_s, plain[slow].fit_s
    yield Row(
        "CPU of the slowest fit", len(ours[slow].chosen), "s", taken, "a guarded forest", other,
        taken / other, taken / other, taken / other, FIT_TARGET_S, "lower", "ours",
    )  # fmt: skip


def fit_ours(X: Floats, strategies: list[str], costs: Floats, info: dict[str, Any]) -> Chooser:
    feedback = Feedback(X=X, costs=costs, strategies=tuple(strategies))
    return fit_selector(feedback, seed=SEED).selector.choose


def fit_plain(X: Floats, strategies: list[str], costs: Floats, info: dict[str, Any]) -> Chooser:
    """The forest that `LEARNING.md` measured, as plain scikit-learn."""
    from sklearn.model_selection import KFold  # noqa: PLC0415

    single = int(costs.mean(axis=0).argmin())
    regret = costs - costs.min(axis=1, keepdims=True)
    weight = regret.mean(axis=1) / regret.mean()
    gain = np.zeros(len(X))
    for early, late in KFold(5, shuffle=True, random_state=SEED).split(X):
        forest = _forest(X[early], regret[early], weight[early], GUARD_TREES)
        chosen = forest.predict(X[late]).argmin(axis=1)
        gain[late] = costs[late, single] - costs[late, chosen]
    if gain.mean() <= gain.std() / np.sqrt(len(gain)):
        return lambda asked: np.full(len(asked), single, dtype=np.int64)
    whole = _forest(X, regret, weight, TREES)
    return lambda asked: np.asarray(whole.predict(asked).argmin(axis=1))


def _forest(X: Floats, regret: Floats, weight: Floats, trees: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415

    forest = RandomForestRegressor(trees, max_features=1 / 3, random_state=SEED)
    return forest.fit(X, regret, sample_weight=weight)


def _scored(harness: Any, fit: Callable[..., Chooser], name: str, place: Path) -> Scored:
    spent = []

    def timed(X: Floats, strategies: list[str], costs: Floats, info: dict[str, Any]) -> Chooser:
        began = time.process_time()
        chooser = fit(X, strategies, costs, info)
        spent.append(time.process_time() - began)
        return chooser

    _facts, found = harness.score_one(timed, name, root=str(place / "aslib"), mode="full")
    return Scored(found["chosen"], found["sbs"], found["vbs"], max(spent))


def _row(name: str, ours: dict[str, Scored], plain: dict[str, Scored], names: Sequence[str]) -> Row:
    """`ratio` and its interval are ours less theirs: a ratio of gaps says little near zero."""
    rng = np.random.default_rng(SEED)
    mine = float(np.mean([ours[one].closed() for one in names]))
    theirs = float(np.mean([plain[one].closed() for one in names]))
    own, apart = np.zeros(RESAMPLED), np.zeros(RESAMPLED)
    for one in names:
        n = len(ours[one].chosen)
        for turn in range(RESAMPLED):
            drawn = rng.integers(0, n, n)
            closed = ours[one].closed(drawn)
            own[turn] += closed / len(names)
            apart[turn] += (closed - plain[one].closed(drawn)) / len(names)
    low, high = np.quantile(own, LEVEL)
    less, more = np.quantile(apart, LEVEL)
    size = sum(len(ours[one].chosen) for one in names)
    against = f"a guarded forest (ours 90 %: {low:.3f} to {high:.3f})"
    return Row(
        name, size, "closed", mine, against, theirs, mine - theirs, float(less), float(more),
        None, "higher", "ours", RESAMPLED,
    )  # fmt: skip


def _harness(place: Path) -> Any:
    path = place / "harness" / "score_selection.py"
    spec = importlib.util.spec_from_file_location("score_selection", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
