"""A fitted model as it serves: which strategy, how likely to succeed, and why.

Nothing here imports scikit-learn. The context is asked only where the gate has let the learned
policy pass and the task type is known; otherwise the incumbent is named, and `why` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from memtend.formats import MODEL_FORMAT
from memtend.learn.advice import Advice, Alternative, Likely, ManyAdvice, PastCase, Reason
from memtend.learn.explaining import Explainer
from memtend.learn.exploring import epsilon_greedy
from memtend.learn.features import Encoder
from memtend.learn.feedback import Floats, Ints
from memtend.learn.learners import Selector, Success, selector_of, selector_state, success_of
from memtend.learn.situations import History, Situation, situation
from memtend.learn.state import State, nested, part

_ROWS: Final = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class ServedRecommender:
    """`tasks`: outcomes learned from by task type. `incumbents`: of task types that have one of
    their own, a number of `selector.strategies`. `adopted`: whether the context is asked."""

    encoder: Encoder
    selector: Selector
    success: Success | None
    explainer: Explainer | None
    history: History
    tasks: Mapping[str, int]
    incumbents: Mapping[str, int]
    adopted: bool
    why: str
    explore: float
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def strategies(self) -> tuple[str, ...]:
        return self.selector.strategies

    def incumbent_of(self, task_type: str) -> int:
        return self.incumbents.get(task_type, self.selector.incumbent)

    def is_learned(self, task_type: str) -> bool:
        """Whether the context decides in tasks of this type; "": of a type that nobody says. Where
        a type has another incumbent than the model was held against, nothing proves it better."""
        if not self.adopted or self.incumbent_of(task_type) != self.selector.incumbent:
            return False
        return not task_type or task_type in self.tasks

    def recommend(
        self,
        task_type: str,
        context: Mapping[str, Any],
        *,
        draw: float | None = None,
        agents: Sequence[str] = (),
        at_ms: float | None = None,
        explain: bool = True,
    ) -> Advice:
        """`draw` is a random number from 0 to 1, by which now and then something else than the best
        known is named; None: never."""
        asked = self._situation(task_type, context, agents, at_ms)
        row = self.encoder.transform(asked)
        learned = self.is_learned(task_type)
        explainer = self.explainer if explain else None
        X = explainer.variants(self.encoder, row) if explainer and learned else row[None]
        costs = self.selector.expected(X)
        expected = costs[0] - costs[0].min()
        incumbent = self.incumbent_of(task_type)
        best = int(self.selector.decide(costs[:1])[0]) if learned else incumbent
        chosen, propensity = best, 1.0
        if draw is not None and self.explore > 0:
            allowed = np.ones(len(expected), dtype=bool)
            choice = epsilon_greedy(best, allowed, rate=self.explore, draw=draw)
            chosen, propensity = choice.strategy, float(choice.propensity[choice.strategy])
        likely = self._likely(row)
        saving = expected[incumbent] - expected
        order = [at for at in np.argsort(expected, kind="stable").tolist() if at != chosen]
        reasons: tuple[Reason, ...] = ()
        cases: tuple[PastCase, ...] = ()
        if explainer is not None:
            cases = explainer.alike(row, self.strategies)
            if learned and order:
                other = order[0] if order[0] != best else chosen
                reasons = explainer.reasons(self.encoder, asked, costs, best, other)
        names = self.strategies
        return Advice(
            strategy=names[chosen],
            propensity=propensity,
            explored=chosen != best,
            success=likely[chosen] if likely else None,
            expected_cost=float(expected[chosen]),
            incumbent=names[incumbent],
            saving=float(saving[chosen]),
            learned=learned,
            why=self._why(task_type, chosen != best),
            alternatives=tuple(
                Alternative(
                    names[at],
                    likely[at] if likely else None,
                    float(expected[at]),
                    float(saving[at]),
                )
                for at in order
            ),
            reasons=reasons,
            cases=cases,
        )

    def recommend_many(
        self,
        tasks: Sequence[tuple[str, Mapping[str, Any]]],
        *,
        draws: Floats | None = None,
        at_ms: float | None = None,
    ) -> ManyAdvice:
        """As `recommend` for each task type and context, without explanations."""
        kinds = [task_type for task_type, _ in tasks]
        every_kind = set(kinds)
        facts = {kind: self.history.facts(kind) for kind in every_kind}
        usual = {kind: self.incumbent_of(kind) for kind in every_kind}
        asks = {kind: self.is_learned(kind) for kind in every_kind}
        asked = [
            situation(kind, context, at_ms=at_ms, history=facts[kind]) for kind, context in tasks
        ]
        incumbents = np.array([usual[kind] for kind in kinds], dtype=np.int64)
        learned = np.array([asks[kind] for kind in kinds], dtype=bool)
        expected = np.empty((len(tasks), len(self.strategies)))
        best = incumbents.copy()
        for start in range(0, len(tasks), _ROWS):
            rows = slice(start, start + _ROWS)
            X = self.encoder.transform_many(asked[rows])
            expected[rows] = self.selector.expected(X)
            if learned[rows].any():
                best[rows] = np.where(
                    learned[rows], self.selector.decide(expected[rows]), best[rows]
                )
        chosen, every = best, np.arange(len(tasks))
        propensity = np.ones(len(tasks))
        if draws is not None and self.explore > 0:
            shares = _shares(best, len(self.strategies), self.explore)
            beyond = (shares.cumsum(axis=1) <= draws[:, None]).sum(axis=1)
            chosen = np.minimum(beyond, len(self.strategies) - 1)
            propensity = shares[every, chosen]
        return ManyAdvice(
            strategies=self.strategies,
            strategy=chosen,
            propensity=propensity,
            explored=chosen != best,
            learned=learned,
            expected_cost=expected[every, chosen] - expected.min(axis=1),
            saving=expected[every, incumbents] - expected[every, chosen],
        )

    def propensities(self, tasks: Sequence[tuple[str, Mapping[str, Any]]]) -> Floats:
        """(tasks, strategies): how likely each strategy is to be named, to judge off-policy."""
        return _shares(self.recommend_many(tasks).strategy, len(self.strategies), self.explore)

    def state(self) -> State:
        parts = {
            "encoder": self.encoder.state(),
            "selector": selector_state(self.selector),
        }
        if self.success is not None:
            parts["success"] = self.success.state()
        if self.explainer is not None:
            parts["explainer"] = self.explainer.state()
        meta = {
            "format": MODEL_FORMAT,
            "history": self.history.told(),
            "tasks": dict(self.tasks),
            "incumbents": dict(self.incumbents),
            "adopted": self.adopted,
            "why": self.why,
            "explore": self.explore,
            "facts": dict(self.facts),
        }
        return nested(parts, meta)

    @classmethod
    def of(cls, state: State) -> ServedRecommender:
        """Raises `KeyError`, `TypeError`, `ValueError`, `IndexError` for what is no state."""
        meta, there = state.meta, state.meta["parts"]
        found = cls(
            encoder=Encoder.of(part(state, "encoder")),
            selector=selector_of(part(state, "selector")),
            success=success_of(part(state, "success")) if "success" in there else None,
            explainer=Explainer.of(part(state, "explainer")) if "explainer" in there else None,
            history=History.of(meta["history"]),
            tasks=meta["tasks"],
            incumbents=meta["incumbents"],
            adopted=bool(meta["adopted"]),
            why=str(meta["why"]),
            explore=float(meta["explore"]),
            facts=meta["facts"],
        )
        width = len(found.encoder.names)
        for name, array in state.arrays.items():
            if name.endswith("/features") and array.max(initial=0) >= max(1, width):
                raise ValueError(name)
        found.recommend("", {})
        return found

    def _situation(
        self, task_type: str, context: Mapping[str, Any], agents: Sequence[str], at_ms: float | None
    ) -> Situation:
        facts = self.history.facts(task_type)
        return situation(task_type, context, agents=agents, at_ms=at_ms, history=facts)

    def _likely(self, row: Floats) -> list[Likely] | None:
        if self.success is None:
            return None
        value, low, high = (part[0].tolist() for part in self.success.every(row[None]))
        return [Likely(*one) for one in zip(value, low, high, strict=True)]

    def _why(self, task_type: str, explored: bool) -> str:
        if explored:
            return "drawn to learn from: now and then something else than the best known is tried"
        if self.adopted and self.incumbent_of(task_type) != self.selector.incumbent:
            return "this task type has an incumbent that the model was not held against"
        if self.adopted and not self.is_learned(task_type):
            return "no task of this type was ever recorded: the incumbent strategy"
        return self.why


def _shares(best: Ints, strategies: int, rate: float) -> Floats:
    """As `epsilon_greedy` has them, for many rows."""
    found = np.full((len(best), strategies), rate / strategies)
    found[np.arange(len(best)), best] += 1 - rate
    found /= found.sum(axis=1, keepdims=True)
    return found
