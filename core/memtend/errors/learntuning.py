"""116 and 117: times to live that were learned, proposed and tried."""

from __future__ import annotations

from memtend.errors.base import MemtendError


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
