"""Measuring one thing beside another: short interleaved rounds, medians of the rounds' ratios.

In each round every side does the same operations on the same inputs, and the side that goes first
changes from round to round. A slow spell of the machine then hits all sides of a round, and the
ratio of that round survives it. Each answer is checked, outside the measured time.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any, Literal, NamedTuple

Better = Literal["lower", "higher"]
Inputs = Sequence[Any]
Check = Callable[[Inputs, Any], None]


class Row(NamedTuple):
    """One line of the table, as in `benchmarks.json`.

    `ratio` is the median over the rounds of ours / baseline, `low` and `high` its extremes.
    `judged` says what the target bounds: the ratio or our own figure. `better` says which way.
    """

    name: str
    size: int
    unit: str
    ours: float
    against: str
    baseline: float
    ratio: float
    low: float
    high: float
    target: float | None
    better: Better
    judged: Literal["ratio", "ours"] = "ratio"
    rounds: int = 1

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        value = self.ratio if self.judged == "ratio" else self.ours
        return value <= self.target if self.better == "lower" else value >= self.target


class Side(NamedTuple):
    """One contestant. A slow one may `take` only the first so many inputs of a round."""

    name: str
    work: Callable[[Inputs], object]
    target: float | None = None
    take: int | None = None
    check: Check | None = None
    """Instead of the case's; for writes, which each side must be asked about in its own way."""


class Case(NamedTuple):
    """One operation at one size. `check` raises when what `work` returned is wrong."""

    name: str
    size: int
    inputs: Callable[[int], Inputs]
    check: Check
    rounds: int = 21
    unit: Literal["µs", "rows/s"] = "µs"


def measure(case: Case, ours: Side, others: Sequence[Side]) -> list[Row]:
    """Run all sides against each other; one row per other side."""
    sides = [ours, *others]
    figures: list[list[float]] = [[] for _ in sides]
    for turn in range(-1, case.rounds):  # the first warms up and does not count
        inputs = case.inputs(turn + 1)
        for step in range(len(sides)):
            at = (turn + step) % len(sides)
            figure = _run(case, sides[at], inputs)
            if turn >= 0:
                figures[at].append(figure)
    return [
        compared(
            case.name, case.size, case.unit, figures[0], side.name, theirs,
            side.target, "lower" if case.unit == "µs" else "higher",
        )
        for side, theirs in zip(others, figures[1:], strict=True)
    ]  # fmt: skip


def compared(
    name: str,
    size: int,
    unit: str,
    ours: Sequence[float],
    against: str,
    theirs: Sequence[float],
    target: float | None,
    better: Better,
) -> Row:
    """A row from paired figures of the same rounds."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Row(
        name, size, unit, median(ours), against, median(theirs),
        median(ratios), min(ratios), max(ratios), target, better, rounds=len(ratios),
    )  # fmt: skip


def _run(case: Case, side: Side, inputs: Inputs) -> float:
    taken = inputs[: side.take]
    with undisturbed():
        began = time.perf_counter()
        answer = side.work(taken)
        took = time.perf_counter() - began
    (side.check or case.check)(taken, answer)
    return took / len(taken) * 1e6 if case.unit == "µs" else len(taken) / took


@contextmanager
def undisturbed() -> Any:
    """No garbage collection while measuring: whose turn it falls into is chance."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def expect(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise AssertionError(f"{what}: {str(found)[:200]} instead of {str(wanted)[:200]}")


def each(do: Callable[[Any], Any]) -> Callable[[Inputs], list[Any]]:
    """A side's work: one call per input, the answers kept."""

    def work(inputs: Inputs) -> list[Any]:
        return [do(one) for one in inputs]

    return work


def chunks(items: Iterable[Any], size: int) -> Iterable[list[Any]]:
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
