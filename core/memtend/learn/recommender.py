"""Fit a recommender to outcomes: features, a policy that holds against the incumbent, and why.

    fitted = fit_recommender(OutcomeTable.of(outcomes, policy), policy)
    fitted.served.recommend("review", {"files": 12}).strategy

Equal outcomes and an equal policy give an equal model, whatever order the outcomes come in. Fewer
of them than the policy asks for, or nothing that differs from task to task, and the best single
strategy is what is learned.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from memtend.learn.explaining import Influence, fit_explainer, influences_of
from memtend.learn.features import Dropped, Encoder
from memtend.learn.feedback import Feedback
from memtend.learn.learners import Learned, fit_policy, fit_success
from memtend.learn.outcomes import OutcomeTable
from memtend.learn.pooling import pooled
from memtend.learn.served import ServedRecommender
from memtend.learn.single import SingleStrategy
from memtend.learn.situations import NEVER, situations_of
from memtend.learn.writers import Suspect, suspects
from memtend.model.learnpolicy import LearnPolicy

__all__ = ["FitFacts", "FittedRecommender", "ServedRecommender", "fit_recommender"]


class FitFacts(NamedTuple):
    """What a card and a registry tell of a fit."""

    outcomes: int
    first_ms: int
    last_ms: int
    by_strategy: tuple[tuple[str, int, float], ...]
    """Outcomes and their mean success."""
    by_task: tuple[tuple[str, int], ...]
    by_writer: tuple[tuple[str, int], ...]
    features: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    influences: tuple[Influence, ...]
    suspects: tuple[Suspect, ...]
    situations: int
    """Rows with the costs of all strategies; 0 where each outcome stands for itself."""
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class FittedRecommender:
    """`served` answers; `estimators()` are what it was made of, as scikit-learn knows them."""

    served: ServedRecommender
    learned: Learned
    table: OutcomeTable
    facts: FitFacts
    own: dict[str, Any]

    def estimators(self) -> dict[str, Any]:
        return self.own


def fit_recommender(
    table: OutcomeTable,
    policy: LearnPolicy,
    *,
    incumbent: str | None = None,
    explained: bool = True,
) -> FittedRecommender:
    """`incumbent`: the strategy to be held against; else the policy's, else the one that the log
    prefers. `explained`: whether it is to say why, which nobody asks of a model that is only to be
    judged. The same table and policy, the same model."""
    situations, history = situations_of(table.rows)
    encoder = Encoder.fit(situations, never=NEVER)
    X = encoder.transform_many(situations)
    wanted = incumbent or policy.incumbents.get("*")
    feedback = table.feedback(X, encoder.names, wanted)
    whole = pooled(feedback, encoder)
    too_little = _too_little(table, policy, encoder)
    if too_little:
        single = SingleStrategy.fit(feedback)
        learned = Learned(single, {}, False, f"{too_little}: the best single strategy", None)
    else:
        learned = fit_policy(feedback, whole, seed=policy.seed)
    success = None if too_little else fit_success(feedback, seed=policy.seed)
    influences: tuple[Influence, ...] = ()
    if explained and not too_little:
        influences = influences_of(encoder, X, learned.selector.expected, seed=policy.seed)
    own = dict(learned.estimators)
    if success is not None:
        own |= success.estimators
        learned = replace(learned, figures=(*learned.figures, success.figure))
    explainer = None
    if explained and encoder.names:
        explainer, own["cases"] = fit_explainer(
            encoder,
            X,
            logged=table.logged,
            success=table.success,
            cost=table.cost,
            outcome_ids=[row.outcome_id for row in table.rows],
            influences=influences,
            seed=policy.seed,
        )
    if wanted is not None and wanted not in table.strategies:
        note = f"{wanted} has no outcome, so the model is held against what the log prefers"
        learned = replace(learned, figures=(*learned.figures, note))
    told = suspects(table.rows) if explained else ()
    facts = _facts(table, policy, encoder, influences, told, whole)
    known = {name: at for at, name in enumerate(table.strategies)}
    served = ServedRecommender(
        encoder=encoder,
        selector=learned.selector,
        success=None if success is None else success.model,
        explainer=explainer,
        history=history,
        tasks=dict(facts.by_task),
        incumbents={
            task: known[name]
            for task, name in sorted(policy.incumbents.items())
            if task != "*" and name in known
        },
        adopted=learned.adopted,
        why=learned.why,
        explore=policy.explore,
        facts={"outcomes": len(table), "last_ms": facts.last_ms, "seed": policy.seed},
    )
    return FittedRecommender(served, learned, table, facts, own)


def _too_little(table: OutcomeTable, policy: LearnPolicy, encoder: Encoder) -> str:
    if len(table) < policy.outcomes_min:
        return f"{len(table)} outcomes are too few, {policy.outcomes_min} are asked for"
    if len(table.strategies) < 2:
        return "only one strategy was ever followed"
    if not encoder.names:
        return "nothing in the contexts differs from task to task"
    return ""


def _facts(
    table: OutcomeTable,
    policy: LearnPolicy,
    encoder: Encoder,
    influences: tuple[Influence, ...],
    told: tuple[Suspect, ...],
    whole: Feedback | None,
) -> FitFacts:
    counts = np.bincount(table.logged, minlength=len(table.strategies))
    success = np.bincount(table.logged, table.success, len(table.strategies)) / counts
    return FitFacts(
        outcomes=len(table),
        first_ms=table.rows[0].at_ms,
        last_ms=table.rows[-1].at_ms,
        by_strategy=tuple(
            (name, int(n), float(share))
            for name, n, share in zip(table.strategies, counts, success, strict=True)
        ),
        by_task=_counted(row.task_type for row in table.rows),
        by_writer=_counted(row.writer or "nobody named" for row in table.rows),
        features=encoder.names,
        dropped=encoder.dropped,
        influences=influences,
        suspects=told,
        situations=0 if whole is None else len(whole),
        seed=policy.seed,
    )


def _counted(names: Any) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(names).items(), key=lambda one: (-one[1], one[0])))
