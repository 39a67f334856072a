"""Learning: fit where something is new, put in use what holds, propose how long to keep what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel

from memtend.errors import MemtendError
from memtend.learn.tuning.plan import TtlPlan
from memtend.model.learned import INSIGHTS, ModelEntry, ModelStatus
from memtend.model.plan import PlanRef
from memtend.model.scenario import DEFAULT
from memtend.model.trial import TtlReport
from memtend.plans import load_plan
from memtend.serving.ttl_pictures import propose_ttl
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened
from memtend_tasks.plans import kept
from memtend_tasks.sentence import sentence

EVERY: Final = "all"
FAILED: Final = "failed"
NOTHING: Final = "nothing"
SCENARIOS_MAX: Final = 32
"""Fitted in one run; the rest is named, and left to a run of its own."""
_INSIGHTS: Final = 12


class Scenarios(BaseModel, frozen=True, extra="forbid"):
    """What is learned in a run. `left` have too few outcomes, or are more than fit into a run."""

    names: tuple[str, ...]
    left: tuple[str, ...] = ()


class ScenarioLearned(BaseModel, frozen=True, extra="forbid"):
    """One scenario after a run. `fitted`: anew in this run. `ready`: the gate has let the newest
    model pass, and another one or none is in use."""

    scenario: str
    outcomes: int = 0
    model: str = ""
    fitted: bool = False
    adopted: bool = False
    ready: bool = False
    status: str
    why: str
    worth: str = ""
    drift: str = ""
    insights: tuple[tuple[str, str], ...] = ()
    card: str = ""


class Learned(BaseModel, frozen=True, extra="forbid"):
    """What a run did. `proposed` and `tried` count rules with another time to live; `report` is
    where the pictures are."""

    operation: str = "learn"
    applied: bool
    scenarios: int
    fitted: int
    refused: int = 0
    promoted: int = 0
    proposed: int = 0
    tried: int = 0
    report: str = ""


@sentence.register
def _(report: Learned) -> str:
    counts = ((report.fitted, "models fitted"), (report.refused, "refused by the gate"),
              (report.promoted, "put in use"), (report.proposed, "other times to live proposed"),
              (report.tried, "tried"))  # fmt: skip
    parts = [f"{count:,} {what}" for count, what in counts if count]
    return ", ".join(parts) or "nothing new was learned"


@memory_task
def find_scenarios(store: str, wanted: str) -> Scenarios:
    """Those with outcomes enough, the largest first; one that is named is tried whatever it has."""
    if wanted != EVERY:
        return Scenarios(names=(wanted,))
    with opened(store) as services:
        seen = sorted(services.scenarios(), key=lambda one: (-one.outcomes, one.name))
    # A type of task that is all there is needs no model beside the one of everything.
    whole = next((one.outcomes for one in seen if one.name == DEFAULT), 0)
    some = [one for one in seen if one.name == DEFAULT or one.outcomes < whole]
    ready = [one.name for one in some if one.enough]
    left = [*ready[SCENARIOS_MAX:], *(one.name for one in some if not one.enough)]
    return Scenarios(names=tuple(ready[:SCENARIOS_MAX]), left=tuple(left))


@memory_task
def learn_scenario(store: str, scenario: str, seed: int | None) -> ScenarioLearned:
    """Look what is new; fit where that is worth it, or where a seed is given. Nothing is put in
    use."""
    with opened(store) as services:
        news = services.learning_news(scenario)
        if news.model is None and not news.refit:
            return ScenarioLearned(scenario=scenario, status=NOTHING, why="no outcome is recorded")
        drift = news.drift.fact if news.drift is not None and news.drift.found else ""
        fitted = services.refit(scenario, seed, news=news, anew=seed is not None)
        worth = fitted.judged.fact if fitted is not None and fitted.judged is not None else ""
        entry = fitted.model if fitted is not None else services.find_model(news.model or "")
        why = f"not fitted anew: {news.why}" if fitted is None else entry.why
        return ScenarioLearned(
            scenario=scenario, outcomes=entry.rows, model=entry.model_id, fitted=fitted is not None,
            adopted=entry.adopted, ready=is_ready(entry), status=entry.status.value,
            why=why, worth=worth, drift=drift,
            insights=_insights(entry), card=fitted.card if fitted is not None else "",
        )  # fmt: skip


@memory_task
def promote_models(store: str, models: Sequence[str]) -> list[str]:
    """Put models in use. The gate's word holds: what it did not let pass is refused here, too."""
    with opened(store) as services:
        return [services.promote(model).model_id for model in models]


@memory_task
def make_ttl_plan(store: str) -> PlanRef:
    """Which times to live to change; what that rests on is kept for the report."""
    with opened(store) as services:
        return kept(services, propose_ttl(services))


@memory_task
def apply_ttl_plan(store: str, ref: PlanRef) -> TtlReport:
    """Begin the trials of a plan, each on a share of the keys."""
    with opened(store) as services:
        return services.apply_ttl(load_plan(ref, services.clock, TtlPlan))


def is_ready(entry: ModelEntry) -> bool:
    """Whether it may be put in use, and is not."""
    return entry.adopted and entry.status is ModelStatus.CANDIDATE


def failed(scenario: str, error: MemtendError) -> ScenarioLearned:
    """What is shown of a scenario that could not be learned."""
    return ScenarioLearned(scenario=scenario, status=FAILED, why=str(error))


def _insights(entry: ModelEntry) -> tuple[tuple[str, str], ...]:
    found = entry.facts.get(INSIGHTS, ())
    return tuple((str(one["fact"]), str(one["sure"])) for one in found[:_INSIGHTS])
