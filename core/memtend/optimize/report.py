"""What an optimization did, step by step."""

from __future__ import annotations

from pydantic import BaseModel

from memtend.model.plan import Report
from memtend.optimize.plan import StepName


class StepDone(BaseModel, frozen=True, extra="forbid"):
    """`error` is why a step was not brought to its end; the others were done all the same."""

    name: StepName
    rows: int = 0
    saved_bytes: int = 0
    slices: int = 0
    longest_lock_ms: float = 0.0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    error: str | None = None


class OptimizeReport(Report, frozen=True, extra="forbid"):
    """`kept_in` names the file to which rows went that could not be read."""

    steps: tuple[StepDone, ...] = ()
    kept_in: str | None = None
