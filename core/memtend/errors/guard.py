"""4, 40 to 49: plans, and what the guard refuses."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class PlanForeign(MemtendError):
    """A plan is good for what it was made of, and for nothing else. Nothing was changed."""

    code = 4
    message = "the {operation} plan was made for another {what} than this one"
    hint = "Plan again for this one, or name the one that the plan was made for."


class PlanStale(MemtendError):
    """The store went back to before the plan was made. Nothing was changed."""

    code = 40
    message = "the {operation} plan was made at version {planned}; the store is at {current}"
    hint = "Plan again: the rows that it named may be others by now."


class DeletesTooMuch(MemtendError):
    """The guard refused a plan. Nothing was changed."""

    code = 41
    message = "{operation} would delete {share:.0%} of {total} records; the limit is {limit:.0%}"
    hint = (
        "Read the plan: a run without --apply, or a dry run, shows it. If it is right, raise "
        "safety.delete_share_max in the policy file."
    )


class ClockAlarmed(MemtendError):
    """The wall clock jumped, so nothing may be called expired. Nothing was changed."""

    code = 42
    message = "{operation} refused: the wall clock is {error_s:,.0f} s away from elapsed time"
    hint = "Correct the machine's clock, then start the process again: it takes the clock it finds."


class PlanAltered(MemtendError):
    code = 43
    message = "the plan {ref} does not match its digest"
    hint = "Somebody changed the file. Plan again."


class PlanMissing(MemtendError):
    code = 44
    message = "there is no plan at {ref}"
    hint = "Plan again, or check the plans folder."


class RotationRefused(MemtendError):
    """What rotation would keep is not known to be whole. Nothing was deleted."""

    code = 45
    message = "rotation of {url} refused: {why}"
    hint = "Run `memtend backup verify`, then take a new backup before old ones go."


class RestoreRefused(MemtendError):
    """The guard refused a restore. Nothing was changed."""

    code = 46
    message = "restore refused: {why}"
    hint = "`memtend backup list` shows the backups, `memtend restore` without --apply the plan."


class NothingKept(MemtendError):
    code = 47
    message = "no earlier store is kept beside {url}"
    hint = "What a restore replaces is kept for a while; `memtend backup list` shows the backups."


class RestoreWrong(MemtendError):
    """What was built does not match its manifest. The live store was not touched."""

    code = 48
    message = "what was built from {manifest} is wrong: {why}"
    hint = "Run `memtend backup verify`, then restore from another backup with --manifest."


class StoreExists(MemtendError):
    """A restore into a new place found a store there. Nothing was changed."""

    code = 49
    message = "there is a store at {url} already"
    hint = "Leave out --into to restore the open store, or name a place where there is none."
