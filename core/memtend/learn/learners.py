"""The learners there are, by the names under which their served forms are kept."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from memtend.learn.feedback import Feedback, Floats, Ints
from memtend.learn.state import State


class Selector(Protocol):
    """Chooses a strategy for each row, and says what each would cost."""

    @property
    def strategies(self) -> tuple[str, ...]: ...

    @property
    def incumbent(self) -> int: ...

    def choose(self, X: Floats, /) -> Ints: ...

    def decide(self, expected: Floats, /) -> Ints: ...

    def expected(self, X: Floats, /) -> Floats: ...

    def state(self) -> State: ...


class Success(Protocol):
    """Calibrated probabilities of success and their 90 % intervals."""

    def predict(self, X: Floats, strategy: Ints, /) -> tuple[Floats, Floats, Floats]: ...

    def every(self, X: Floats, /) -> tuple[Floats, Floats, Floats]: ...

    def state(self) -> State: ...


_SELECTORS: Final = {
    "BanditSelector": "memtend.learn.bandit.selector",
    "ContrastSelector": "memtend.learn.selecting.selector",
    "SingleStrategy": "memtend.learn.single",
}


def selector_state(selector: Selector) -> State:
    """With the name of its kind."""
    meta, arrays = selector.state()
    return State({"kind": type(selector).__name__, "own": meta}, arrays)


def selector_of(state: State) -> Selector:
    """Raises `KeyError` for a kind that is not known."""
    kind = state.meta["kind"]
    module = importlib.import_module(_SELECTORS[kind])
    found: Selector = getattr(module, kind).of(State(state.meta["own"], state.arrays))
    return found


def success_of(state: State) -> Success:
    """Raises `KeyError` where a part is missing."""
    from memtend.learn.calibrating import SuccessModel  # noqa: PLC0415

    return SuccessModel.of(state)


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A policy that was tried. `adopted`: the gate has let it pass; `why` is its word, and `report`
    what the learner tells of itself."""

    selector: Selector
    estimators: dict[str, Any]
    adopted: bool
    why: str
    report: Any
    figures: tuple[str, ...] = ()
    """Sentences with intervals, for a card."""


def fit_policy(feedback: Feedback, whole: Feedback | None, *, seed: int) -> Learned:
    """From whole rows where there are such, else from what was followed."""
    if whole is not None:
        return _from_whole(whole, seed)
    from memtend.learn.bandit.fitting import fit_from_bandit  # noqa: PLC0415

    fitted = fit_from_bandit(feedback, seed=seed)
    told = fitted.report
    figures = (
        f"of {told.rows:,} outcomes {told.explored:,} followed another strategy than "
        f"{told.incumbent}",
        f"a task costs {told.saving:.4f} less than with {told.incumbent}, at least {told.low:.4f}, "
        "by models that had not seen it",
        f"doubly robust, from the log alone: {told.observed:.4f} less, from "
        f"{told.observed_low:.4f} to {told.observed_high:.4f} with 90 % confidence, "
        f"by {told.effective_rows:,.0f} effective outcomes",
        f"another strategy than the incumbent is named in {told.deviates:.0%} of tasks",
    )
    why = told.why
    if told.adopted:  # the gate counts in spreads of the cost, people in shares of it
        usual = _cost_of(feedback, fitted.incumbent)
        why = _saves(told.saving, told.low, usual, told.incumbent)
    return Learned(
        fitted.selector, fitted.estimators(), told.adopted, why, told,
        figures if told.effective_rows else figures[:1],
    )  # fmt: skip


def _from_whole(whole: Feedback, seed: int) -> Learned:
    from memtend.learn.selecting import fit_selector  # noqa: PLC0415

    fitted = fit_selector(whole, seed=seed)
    told = fitted.report
    figures = [
        f"{told.rows:,} situations in which all was tried; the choice makes a difference in "
        f"{told.at_stake:,}",
        *(
            f"{one.name}: a task costs {one.gain:.4f} less than with {told.incumbent}, from "
            f"{one.gain_low:.4f} to {one.gain_high:.4f} with 90 % confidence; it closes "
            f"{one.closed:.0%} of the gap to the best choice, from {one.closed_low:.0%} to "
            f"{one.closed_high:.0%}, and names another strategy in {one.deviates:.0%}"
            for one in told.candidates
        ),
    ]
    why = told.why
    if told.adopted:
        one = next(one for one in told.candidates if one.name == told.chosen)
        usual = float(whole.costs[:, fitted.selector.incumbent].mean())
        why = _saves(one.gain, one.gain - one.standard_error, usual, told.incumbent)
    return Learned(fitted.selector, fitted.estimators(), told.adopted, why, told, tuple(figures))


def _cost_of(feedback: Feedback, strategy: int) -> float:
    """Its mean cost, each outcome counted for as many as it stands for."""
    seen = np.isfinite(feedback.costs[:, strategy])
    weight = np.ones(int(seen.sum()))
    if feedback.propensity is not None:
        weight = 1 / np.maximum(feedback.propensity[seen, strategy], 1e-9)
    total = float(weight.sum())
    return float(weight @ feedback.costs[seen, strategy]) / total if total else 0.0


def _saves(saving: float, low: float, usual: float, incumbent: str) -> str:
    """In shares of what a task costs with the incumbent; in its unit where that costs nothing."""
    if usual <= 0:
        return f"a task costs {saving:.4g} less than with {incumbent}, at least {low:.4g}"
    return (
        f"a task costs {percent(saving / usual)} less than with {incumbent}, at least "
        f"{percent(low / usual)} less"
    )


def percent(share: float) -> str:
    """Two digits where there are few."""
    return f"{100 * share:.0f} %" if abs(share) >= 0.1 else f"{100 * share:.1f} %"


class Calibrated(NamedTuple):
    """`figure` is a sentence for a card."""

    model: Success
    estimators: dict[str, Any]
    figure: str


def fit_success(feedback: Feedback, *, seed: int) -> Calibrated:
    """From what was followed, also where every strategy was."""
    from memtend.learn.calibrating import fit_success_model  # noqa: PLC0415

    fitted = fit_success_model(feedback, seed=seed)
    told = fitted.report
    figure = (
        f"probabilities of success miss what came true by {told.error:.3f} on average, over "
        f"{told.rows:,} outcomes that had not been seen; chance alone would make that "
        f"{told.noise:.3f}"
    )
    return Calibrated(fitted.model, fitted.estimators(), figure)
