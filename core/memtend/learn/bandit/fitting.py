"""Fit a selector where only what was tried is known, and adopt it only if the log bears it out.

    fitted = fit_from_bandit(feedback, seed=7)
    fitted.selector.choose(X)

Three learners say what each strategy would have cost in each context (`teacher`); one forest that
serves learns it from them. Whether its policy is better than the incumbent is decided by the gate,
from what learners say of rows that they have not seen. With known times these rows are whole
stretches of the log, and the last stretch, seen by nobody before it, must not speak against it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from memtend.learn.bandit.logs import BanditLog, bandit_log
from memtend.learn.bandit.selector import BanditSelector, deviating
from memtend.learn.bandit.teacher import Teacher, crossed, fit_teacher, last_stretch
from memtend.learn.feedback import Feedback, Floats
from memtend.learn.flat import FlatForest
from memtend.learn.gating import STAYS, Verdict, gate_logged, trust_of
from memtend.learn.offpolicy import Logged, deterministic
from memtend.learn.single import SingleStrategy

ROWS_MIN: Final = 60
ROWS_MAX: Final = 10_000
"""The latest: a fit then stays below a minute."""
TRIED_MIN: Final = 3
MARGIN: Final = 0.06
DEVIATES_MIN: Final = 0.04
"""A policy that hardly ever differs is not worth having, and found where there is nothing."""
_TREES: Final = 80
_OWN_WEIGHT: Final = 0.05


class BanditReport(NamedTuple):
    """`saving` and `low`: what a row costs less than with the incumbent, in the unit of the costs,
    and the lower bound of the gate; `observed_*`: the doubly robust estimate of the same, from the
    log alone, with its 90 % interval."""

    rows: int
    explored: int
    strategies: tuple[str, ...]
    incumbent: str
    propensities_known: bool
    adopted: bool
    why: str
    seed: int
    saving: float = 0.0
    low: float = 0.0
    observed: float = 0.0
    observed_low: float = 0.0
    observed_high: float = 0.0
    effective_rows: float = 0.0
    deviates: float = 0.0
    """Share of rows for which it chooses another strategy than the incumbent."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedBandit:
    selector: BanditSelector | SingleStrategy
    report: BanditReport
    forest: Any = None

    @property
    def incumbent(self) -> int:
        return self.selector.incumbent

    def estimators(self) -> dict[str, Any]:
        """The forest as scikit-learn knows it: it predicts standardized differences."""
        return {} if self.forest is None else {"forest": self.forest}


def fit_from_bandit(feedback: Feedback, *, seed: int) -> FittedBandit:
    """Raises `FeedbackUnusable` where of no row both the strategy and its cost are known."""
    log = bandit_log(feedback, ROWS_MAX)
    incumbent, names = log.incumbent, feedback.strategies
    single = SingleStrategy.fit(replace(feedback, incumbent=incumbent))
    explored = int((log.logged != incumbent).sum())
    report = BanditReport(
        len(log), explored, names, names[incumbent], log.propensities_known, False, "", seed
    )
    why = _too_little(log, explored)
    if why:
        return FittedBandit(single, report._replace(why=f"{why}: {STAYS}"))
    teacher = fit_teacher(log, seed=seed)
    unseen = crossed(log, seed=seed, variances=teacher.leaves.variances)
    verdict, deviates = _judged(log, unseen)
    report = _told(report, log, verdict, deviates)
    if not verdict.adopt:
        return FittedBandit(single, report)
    forest = _taught(log, teacher, seed)
    selector = BanditSelector(
        strategies=names,
        incumbent=incumbent,
        forest=_served(forest, log),
        trust=_trust(log),
        margin=MARGIN,
        center=log.center,
        spread=log.spread,
    )
    return FittedBandit(selector, report, forest)


def _too_little(log: BanditLog, explored: int) -> str:
    if log.strategies < 2:
        return "there is only one strategy"
    if len(log) < ROWS_MIN:
        return f"{len(log)} rows are too few, {ROWS_MIN} are needed"
    if not ((log.counts >= TRIED_MIN) & (np.arange(log.strategies) != log.incumbent)).any():
        return f"of {explored} rows that tried another strategy, none was tried {TRIED_MIN} times"
    if not (log.propensity[np.arange(len(log)), log.logged] > 0).all():
        return "strategies were followed whose propensity is 0"
    return ""


def _trust(log: BanditLog) -> Floats:
    return np.where(log.counts >= TRIED_MIN, trust_of(log.counts.astype(np.float64)), 0.0)


def _judged(log: BanditLog, unseen: Floats) -> tuple[Verdict, float]:
    """The gate's word on all rows; with known times also on the last stretch."""
    chosen = deviating(unseen, log.incumbent, _trust(log), MARGIN)
    verdict = _gated(log, unseen, np.arange(len(log)))
    deviates = float((chosen != log.incumbent).mean())
    if verdict.adopt and deviates < DEVIATES_MIN:
        why = f"only {deviates:.1%} of the rows would be done differently: {STAYS}"
        return verdict._replace(adopt=False, why=why), deviates
    if verdict.adopt and log.ordered:
        late = _gated(log, unseen, last_stretch(len(log)))
        if late.saving <= 0 < late.observed.value:
            why = f"fitted to the earlier rows it saves nothing on the later ones: {STAYS}"
            verdict = verdict._replace(adopt=False, why=why)
    return verdict, deviates


def _gated(log: BanditLog, unseen: Floats, rows: Any) -> Verdict:
    part, told = log.rows(rows), unseen[rows]
    n, m = told.shape
    chosen = deviating(told, log.incumbent, _trust(log), MARGIN)
    propensity = part.propensity[np.arange(n), part.logged]
    base = deterministic(np.full(n, log.incumbent), m)
    return gate_logged(
        Logged(part.logged, part.cost, propensity), part.propensity, deterministic(chosen, m),
        base, told,
    )  # fmt: skip


def _taught(log: BanditLog, teacher: Teacher, seed: int) -> Any:
    """One forest for what the learners say of each strategy beside the incumbent. What is hard for
    all would otherwise decide where it splits; the incumbent's own cost hardly does."""
    from sklearn.ensemble import ExtraTreesRegressor  # noqa: PLC0415

    leaf = max(2, len(log) // 500)
    forest = ExtraTreesRegressor(_TREES, min_samples_leaf=leaf, max_features=0.5, random_state=seed)
    told = teacher.predict(log.X)
    beside = told - told[:, [log.incumbent]]
    beside[:, log.incumbent] = told[:, log.incumbent] * _OWN_WEIGHT
    return forest.fit(log.X, beside)


def _served(forest: Any, log: BanditLog) -> FlatForest:
    """With costs in its leaves instead of differences to the incumbent's."""
    flat = FlatForest.of(forest)
    own = flat.values[:, [log.incumbent]] / _OWN_WEIGHT
    costs = flat.values + own
    costs[:, log.incumbent] = own[:, 0]
    return replace(flat, values=costs)


def _told(report: BanditReport, log: BanditLog, verdict: Verdict, deviates: float) -> BanditReport:
    seen, spread = verdict.observed, log.spread
    return report._replace(
        adopted=verdict.adopt,
        why=verdict.why,
        saving=verdict.saving * spread,
        low=verdict.low * spread,
        deviates=deviates,
        observed=-seen.value * spread,
        observed_low=-seen.high * spread,
        observed_high=-seen.low * spread,
        effective_rows=seen.effective_rows,
    )
