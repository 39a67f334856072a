"""Learning from logs that know only what was tried: closed gaps, coverage, worlds without signal.

The log of a scenario follows the single best strategy except for a share of rows in which any
strategy is tried as likely; 0 is that strategy, 1 the best one of each context. The harness that
scores lies beside the data, which are not part of this project: `MEMTEND_LEARNING_DATA` names the
folder. Coverage and the worlds without signal are of generated worlds and need no data.

`python -m tests.benchmarks.learning_bandit 0.3 ASP-POTASSCO,CPMP-2015` prints some scenarios.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from memtend.learn.bandit.fitting import fit_from_bandit
from memtend.learn.feedback import Feedback, Floats, Ints
from memtend.learn.offpolicy import Estimate, Logged, deterministic, difference, sndr, snips
from tests.benchmarks.harness import Row
from tests.benchmarks.learning_selection import DATA, LEVEL, RESAMPLED, SEED, Scored, _harness
from tests.fixtures.worlds import World

SCENARIOS: Final = (
    "ASP-POTASSCO", "CPMP-2015", "CSP-2010", "MAXSAT12-PMS", "MAXSAT15-PMS-INDU", "QBF-2011",
    "QBF-2014", "SAT11-RAND", "SAT12-HAND", "SAT12-INDU",
)  # fmt: skip
"""Those of 500 to 2,000 rows, with 2 to 31 strategies."""
MEAN_TARGETS: Final = {0.3: 0.48, 0.1: 0.32}
WORST_TARGET: Final = -0.05
COVERAGE_LOGS: Final = 300
NULL_RUNS: Final = 200
NULL_TARGET: Final = 0.95
HARM: Final = 0.002
Chooser = Callable[[Floats], Ints]


def rows(_folder: Path) -> Iterator[Row]:
    """Without the data only what is measured on generated worlds."""
    yield from coverage(COVERAGE_LOGS)
    yield harmless(NULL_RUNS)
    place = os.environ.get(DATA)
    if place:
        for explored in MEAN_TARGETS:
            yield from closed_gaps(SCENARIOS, Path(place), explored)
        yield from open_bandit(Path(place))


def closed_gaps(names: Sequence[str], place: Path, explored: float) -> Iterator[Row]:
    harness, found = _harness(place), {}
    for name in names:
        found[name] = _scored(harness, name, place, explored)
        yield _gap(f"closed gap, {explored:.0%} explored, {name}", [found[name]], None)
    every = list(found.values())
    named = f"closed gap, {explored:.0%} explored, mean of {len(names)} scenarios"
    yield _gap(named, every, MEAN_TARGETS[explored])
    worst = min(names, key=lambda name: found[name].closed())
    named = f"closed gap, {explored:.0%} explored, the worst: {worst}"
    yield _gap(named, [found[worst]], WORST_TARGET)


def coverage(logs: int) -> Iterator[Row]:
    """How often 90 % intervals of what a policy costs held the truth."""
    for explored, n in ((0.3, 500), (0.3, 2_000), (0.1, 2_000)):
        held = np.array([_held(turn, n, explored) for turn in range(logs)])
        for name, share in zip(
            ("self-normalized", "doubly robust", "difference"), held.T, strict=True
        ):
            error = 1.645 * np.sqrt(share.mean() * (1 - share.mean()) / logs)
            yield Row(
                f"coverage, {name}, {explored:.0%} explored", n, "share", float(share.mean()),
                f"{logs} logs, 86 to 94 % wanted", 0.9, float(share.mean() / 0.9),
                float(share.mean() - error), float(share.mean() + error), 0.86, "higher", "ours",
                logs,
            )  # fmt: skip


def harmless(runs: int) -> Row:
    """Worlds in which one strategy is best everywhere: how often nothing got worse."""
    fine, stays = 0, 0
    for turn in range(runs):
        world = World("null", turn)
        chooser = fit_from_bandit(world.log(500, seed=turn).feedback(), seed=SEED).selector
        X = world.contexts(2_000, np.random.default_rng([turn, 1]))
        chosen, cost = chooser.choose(X), world.truth(X).cost
        fine += cost[np.arange(len(X)), chosen].mean() <= cost[:, world.incumbent].mean() * (
            1 + HARM
        )
        stays += bool((chosen == world.incumbent).all())
    share = fine / runs
    error = 1.645 * float(np.sqrt(share * (1 - share) / runs))
    return Row(
        "no harm without signal", 500, "share", share, f"{stays} of {runs} runs never deviate",
        1.0, share, share - error, min(1.0, share + error), NULL_TARGET, "higher", "ours", runs,
    )  # fmt: skip


def open_bandit(place: Path) -> Iterator[Row]:
    """What the uniform policy earns, from the log of one that samples (Thompson), beside what it
    did earn in its own log."""
    for audience in ("men", "women"):
        other = np.load(place / "obd" / f"{audience}_bts.npz")
        uniform = np.load(place / "obd" / f"{audience}_random.npz")
        items = int(max(other["item"].max(), uniform["item"].max())) + 1
        log = Logged(
            other["item"].astype(np.int64), -other["click"].astype(np.float64),
            other["p"].astype(np.float64),
        )  # fmt: skip
        found = snips(log, np.full((len(log.cost), items), 1 / items))
        truth = float(uniform["click"].mean())
        yield Row(
            f"clicks of the uniform policy, {audience}", len(log.cost), "share", -found.value,
            "its own log", truth, -found.value / truth, -found.high, -found.low, None, "higher",
            "ours",
        )  # fmt: skip


def _held(turn: int, n: int, explored: float) -> tuple[bool, bool, bool]:
    world = World("rich", turn % 20)
    log = world.log(n, epsilon=explored, seed=1_000 + turn)
    tilt = np.random.default_rng(turn).normal(0, 0.015, (log.X.shape[1], 6))

    def policy(X: Floats) -> Ints:
        told = world.truth(X).cost + 0.1 * np.sin(np.nan_to_num(X) @ tilt)
        return np.asarray(told.argmin(axis=1))

    many = world.contexts(20_000, np.random.default_rng(9))
    cost, at = world.truth(many).cost, np.arange(20_000)
    truth, base = cost[at, policy(many)].mean(), cost[:, world.incumbent].mean()
    seen = Logged(log.logged, log.cost, log.propensity[np.arange(n), log.logged])
    target = deterministic(policy(log.X), 6)
    stays = deterministic(np.full(n, world.incumbent), 6)
    told = _unseen(log.X, log.logged, log.cost)
    one: Estimate = sndr(seen, target, told)
    apart = difference(seen, target, stays, told)
    return snips(seen, target).covers(truth), one.covers(truth), apart.covers(truth - base)


def _unseen(X: Floats, strategy: Ints, cost: Floats) -> Floats:
    """Ridge regressions, cross-fitted: a poor model is what an interval must bear."""
    design = np.c_[
        np.ones(len(X)), (np.nan_to_num(X) - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
    ]
    told, part = np.empty((len(X), 6)), np.arange(len(X)) % 4
    for fold in range(4):
        for one in range(6):
            rows_ = (part != fold) & (strategy == one)
            mean = cost[part != fold].mean()
            bend = design[rows_].T @ design[rows_] + 20 * np.eye(design.shape[1])
            weights = np.linalg.solve(bend, design[rows_].T @ (cost[rows_] - mean))
            told[part == fold, one] = design[part == fold] @ weights + mean
    return told


def _scored(harness: Any, name: str, place: Path, explored: float) -> Scored:
    spent = []

    def fit(X: Floats, strategies: list[str], costs: Floats, info: dict[str, Any]) -> Chooser:
        feedback = Feedback(
            X=X, costs=costs, strategies=tuple(strategies), logged=info["logged"],
            propensity=info["propensity"], incumbent=info["logging_best"],
        )  # fmt: skip
        began = time.process_time()
        fitted = fit_from_bandit(feedback, seed=SEED)
        spent.append(time.process_time() - began)
        return fitted.selector.choose

    _facts, found = harness.score_one(
        fit, name, root=str(place / "aslib"), mode="bandit", eps=explored, n_train=2_000
    )
    return Scored(found["chosen"], found["sbs"], found["vbs"], max(spent))


def _gap(name: str, scored: Sequence[Scored], target: float | None) -> Row:
    rng = np.random.default_rng(SEED)
    drawn = np.zeros(RESAMPLED)
    for one in scored:
        n = len(one.chosen)
        drawn += [one.closed(rng.integers(0, n, n)) / len(scored) for _ in range(RESAMPLED)]
    low, high = np.quantile(drawn, LEVEL)
    mean = float(np.mean([one.closed() for one in scored]))
    slowest = max(one.fit_s for one in scored)
    return Row(
        name, sum(len(one.chosen) for one in scored), "closed", mean,
        f"the single best strategy (slowest fit {slowest:.0f} s of CPU)", 0.0, mean, float(low),
        float(high), target, "higher", "ours", RESAMPLED,
    )  # fmt: skip


if __name__ == "__main__":
    for row in closed_gaps(sys.argv[2].split(","), Path(os.environ[DATA]), float(sys.argv[1])):
        print(row)
