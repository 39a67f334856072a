"""107, 113 to 121, 123, 124: learning, from what is learned of to what is in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from memtend.errors.base import MemtendError


class CostsUnusable(MemtendError):
    code = 107
    message = "from these costs no strategy can be selected: {why}"
    hint = "Give what every strategy costs in every context; else learn from single outcomes."


class FeedbackUnusable(MemtendError):
    code = 113
    message = "from this log of outcomes nothing can be estimated: {why}"
    hint = "Record with each outcome the strategy that was followed and how likely it was chosen."


class AccessesUnusable(MemtendError):
    code = 114
    message = "from these accesses no TTL can be learned: {why}"
    hint = "Give the accesses as they were logged, with one row each and times in order."


class ModelDamaged(MemtendError):
    """Found out by its length and its hash, before anything reads what is in it."""

    code = 115
    message = "the file {name!r} of the model {model} is not the one that was saved: {why}"
    hint = "It is not used. Put another model in use, or fit a new one from the same outcomes."


class TtlPlanStale(MemtendError):
    """The policies are not those that the plan was made for. Nothing was changed."""

    code = 116
    message = "the policies were changed since this plan was made"
    hint = (
        "Look at them again, and at a new plan: `memtend policies show`, `memtend learn ttl plan`."
    )


class TrialUnknown(MemtendError):
    code = 117
    message = "no time to live was tuned by a plan {plan!r}"
    hint = "`memtend learn ttl trials` lists what is tried, with the digests of the plans."


class ModelRefused(MemtendError):
    """Nothing in the file was run."""

    code = 118
    message = "the model file {name} is refused: {why}"
    hint = "Fit the model again with `memtend learn fit`; do not load a file that you did not make."


class OutcomesUnusable(MemtendError):
    code = 119
    message = "nothing can be learned from these outcomes: {why}"
    hint = "Record outcomes with the strategy that was followed and how the task ended."


class LearnPackageMissing(MemtendError):
    code = 120
    message = "to learn needs the package {package}, which is not installed"
    hint = "Install it with the extra that brings it: pip install 'memtend[learn]'."


@contextmanager
def learn_packages() -> Iterator[None]:
    """Raises `LearnPackageMissing` where numpy or scikit-learn is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise LearnPackageMissing(package=error.name or "scikit-learn") from error


class ScenarioUnknown(MemtendError):
    code = 121
    message = "there is no scenario {name!r} in the outcomes of this store; there are {known}"
    hint = "See `memtend learn scenarios`; outcomes are recorded with `memtend learn record`."


class ModelUnknown(MemtendError):
    code = 123
    message = "there is no model {model!r} in the registry of this store"
    hint = "`memtend learn models` lists those there are; `memtend learn fit` makes one."


class ModelNotPromoted(MemtendError):
    """What is in use has changed since it was looked at, or the model is not fit for it."""

    code = 124
    message = "the model {model} is not put in use for {scenario!r}: {why}"
    hint = "List the models of the store: they say which one is in use, and why not the others."
