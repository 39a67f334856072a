"""The learners there are, by the names under which their served forms are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

from memtend.learn.feedback import Feedback, Floats, Ints
from memtend.learn.single import SingleStrategy
from memtend.learn.state import State


class Selector(Protocol):
    """Chooses a strategy for each row, and says what each would cost."""

    @property
    def strategies(self) -> tuple[str, ...]: ...

    @property
    def incumbent(self) -> int: ...

    def choose(self, X: Floats, /) -> Ints: ...

    def expected(self, X: Floats, /) -> Floats: ...

    def state(self) -> State: ...


class Success(Protocol):
    """Calibrated probabilities of success and their 90 % intervals."""

    def predict(self, X: Floats, strategy: Ints, /) -> tuple[Floats, Floats, Floats]: ...

    def state(self) -> State: ...


_SELECTORS: Final[dict[str, Any]] = {"SingleStrategy": SingleStrategy}


def selector_state(selector: Selector) -> State:
    """With the name of its kind."""
    meta, arrays = selector.state()
    return State({"kind": type(selector).__name__, "own": meta}, arrays)


def selector_of(state: State) -> Selector:
    """Raises `KeyError` for a kind that is not known."""
    found: Selector = _SELECTORS[state.meta["kind"]].of(State(state.meta["own"], state.arrays))
    return found


def success_of(state: State) -> Success:
    raise KeyError(state.meta)


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
    single = SingleStrategy.fit(feedback)
    return Learned(single, {}, False, "no learner yet", None)


def fit_success(feedback: Feedback, *, seed: int) -> tuple[Success | None, dict[str, Any]]:
    return None, {}
