"""Why a strategy is named: which fields moved it, and which past cases were like this one.

A field's effect is what changes when the field takes its usual value and all else stays. That asks
nothing of how the model is made, and adds up to nothing: fields that only matter together show
little each. Past cases are alike when the same leaves of a small forest hold them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memtend.learn.advice import PastCase, Reason
from memtend.learn.evenly import evenly
from memtend.learn.features import Encoder
from memtend.learn.feedback import Floats, Ints
from memtend.learn.fields import shown, value_at
from memtend.learn.flat import FlatForest
from memtend.learn.state import State
from memtend.limits_learning import CASES_MAX, CASES_TOLD_MAX, REASON_FIELDS_MAX, REASONS_MAX

Expected = Callable[[Floats], Floats]
_TREES: Final = 16
_LEAVES_MAX: Final = 64
_LEAF_ROWS: Final = 10
_ROWS: Final = 400
_FIT_ROWS: Final = 10_000
_RESAMPLED: Final = 200
_VALUE_CHARS: Final = 40
_EFFECT_MIN: Final = 1e-4


class Influence(NamedTuple):
    """How much worse the costs get, as a share, when a field is shuffled, with a 90 % interval; by
    the model's own expectation."""

    field: str
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Explainer:
    """`usual` is a row of usual values, `looked_at` the fields whose effect is asked for."""

    usual: Floats
    looked_at: Ints
    forest: FlatForest
    leaves: NDArray[np.int32]  # (cases, trees)
    cases: tuple[str, ...]
    logged: Ints
    success: Floats
    cost: Floats

    def variants(self, encoder: Encoder, row: Floats) -> Floats:
        """The row, and below it once for each field looked at with that field's usual value."""
        asked = np.repeat(row[None], 1 + len(self.looked_at), axis=0)
        swapped = encoder.groups[None, :] == self.looked_at[:, None]
        asked[1:] = np.where(swapped, self.usual, asked[1:])
        return asked

    def reasons(
        self, encoder: Encoder, context: Mapping[str, Any], costs: Floats, chosen: int, other: int
    ) -> tuple[Reason, ...]:
        """The strongest, for `chosen` against `other`. `costs`: expected of the `variants`."""
        ahead = costs[:, other] - costs[:, chosen]
        effects = ahead[0] - ahead[1:]
        strongest = np.argsort(-np.abs(effects), kind="stable")[:REASONS_MAX]
        return tuple(
            Reason(field.name, _said(value_at(context, field.path)), round(float(effects[at]), 6))
            for at in strongest
            if abs(effects[at]) > _EFFECT_MIN and (field := encoder.fields[self.looked_at[at]])
        )

    def alike(self, row: Floats, strategies: Sequence[str]) -> tuple[PastCase, ...]:
        """The past cases nearest to it, the latest first among equals."""
        if not len(self.cases):
            return ()
        same = np.count_nonzero(self.leaves == self.forest.leaves(row[None]), axis=1)
        count = len(same)
        ranks = same * count + np.arange(count)
        told = min(CASES_TOLD_MAX, count)
        nearest = np.sort(np.argpartition(ranks, count - told)[count - told :])
        nearest = nearest[np.argsort(-ranks[nearest])]
        return tuple(
            PastCase(
                self.cases[at],
                strategies[int(self.logged[at])],
                float(self.success[at]),
                round(float(self.cost[at]), 6),
                float(same[at] / len(self.forest.roots)),
            )
            for at in nearest.tolist()
        )

    def state(self) -> State:
        arrays = self.forest.below("forest")
        names = ("usual", "looked_at", "leaves", "logged", "success", "cost")
        return State(
            {"cases": list(self.cases)}, {**arrays, **{name: getattr(self, name) for name in names}}
        )

    @classmethod
    def of(cls, state: State) -> Explainer:
        forest = FlatForest.from_below("forest", state.arrays)
        rest = {name: v for name, v in state.arrays.items() if not name.startswith("forest/")}
        return cls(forest=forest, cases=tuple(state.meta["cases"]), **rest)


def fit_explainer(
    encoder: Encoder,
    X: Floats,
    *,
    logged: Ints,
    success: Floats,
    cost: Floats,
    outcome_ids: Sequence[str],
    influences: Sequence[Influence],
    seed: int,
) -> tuple[Explainer, Any]:
    """And the small forest, as scikit-learn knows it. Rows are in the order of time."""
    from sklearn.ensemble import ExtraTreesRegressor  # noqa: PLC0415

    means = np.bincount(logged, cost) / np.maximum(1, np.bincount(logged))
    seen = evenly(len(X), _FIT_ROWS)
    forest = ExtraTreesRegressor(
        _TREES, max_leaf_nodes=_LEAVES_MAX, min_samples_leaf=_LEAF_ROWS, random_state=seed
    ).fit(X[seen], (cost - means[logged])[seen])
    flat = FlatForest.of(forest)
    kept = evenly(len(X), CASES_MAX)
    names = [field.name for field in encoder.fields]
    order = [names.index(one.field) for one in influences if one.share > 0]
    return (
        Explainer(
            usual=usual_row(encoder, X),
            looked_at=np.array(order[:REASON_FIELDS_MAX], dtype=np.int64),
            forest=flat,
            leaves=flat.leaves(X[kept]),
            cases=tuple(case_of(outcome_ids[at]) for at in kept),
            logged=logged[kept],
            success=success[kept],
            cost=cost[kept],
        ),
        forest,
    )


def case_of(outcome_id: str) -> str:
    """By which whoever still has the outcome finds it again, and nobody else learns its id."""
    return hashlib.sha256(outcome_id.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def influences_of(
    encoder: Encoder, X: Floats, expected: Expected, *, seed: int
) -> tuple[Influence, ...]:
    """Of every field, the strongest first."""
    rng = np.random.default_rng([seed, 7])
    rows = X[np.sort(rng.permutation(len(X))[:_ROWS])]
    every, told = np.arange(len(rows)), expected(rows)
    least = told.min(axis=1)
    level = float(np.abs(told).mean()) or 1.0
    found = []
    for number, field in enumerate(encoder.fields):
        own = encoder.groups == number
        shuffled = rows.copy()
        shuffled[:, own] = rows[rng.permutation(len(rows))][:, own]
        worse = (told[every, expected(shuffled).argmin(axis=1)] - least) / level
        drawn = worse[rng.integers(0, len(rows), (_RESAMPLED, len(rows)))].mean(axis=1)
        low, high = np.quantile(drawn, [0.05, 0.95])
        found.append(Influence(field.name, float(worse.mean()), float(low), float(high)))
    return tuple(sorted(found, key=lambda one: (-one.share, one.field)))


def usual_row(encoder: Encoder, X: Floats) -> Floats:
    """Medians of numbers; of the marks of a field, the combination that is most frequent."""
    usual = np.full(X.shape[1], np.nan)
    for at in range(X.shape[1]):
        there = X[~np.isnan(X[:, at]), at]
        if 2 * len(there) >= len(X):
            usual[at] = np.median(there)
    for number, field in enumerate(encoder.fields):
        marks = field.marks()
        own = [at for at in marks if at < X.shape[1] and encoder.groups[at] == number]
        if own:
            rows, counts = np.unique(X[:, own], axis=0, return_counts=True)
            usual[own] = rows[counts.argmax()]
    return usual


def _said(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, set | frozenset):
        value = sorted(map(str, value))
    if isinstance(value, list | tuple):
        text = ", ".join(str(one)[:_VALUE_CHARS] for one in value[:8])
    else:
        text = f"{value:g}" if isinstance(value, float) else str(value)[: 2 * _VALUE_CHARS]
    return shown((text[:_VALUE_CHARS],))
