"""A recommender of strategies: what a fit costs in CPU and memory, and how long an answer takes.

Ten strategies, of which the context decides which is best. `followed`: one strategy a task, as
agents record it. `tried`: all of them in every situation. Fits run in processes of their own.

`python -m tests.benchmarks.learning_fit followed 10000` prints one fit as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from memtend.learn.modelfile import pack, unpack_served
from memtend.learn.outcomes import OutcomeTable
from memtend.learn.recommender import fit_recommender
from memtend.model.ended import Ended
from memtend.model.learned import SERVED
from memtend.model.learnpolicy import LearnPolicy
from tests.benchmarks.harness import Row, compared, expect, undisturbed
from tests.fixtures.worlds import TASKS, World, as_dicts

ROOT = Path(__file__).resolve().parents[2]
STRATEGIES = tuple(f"strategy-{n}" for n in range(10))
SIZES = (1_000, 10_000)
ASKED = 2_000
BATCHES = 9
CPU_S = 60.0
PEAK_MB = 1_024.0
ONE_MS = 1.0
MANY_US = 20.0


def rows(folder: Path) -> Iterator[Row]:
    folder.mkdir(parents=True)
    for kind in ("followed", "tried"):
        for size in SIZES:
            told = _alone(kind, size, folder)
            last = size == SIZES[-1]
            yield _bound(f"fit of strategies, {kind}, CPU", size, "s", [told["cpu_s"]], CPU_S, last)
            yield _bound(
                f"fit of strategies, {kind}, peak memory", size, "MB", [told["peak_mb"]], PEAK_MB,
                last,
            )  # fmt: skip
    served = unpack_served((folder / SERVED).read_bytes())
    tasks = _tasks(ASKED)
    for task, context in tasks[:50]:
        expect(bool(served.recommend(task, context, draw=0.5).strategy), True, "a strategy")
    for explained in (True, False):
        ones = [_one(served, task, context, explained) for task, context in tasks]
        name = f"recommend, {'explained' if explained else 'bare'}, p50"
        yield _bound(name, 1, "ms", [median(ones)], ONE_MS, True)
    many = [_many(served, tasks) for _ in range(BATCHES)]
    yield _bound("recommend in batches, CPU a context", ASKED, "µs", many, MANY_US, True)


def outcomes(kind: str, n: int) -> list[Ended]:
    world, rng = World("rich", 1), np.random.default_rng(1)
    X = world.contexts(n, rng)
    filled = np.nan_to_num(X)
    scaled = (filled - filled.mean(axis=0)) / filled.std(axis=0)
    weights = rng.normal(0, 0.6, (X.shape[1], len(STRATEGIES)))
    chance = 1 / (1 + np.exp(-0.7 - scaled @ weights))
    contexts = as_dicts(X, rng)
    shares = np.full(len(STRATEGIES), 0.3 / len(STRATEGIES))
    shares[0] += 0.7
    followed = rng.choice(len(STRATEGIES), n, p=shares)
    return [
        Ended(
            outcome_id=f"{number:028x}{at:04x}",
            at_ms=1_790_000_000_000 + number * 60_000 + at,
            task_type=TASKS[int(X[number, 0])],
            result="success" if rng.random() < chance[number, at] else "failure",
            strategy=STRATEGIES[at],
            propensity=float(shares[at]) if kind == "followed" else None,
            context=contexts[number],
            writer="ada",
        )
        for number in range(n)
        for at in ([int(followed[number])] if kind == "followed" else range(len(STRATEGIES)))
    ]


def _tasks(n: int) -> list[tuple[str, dict[str, Any]]]:
    rng = np.random.default_rng(2)
    X = World("rich", 1).contexts(n, rng)
    return [(TASKS[int(row[0])], context) for row, context in zip(X, as_dicts(X, rng), strict=True)]


def _one(served: Any, task: str, context: dict[str, Any], explained: bool) -> float:
    began = time.perf_counter()
    served.recommend(task, context, draw=0.5, at_ms=1_795_000_000_000, explain=explained)
    return (time.perf_counter() - began) * 1e3


def _many(served: Any, tasks: list[tuple[str, dict[str, Any]]]) -> float:
    draws = np.random.default_rng(3).random(len(tasks))
    with undisturbed():
        began = time.process_time()
        found = served.recommend_many(tasks, draws=draws, at_ms=1_795_000_000_000)
        took = time.process_time() - began
    expect(len(found.strategy), len(tasks), "answers")
    return took / len(tasks) * 1e6


def _bound(name: str, size: int, unit: str, ours: list[float], target: float, judged: bool) -> Row:
    against = "the target" if judged else "the target at 10,000"
    row = compared(
        name, size, unit, ours, against, [target] * len(ours), target if judged else None, "lower"
    )
    return row._replace(judged="ours")


def _alone(kind: str, size: int, folder: Path) -> dict[str, float]:
    command = (sys.executable, "-m", "tests.benchmarks.learning_fit", kind, str(size), str(folder))
    done = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(kind: str, size: int, folder: Path | None) -> None:
    given, policy = outcomes(kind, size), LearnPolicy()
    began = time.process_time()
    fitted = fit_recommender(OutcomeTable.of(given, policy), policy)
    spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    files = pack(fitted)
    if folder:
        (folder / SERVED).write_bytes(files[SERVED])
    told = {"cpu_s": spent, "peak_mb": peak, "adopted": fitted.served.adopted}
    print(json.dumps(told | {name: len(data) for name, data in files.items()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
