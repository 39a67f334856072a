"""90 to 95: what a replica hears from another and does not take in. Nothing was merged."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class DeltaRefused(MemtendError):
    """Bytes that are no delta, or a delta that says what no replica may say."""

    code = 90
    message = "a delta is refused: {why}"
    hint = "Fetch it again; if it stays so, run `memtend verify` on the replica that sent it."


class DeltaGap(MemtendError):
    """The delta leaves out events that this replica has not seen."""

    code = 91
    message = "the delta of {sender} follows on {behind:,} events that were not heard here"
    hint = "Ask the sender again and say what this replica has seen."
    transient = True


class EpochMismatch(MemtendError):
    """Somebody rolled everybody back (CRDT_SPEC 8.3): the lower epoch begins anew."""

    code = 92
    message = "{sender} is of epoch {theirs}, this replica of {ours}; they do not merge"
    hint = (
        "At the replica of the lower epoch run `memtend sync` with --bootstrap: it saves what it "
        "has not sent and takes the other's state."
    )


class PeerRetired(MemtendError):
    code = 93
    message = "{sender} is retired here: it had been silent for {silent_days:,.0f} days"
    hint = "It joins again under a new id and offers its unsent writes; nothing of it is lost."


class ReplicaCloned(MemtendError):
    """One id wrote two histories: a copy of a replica went on writing under its name."""

    code = 94
    message = "event {replica}:{n} of {path} is another at {sender} than here"
    hint = "One of the two is a copy of the other. Save what it holds; it takes the state anew."


class NotEntitled(MemtendError):
    code = 95
    message = "{sender} may not send {namespace}"
    hint = "`memtend peers allow` says what a peer may send; or let it keep to that."
