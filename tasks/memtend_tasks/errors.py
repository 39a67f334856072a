"""Errors that only a flow can meet. The same tree as `memtend.errors`."""

from __future__ import annotations

from memtend.errors import MemtendError


class SecretInParameter(MemtendError):
    """A flow parameter would have carried a credential into Prefect's database. Nothing ran.

    The value is never part of the message.
    """

    code = 80
    message = "parameter {name!r} carries a password, a key or a token; it was not used"
    hint = (
        "Flow parameters are stored and shown in clear. Keep the whole address in the environment "
        "(MEMTEND_STORE_URL, MEMTEND_BACKUP_URL, MEMTEND_ARCHIVE_URL) or in a Prefect Secret "
        "block, and give its name."
    )


class AddressUnknown(MemtendError):
    code = 81
    message = "no {what} is called {name!r}: there is no Prefect Secret block {block!r}"
    hint = "Make the block with `memtend blocks init`, or give a plain path or URL."


class StepsFailed(MemtendError):
    """Some steps of the maintenance cycle failed. The others ran: one fault hides no other."""

    code = 82
    message = "{failed} of {store} failed; the other steps ran"
    hint = "Open the failed runs below this one: each says what to do."


class NotApproved(MemtendError):
    """Somebody looked at the plan and said no, or nobody looked in time. Nothing was changed."""

    code = 84
    message = "the {operation} of {store} was not approved: {why}"
    hint = "The plan is kept: run again with its digest as `reviewed`, or let it make a new one."


class DrillFailed(MemtendError):
    """The newest backup could not be restored and proved. The live store was not touched."""

    code = 85
    message = "the drill of {store} did not pass: {why}"
    hint = "Read the run's report; keep older backups, take a full one, and drill again."


class SourceMissing(MemtendError):
    """An import names no source, or another one than the plan that was reviewed."""

    code = 86
    message = "there is no source to import from: {why}"
    hint = "Type a path into the form, or set MEMTEND_IMPORT_SOURCE where the run executes."


class LessonsFailed(MemtendError):
    """Some scenarios could not be learned. The others were: one fault hides no other."""

    code = 122
    message = "{failed} of {store} could not be learned; the others were"
    hint = "The page of the run says why, for each; `memtend learn fit` tries one alone."


class WorkersUnusable(MemtendError):
    """The processes that were to share the work are not there, or not fit for it. Whatever they
    had begun can be begun again."""

    code = 8
    message = "the workers cannot be used: {why}"
    hint = (
        "See that memtend[dask] is installed, that the scheduler at MEMTEND_DASK_ADDRESS answers "
        "and that its workers have the settings of this machine; or run with `workers` 0, which "
        "needs none of it."
    )


class TurnNotTaken(MemtendError):
    """Another run kept on writing to the store for too long. Nothing was done."""

    code = 69
    message = "waited {minutes:.0f} min to write to {store}: the limit {limit} is taken"
    hint = (
        "See in Prefect's UI which run is writing. Where none is, the limit has an active slot "
        "that nobody holds: the flow `reclaim` gives it back."
    )
    transient = True


class ServerMissing(MemtendError):
    """Nothing was changed, or a part of it: running it again does the rest."""

    code = 125
    message = "there is no Prefect server to talk to: {why}"
    hint = (
        "Start one with `memtend serve`, and set PREFECT_API_URL to its address, such as "
        "http://127.0.0.1:4200/api."
    )
    transient = True


class ServerRefused(MemtendError):
    """A part may have been done: running it again does the rest."""

    code = 5
    message = "the Prefect server said no: {why}"
    hint = (
        "401 and 403: set PREFECT_API_AUTH_STRING to what the server asks for. Others: compare "
        "`prefect version` here and there, and run it again: somebody may have changed the same."
    )


class BlockMissing(MemtendError):
    """Nothing was changed."""

    code = 126
    message = "there is no notification block {block!r}"
    hint = "Make it under Blocks in Prefect's UI, and name it as TYPE/NAME: slack-webhook/ops."


class BlockRefused(MemtendError):
    """The value is never part of the message. Blocks before this one may have been made."""

    code = 127
    message = "the block {block!r} was not made: {why}"
    hint = "`memtend blocks init --help` says where values come from; --replace takes a new one."
