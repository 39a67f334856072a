"""36 to 39, 62: pruning."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class ProfileUnknown(MemtendError):
    code = 36
    message = "there is no prune profile {name!r}; there are: {known}"
    hint = "Name one of these, or add it below `prune: profiles:` in the policy file."


class StrategyUnknown(MemtendError):
    code = 37
    message = "there is no prune strategy {name!r}; there are: {known}"
    hint = "Name one of these, or none to use all that the policy file allows."


class PruneUnapproved(MemtendError):
    """A prune is a judgement, so much of it needs somebody's approval. Nothing was changed."""

    code = 38
    message = (
        "the plan would prune {planned:,} of the {records:,} records in {namespace}, after "
        "{today:,} within a day; without approval {allowed:,} a day may go"
    )
    hint = "Read the plan: `memtend prune` without --apply. If it is right, add --approve."


class PruneForgotten(MemtendError):
    """The archive lets go of what nothing names when its own time is over."""

    code = 39
    message = "the archive {url} no longer holds what the plan {plan} pruned"
    hint = "A backup from before the prune still has it: `memtend backup list`, `memtend restore`."


class PlanUnknown(MemtendError):
    code = 62
    message = "nothing was pruned by a plan {plan!r}, and nothing tuned"
    hint = "`memtend prune history` and `memtend learn ttl trials` list the plans by their digests."
