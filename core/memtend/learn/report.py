"""What learning from outcomes reports: fits, scenarios, news since a fit."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel

from memtend.learn.drift import Drift
from memtend.learn.evaluation import Evaluation
from memtend.learn.insights import Insight
from memtend.learn.trends import Trend
from memtend.learn.writers import Suspect
from memtend.model.learned import ModelEntry


class FitReport(BaseModel, frozen=True, extra="forbid"):
    """`adopted`: the gate has let the learned policy pass, so the model may be promoted. `judged`:
    by the latest outcomes, of a model fitted on the earlier ones; None where they are too few.
    `dropped` are models that are kept no longer."""

    operation: str = "learn fit"
    scenario: str
    model: ModelEntry
    adopted: bool
    outcomes: int
    left_out: dict[str, int] = {}
    suspects: tuple[Suspect, ...] = ()
    judged: Evaluation | None = None
    card: str
    dropped: tuple[str, ...] = ()
    seconds: float


class ModelEvaluation(BaseModel, frozen=True, extra="forbid"):
    """`value` None: too few outcomes to judge by."""

    operation: str = "learn evaluate"
    model: str
    scenario: str
    adopted: bool
    value: Evaluation | None
    fact: str


class ScenarioSeen(BaseModel, frozen=True, extra="forbid"):
    """What a model could be learned for. `enough`: of outcomes that name their strategy."""

    name: str
    task_type: str | None = None
    swarm: str | None = None
    outcomes: int
    strategies: int
    enough: bool
    model: str | None = None


class Findings(NamedTuple):
    """What the outcomes say; `drift` is None without any model."""

    insights: tuple[Insight, ...]
    trends: tuple[Trend, ...]
    suspects: tuple[Suspect, ...]
    drift: Drift | None


class News(BaseModel, frozen=True, extra="forbid"):
    """What has come since the model of a scenario was fitted, and whether to fit again."""

    operation: str = "learn news"
    scenario: str
    model: str | None
    fitted_at: AwareDatetime | None
    outcomes: int
    drift: Drift | None
    refit: bool
    why: str
