"""What the report is told of learning: read from the registry, in which figures lie ready.

Nothing is fitted here, no outcome is read and no package of learning imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from memtend.clock import to_ms
from memtend.limits_learning import INSIGHTS_SHOWN, PICTURED_SCENARIOS_MAX
from memtend.model.layout import OUTCOMES
from memtend.model.learned import INSIGHTS, STRATEGY, TTL, ModelEntry, ModelStatus
from memtend.model.pictures import StrategyPictures, TtlPictures, pictures_in
from memtend.store import models, trials

if TYPE_CHECKING:
    from memtend.report import facts as told
    from memtend.store.store import Store


def learned_parts(store: Store) -> dict[str, Any]:
    """As `ReportFacts` has it."""
    from memtend.report.facts import ModelKnown, Strategies  # noqa: PLC0415

    known = models.listed(store)
    shown = sorted(_newest(known, STRATEGY), key=lambda one: (-one.rows, one.scenario))
    keeping = (pictures_in(one.facts, TtlPictures) for one in _newest(known, TTL))
    drawn = ((one, pictures_in(one.facts, StrategyPictures)) for one in shown)
    return {
        "outcomes": _counted(store, "tally_of", "ns", OUTCOMES),
        "accesses": _counted(store, "count_accesses"),
        "models": tuple(
            ModelKnown(
                one.scenario, one.kind, one.status.value, to_ms(one.promoted_at or one.made_at),
                one.rows, one.why,
            )
            for one in sorted(known, key=lambda one: one.status is not ModelStatus.ACTIVE)
        ),
        "strategies": tuple(
            [Strategies(one.scenario, found) for one, found in drawn if found is not None][
                :PICTURED_SCENARIOS_MAX
            ]
        ),
        "keeping": next((found for found in keeping if found is not None), None),
        "insights": tuple(_insights(shown)),
        "trials": tuple(map(_tried, trials.listed(store))),
    }  # fmt: skip


def _newest(known: Sequence[ModelEntry], kind: str) -> list[ModelEntry]:
    """Of each scenario the model in use, or where none is, the newest one."""
    found: dict[str, ModelEntry] = {}
    for one in known:
        if one.kind == kind and (one.scenario not in found or one.status is ModelStatus.ACTIVE):
            found[one.scenario] = one
    return list(found.values())


def _insights(shown: Sequence[ModelEntry]) -> Iterator[told.Insight]:
    from memtend.report.facts import Insight  # noqa: PLC0415

    for one in shown:
        given = one.facts.get(INSIGHTS, ())
        for found in given[:INSIGHTS_SHOWN] if isinstance(given, list) else ():
            if isinstance(found, dict):
                yield Insight(str(found.get("fact", "")), str(found.get("sure", "")))


def _tried(trial: trials.Trial) -> told.Tried:
    from memtend.report.facts import Tried  # noqa: PLC0415

    facts = trial.facts
    return Tried(
        trial.namespace, str(facts.get("before", "")), str(facts.get("after", "")), trial.state,
        trial.ended_ms or trial.began_ms, str(facts.get("why", "")),
    )  # fmt: skip


def _counted(store: Store, statement: str, *given: Any) -> int:
    rows = store.engine.read(statement, given)
    return int(rows[0][0]) if rows else 0
