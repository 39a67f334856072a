"""What the registry and the card keep of a fit, besides the model: figures with their intervals.

Before a model is used, one like it is fitted on the earlier outcomes and judged by the later ones:
nothing says more about how it will do on what comes. Facts are JSON and bounded; what writes an
outcome chooses the names in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtend.errors import OutcomesUnusable
from memtend.learn.card import code
from memtend.learn.drawn import strategy_pictures
from memtend.learn.evaluation import Evaluation, evaluate, shares, told
from memtend.learn.insights import insights
from memtend.learn.judged import Met, met_by
from memtend.learn.outcomes import OutcomeTable
from memtend.learn.recommender import FittedRecommender, fit_recommender
from memtend.learn.served import ServedRecommender
from memtend.limits_learning import JUDGED_ROWS_MIN, JUDGED_SHARE
from memtend.model.learned import ADOPTED, EXCLUDED, INSIGHTS
from memtend.model.pictures import PICTURES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from memtend.model.ended import Ended
    from memtend.model.learnpolicy import LearnPolicy
    from memtend.model.scenario import Scenario

EARLIER: Final = "the latest outcomes, by a model fitted on those before"
_NAMES_MAX: Final = 64
_CHARS_MAX: Final = 128
_FACT_CHARS: Final = 1_000


class Earlier(NamedTuple):
    """A model of the earlier outcomes, and what it is worth on the later ones; all None where there
    are too few."""

    served: ServedRecommender | None = None
    before: OutcomeTable | None = None
    met: Met | None = None
    value: Evaluation | None = None


def judged_earlier(table: OutcomeTable, policy: LearnPolicy, incumbent: str | None) -> Earlier:
    """Fit without the latest outcomes, and judge by them."""
    rows = table.rows
    cut = round(len(rows) * (1 - JUDGED_SHARE))
    if len(rows) < policy.outcomes_min or len(rows) - cut < JUDGED_ROWS_MIN:
        return Earlier()
    same = scaled(policy, table)
    before, later = OutcomeTable.of(rows[:cut], same), OutcomeTable.of(rows[cut:], same)
    served = fit_recommender(before, same, incumbent=incumbent, explained=False).served
    met = met_by(served, later)
    return Earlier(served, before, met, evaluate(served, met, EARLIER, before))


def scaled(policy: LearnPolicy, table: OutcomeTable) -> LearnPolicy:
    """With the units of a table, so that parts of it cost what the whole does."""
    units = {"duration_full_s": table.scale.duration_s, "cost_full": table.scale.cost}
    objective = policy.objective.model_copy(update=units)
    return policy.model_copy(update={"objective": objective})


def parts_of(
    rows: Sequence[Ended], last_ms: int, policy: LearnPolicy, excluding: Collection[str]
) -> tuple[OutcomeTable | None, OutcomeTable | None]:
    """What a model was fitted on and what has come since, in the same units; None for neither."""
    whole = _table(rows, policy, excluding)
    if whole is None:
        return None, None
    same = scaled(policy, whole)
    old = [one for one in rows if one.at_ms <= last_ms]
    new = [one for one in rows if one.at_ms > last_ms]
    return _table(old, same, excluding), _table(new, same, excluding)


def facts_of(fitted: FittedRecommender, scenario: Scenario, earlier: Earlier) -> dict[str, Any]:
    """JSON for the registry."""
    facts, table = fitted.facts, fitted.table
    pictures = strategy_pictures(fitted, earlier.served, earlier.before, earlier.met)
    value = earlier.value
    return {
        ADOPTED: fitted.learned.adopted,
        "scenario": {"task_type": scenario.task_type, "swarm": scenario.swarm},
        "strategies": [
            {"name": name[:_CHARS_MAX], "outcomes": count, "success": share}
            for name, count, share in facts.by_strategy
        ],
        "tasks": _short(facts.by_task),
        "writers": _short(facts.by_writer),
        EXCLUDED: [name for name, _ in table.excluded][:_NAMES_MAX],
        "left_out": {one.why: one.outcomes for one in table.left_out},
        "features": len(facts.features),
        "dropped": [one.name[:_CHARS_MAX] for one in facts.dropped][:_NAMES_MAX],
        "figures": list(fitted.learned.figures),
        "suspects": [one.fact[:_FACT_CHARS] for one in facts.suspects],
        "judged": None if value is None else value.model_dump(mode="json", exclude={"reliability"}),
        INSIGHTS: [
            {"fact": one.fact[:_FACT_CHARS], "sure": one.sure} for one in insights(table.rows)
        ],
        PICTURES: pictures.model_dump(mode="json"),
    }


def section_of(value: Evaluation | None) -> str:
    """Of the card: how a model of the earlier outcomes did on the later ones."""
    lines = ["", "## Judged before use", ""]
    if value is None:
        return "\n".join([*lines, "Too few outcomes to judge by.", ""])
    lines += [
        f"On {value.outcomes:,} outcomes: {value.judged_on}.",
        "",
        f"- A task costs {told(value.cost)} with the model, in the unit of the objective.",
        f"- With the incumbent {code(value.incumbent.strategy)} it costs "
        f"{told(value.incumbent.cost)}; the model saves "
        f"{shares(value.incumbent.saving, value.incumbent.cost)}.",
        f"- With {code(value.single.strategy)}, the best single strategy, it costs "
        f"{told(value.single.cost)}; the model saves "
        f"{shares(value.single.saving, value.single.cost)}.",
    ]
    if value.off is not None:
        lines.append(f"- Predicted probabilities of success are off by {value.off:.3f} on average.")
    lines += [
        f"- In tasks of type {code(one.task_type)} ({one.outcomes:,} outcomes) the model saves "
        f"{shares(one.saving, one.cost)}."
        for one in value.by_task[:_NAMES_MAX]
    ]
    return "\n".join([*lines, ""])


def _short(counts: Sequence[tuple[str, int]]) -> dict[str, int]:
    return {name[:_CHARS_MAX]: count for name, count in counts[:_NAMES_MAX]}


def _table(
    rows: Sequence[Ended], policy: LearnPolicy, excluding: Collection[str]
) -> OutcomeTable | None:
    try:
        return OutcomeTable.of(rows, policy, excluding=excluding)
    except OutcomesUnusable:
        return None
