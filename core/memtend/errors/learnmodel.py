"""118-119: models that are not taken, and outcomes that teach nothing."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class ModelRefused(MemtendError):
    """Nothing in the file was run."""

    code = 118
    message = "the model file {name} is refused: {why}"
    hint = "Fit the model again with `memtend learn fit`; do not load a file that you did not make."


class OutcomesUnusable(MemtendError):
    code = 119
    message = "nothing can be learned from these outcomes: {why}"
    hint = "Record outcomes with the strategy that was followed and how the task ended."
