"""79 and 80: what an optimization refuses."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class StepUnknown(MemtendError):
    code = 79
    message = "an optimization has no step {name!r}; it has {known}"
    hint = "See `memtend optimize --help`."


class QuarantineUnsafe(MemtendError):
    """Rows that cannot be read are taken away only once their bytes lie elsewhere. None was."""

    code = 80
    message = "what was written to {where} is not what was read back"
    hint = "Name another place for plans in MEMTEND_PLANS_URL, and run the same command again."
