"""Messages as agents see them. Named tuples: a hook that sends one must start fast."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

INBOXES = "messages"
"""Below this namespace grants and erasures find inboxes: `messages/AGENT`."""
OPERATIONS = "message/"
"""Ids of operations begin so that are remembered for as long as the message is."""


class Message(NamedTuple):
    """`receipt` is the right to settle it, until `visible_until`; empty where it was only looked
    at. `number` is the order of sending in its store: of two messages of a sender, the later one
    has the greater. `damaged` ones have no body and are only ever among the dead letters.
    """

    id: str
    inbox: str
    sender: str
    to: str
    topic: str
    body: Any
    number: int
    sent_at: datetime
    expires_at: datetime
    visible_until: datetime
    reply_to: str = ""
    tries: int = 0
    tries_max: int = 0
    receipt: str = ""
    damaged: bool = False

    def op_id(self, name: str = "") -> str:
        """An operation id for a write of who works on it: a repeated delivery writes nothing twice.

        `name` tells several writes for one message apart.
        """
        return f"{OPERATIONS}{self.id}/{self.inbox}/{name}"


class Backlog(NamedTuple):
    """What an inbox holds: messages that are to be worked on (or are being), and dead letters."""

    inbox: str
    waiting: int
    bytes: int
    dead: int
    oldest_at: datetime | None = None
    """When the oldest of those that are not dead was sent."""


class MessageFacts(NamedTuple):
    """All inboxes together, without a scan. `fullest` is the share of its bound that the fullest
    one has used."""

    inboxes: int
    waiting: int
    dead: int
    oldest_ms: int | None
    """When the oldest of those that are not dead was sent."""
    fullest: float
    fullest_inbox: str = ""
