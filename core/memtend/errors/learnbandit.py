"""113: logs of single outcomes from which no policy can be learned or estimated."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class FeedbackUnusable(MemtendError):
    code = 113
    message = "from this log of outcomes nothing can be estimated: {why}"
    hint = "Record with each outcome the strategy that was followed and how likely it was chosen."
