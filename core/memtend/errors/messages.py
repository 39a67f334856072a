"""98 to 101, 108: messages."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class StaleReceipt(MemtendError):
    """The message was handed out again, or has ended. Nothing was changed."""

    code = 98
    message = "the receipt for message {id!r} in inbox {inbox!r} is no longer good: {why}"
    hint = (
        "Ask for a longer visibility, or extend it while working; write under `message.op_id()`, "
        "and what was done twice counts once."
    )


class InboxFull(MemtendError):
    """The sender must wait. Nothing was sent, to no inbox."""

    code = 99
    message = "inbox {inbox!r} holds {count:,} messages and {size:,} bytes; it is full"
    hint = "Let its agent receive, or look what is in it: `memtend messages list --inbox NAME`."
    transient = True


class NoReply(MemtendError):
    """The request may still be answered: ask again by its id."""

    code = 100
    message = "nobody has replied to {id!r} within {waited_s:.1f} s"
    hint = "See whether it was received: `memtend messages list --inbox NAME` shows its tries."
    transient = True


class NoMessage(MemtendError):
    code = 101
    message = "there is no {what} {id!r} in inbox {inbox!r}"
    hint = "`memtend messages dead` and `memtend messages list` show what there is."


class MessageIdTaken(MemtendError):
    """Nothing was sent: an id stands for one message, and repeating it for sending that again."""

    code = 108
    message = "message id {id!r} belongs to a message of another sender or to somebody else"
    hint = "Choose another id; one that begins with the sender's name keeps clear of others."
