"""How long to keep what, scored on traces by the harness beside them: shares of the gap closed.

The folder that `MEMTEND_LEARNING_DATA` names holds `harness/score_ttl.py` and `traces/*.npz`.
Nought is the best fixed TTL of each namespace in hindsight, one is who knows the future. A figure
is the median over traces, its interval of 90 % by resampling them. Estimates are compared with what
came over as many accesses as they were made from.

`python -m tests.benchmarks.learning_ttl` prints every trace; all take about three minutes of CPU.
"""

from __future__ import annotations

import importlib.util
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memtend.learn.ttl.accesses import Gaps
from memtend.learn.ttl.fitted import Estimate, FittedTtl
from memtend.learn.ttl.fitting import HELD_OUT, Learned, learn
from memtend.learn.ttl.rows import Bounds
from tests.benchmarks.harness import Row

Floats = NDArray[np.float64]
DATA = "MEMTEND_LEARNING_DATA"
SEED = 1
PRICES = ("q25", "q50", "q75", "q90")
TARGETS = {
    "access": (0.27, 0.46, 0.52, 0.50),
    "class": (0.10, 0.30, 0.42, 0.45),
}
NAMES = {"access": "TTL by access", "class": "TTL by class and size"}
WORST = -0.05
NEAR = 0.1
ESTIMATED = 0.9
DRAWS = 2_000
FIT_S = 2.0


class Scored(NamedTuple):
    """Of one trace: closed gaps by form and price, what a fit took, whether estimates held."""

    name: str
    closed: dict[str, list[float]]
    fit_s: float
    estimated: list[bool]


def rows(folder: Path) -> Iterator[Row]:
    root = os.environ.get(DATA)
    if root is None:
        return
    found = [score(Path(root), name) for name in traces(Path(root))]
    for form, targets in TARGETS.items():
        for at, (price, target) in enumerate(zip(PRICES, targets, strict=True)):
            values = [one.closed[form][at] for one in found]
            yield _row(f"{NAMES[form]}, gap closed at {price}", values, np.median, target)
    worst = [min(one.closed["access"]) for one in found]
    yield _row("TTL by access, gap closed, worst of all", worst, np.min, WORST)
    held = [float(ok) for one in found for ok in one.estimated]
    yield _row("TTL estimates made before that hold", held, np.mean, ESTIMATED)
    slowest = max(one.fit_s for one in found)
    yield Row(
        "fit of TTLs, CPU", len(found), "s", slowest, "2 s", FIT_S, slowest / FIT_S,
        slowest / FIT_S, slowest / FIT_S, FIT_S, "lower", "ours",
    )  # fmt: skip


def traces(root: Path) -> list[str]:
    return sorted(one.stem for one in (root / "traces").glob("*.npz"))


def score(root: Path, name: str) -> Scored:
    harness = _harness(root / "harness" / "score_ttl.py")
    trace = harness.Trace(name, str(root / "traces"))
    fits: dict[tuple[float, int], tuple[Learned, float]] = {}
    decided: dict[tuple[int, float], FittedTtl] = {}

    def learned(train: dict[str, Any]) -> Learned:
        key = (float(train["split_time"]), len(train["gap"]))
        if key not in fits:
            began = time.process_time()
            made = learn(
                _gaps(train), tuple(train["ns_names"]), seed=SEED, bounds=Bounds(0.0, math.inf)
            )
            fits[key] = made, time.process_time() - began
        return fits[key][0]

    def at(one: Learned, rate: float) -> FittedTtl:
        key = (id(one), rate)
        if key not in decided:
            decided[key] = one.at(1.0 / (rate * float(one.all.gaps.size.mean())))
        return decided[key]

    def fit_of(form: str) -> Callable[..., Any]:
        def fit(train: dict[str, Any], _rate: float | None, _miss: float) -> Callable[..., Floats]:
            one = learned(train)

            def policy(X: Floats, ns: Any, size: Floats, rate: float) -> Floats:
                fitted = at(one, rate)
                chosen = fitted.policy
                if form == "class" and chosen.kind == "access":
                    chosen = replace(chosen, kind="class")
                return chosen.ttl(X, ns, size)

            return policy

        fit.shared = True  # type: ignore[attr-defined]
        return fit

    closed = {
        form: [row["closed_ns"] for row in harness.evaluate(fit_of(form), [trace], verbose=False)]
        for form in TARGETS
    }
    train, test = trace.split(0.6, 0.6 * (1 + HELD_OUT))
    held = []
    for seconds in harness.t_stars(train).values():
        rate = 1.0 / (float(train["size"].mean()) * seconds)
        fitted = at(learned(train), rate)
        ttl = fitted.policy.ttl(test["X"], test["ns"], test["size"])
        held.append(_happened(test, ttl, rate, fitted.estimate))
    return Scored(name, closed, max(took for _, took in fits.values()), held)


def _happened(test: dict[str, Any], ttl: Floats, rate: float, told: Estimate) -> bool:
    """Whether the cost that came is within a tenth of the estimate, or within its interval."""
    end = float(test["t"][-1])
    seen = np.minimum(test["gap"], end - test["t"])
    event = test["gap"] <= end - test["t"]
    came = float(np.mean(rate * test["size"] * np.minimum(seen, ttl) + (event & (seen > ttl))))
    near = abs(told.expected.cost - came) <= NEAR * came
    return bool(near or told.cost_low <= came <= told.cost_high)


def _gaps(train: dict[str, Any]) -> Gaps:
    return Gaps(
        train["X"], train["ns"].astype(np.int64), train["size"], train["gap"],
        train["event"].astype(bool), train["t"],
    )  # fmt: skip


def _row(name: str, values: list[float], of: Callable[[Floats], Any], target: float) -> Row:
    told = np.array(values)
    drawn = np.random.default_rng(SEED).integers(0, len(told), (DRAWS, len(told)))
    low, high = np.quantile([of(told[one]) for one in drawn], [0.05, 0.95])
    ours = float(of(told))
    return Row(
        name, len(told), "share", ours, "best fixed TTL in hindsight", 1.0, ours, float(low),
        float(high), target, "higher", "ours", len(told),
    )  # fmt: skip


@cache
def _harness(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score_ttl", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    data = Path(os.environ[DATA])
    for name in sys.argv[1:] or traces(data):
        one = score(data, name)
        for form, closed in one.closed.items():
            print(f"{name:24} {form:8}", " ".join(f"{value:+.3f}" for value in closed),
                  f"fit {one.fit_s:.2f} s", one.estimated, flush=True)  # fmt: skip
