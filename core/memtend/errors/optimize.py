"""79, 111: what an optimization refuses, and what it needs."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class StepUnknown(MemtendError):
    code = 79
    message = "an optimization has no step {name!r}; it has {known}"
    hint = "See `memtend optimize --help`."


class SimilarPackageMissing(MemtendError):
    code = 111
    message = "to find what is nearly the same needs the package {package}, which is not installed"
    hint = "Install it with the extra that brings it: pip install 'memtend[similar]'."
