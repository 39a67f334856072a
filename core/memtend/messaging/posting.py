"""Sending, and who may write to whom.

An inbox is the namespace `messages/AGENT` as far as rights go. Where there are grants, sending
takes a write grant on it, broadcasting one on `messages/SWARM`, and hearing a swarm a read grant.
Whoever was written to may answer.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from xxhash import xxh3_128_hexdigest

from memtend.codec import canonical
from memtend.errors import AccessDenied, InboxFull, InvalidName, LimitExceeded
from memtend.limits import (
    LABEL_CHARS_MAX,
    MESSAGE_BYTES_MAX,
    MESSAGE_ID_CHARS_MAX,
    MESSAGE_TRIES,
    MESSAGE_TRIES_MAX,
    MESSAGE_TTL_MS,
    MESSAGE_TTL_MS_MAX,
    SWARM_MEMBERS_MAX,
)
from memtend.model.message import INBOXES
from memtend.model.names import check_name
from memtend.store import messages as posts
from memtend.store.messages_rows import answers_to
from memtend.store.messages_upkeep import purge

if TYPE_CHECKING:
    from collections.abc import Callable

    from memtend.model.message import Message
    from memtend.session import Session
    from memtend.store.config import Right

T = TypeVar("T")


class Posting:
    """`agent` is who sends, and whose inbox is meant where none is named."""

    def __init__(self, session: Session, agent: str | None = None) -> None:
        self._session = session
        self._store = session.store
        self.agent = check_name(agent or session._actor, "agent")

    def send(
        self,
        to: str,
        body: Any,
        *,
        topic: str = "",
        id: str | None = None,
        ttl_ms: int = MESSAGE_TTL_MS,
        reply_to: str = "",
        tries: int = MESSAGE_TRIES,
    ) -> str:
        """Send to one agent's inbox; the id of the message. A repeated `id` does nothing.

        After `ttl_ms` it is not delivered any more, and its id is forgotten. After `tries`
        deliveries without an acknowledgement it is a dead letter. Raises `InboxFull`, and
        `MessageIdTaken` where the id is that of another's message or of one to somebody else.
        """
        inbox = _inbox(to)
        letter = self._letter(to, body, topic, id, ttl_ms, reply_to, tries)
        return self._post(letter._replace(inboxes=(inbox,)), inbox)

    def broadcast(
        self,
        swarm: str,
        body: Any,
        *,
        topic: str = "",
        id: str | None = None,
        ttl_ms: int = MESSAGE_TTL_MS,
        tries: int = MESSAGE_TRIES,
    ) -> str:
        """Send to every member of a swarm but oneself: to all of them, or, if an inbox is full, to
        none."""
        letter = self._letter(swarm, body, topic, id, ttl_ms, "", tries)
        return self._post(letter._replace(swarm=True), swarm)

    def reply(
        self,
        message: Message,
        body: Any,
        *,
        id: str | None = None,
        ttl_ms: int = MESSAGE_TTL_MS,
    ) -> str:
        """Answer the sender of a message, who gets it by `request` or `answer`.

        Without `id` there is one answer per message and inbox: a repeated one does nothing.
        """
        own = id or xxh3_128_hexdigest(f"{message.id}/{message.inbox}".encode())
        letter = self._letter(
            message.sender, body, message.topic, own, ttl_ms, message.id, MESSAGE_TRIES
        )
        inbox = answers_to(message.sender, message.id)
        return self._post(letter._replace(inboxes=(inbox,)), None)

    def subscribe(self, swarm: str, agent: str | None = None) -> None:
        """Hear what is broadcast to a swarm from now on. Safe to repeat."""
        who = self._own(agent)
        _inbox(swarm)
        members = posts.members(self._store, swarm)
        if who not in members and len(members) >= SWARM_MEMBERS_MAX:
            limit = SWARM_MEMBERS_MAX
            raise LimitExceeded(what="members", name=swarm, actual=limit + 1, limit=limit)

        def attempt() -> None:
            self._allow("read", swarm)
            posts.join(self._store, swarm, who, config=self._session.config.version)

        self._session.config.under_current(attempt)

    def unsubscribe(self, swarm: str, agent: str | None = None) -> None:
        """Hear it no more. What was broadcast before stays in the inbox."""
        posts.leave(self._store, swarm, self._own(agent))

    def members(self, swarm: str) -> list[str]:
        """Who hears what is broadcast to a swarm."""
        return posts.members(self._store, swarm)

    def _letter(
        self,
        to: str,
        body: Any,
        topic: str,
        id_: str | None,
        ttl_ms: int,
        reply_to: str,
        tries: int,
    ) -> posts.Letter:
        text = canonical.encode(body, "body")
        made = check_id(id_ or self._store.clock.new_id())
        check_bound("size", made, len(text), MESSAGE_BYTES_MAX, least=0)
        ttl_ms = check_bound("time to live in ms", made, ttl_ms, MESSAGE_TTL_MS_MAX)
        tries = check_bound("tries", made, tries, MESSAGE_TRIES_MAX)
        if topic:
            check_name(topic, "topic")
            check_bound("characters of the topic", made, len(topic), LABEL_CHARS_MAX)
        if reply_to:
            check_id(reply_to)
        to = _inbox(to)
        return posts.Letter(made, self.agent, to, topic, reply_to, ttl_ms, tries, text)

    def _post(self, letter: posts.Letter, to: str | None) -> str:
        def attempt() -> str:
            if to is not None:
                self._allow("write", to)
            posts.send(self._store, letter, config=self._session.config.version)
            return letter.id

        send = partial(self._session.config.under_current, attempt)
        return self._with_room(send)

    def _with_room(self, send: Callable[[], T]) -> T:
        try:
            return send()
        except InboxFull:
            if not purge(self._store).deliveries:
                raise
        return send()  # what had expired was in the way

    def _allow(self, right: Right, inbox: str) -> None:
        self._session._allow(right, f"{INBOXES}/{inbox}")

    def _own(self, inbox: str | None) -> str:
        """One's own inbox, or another's for the store's owner and for who administers it."""
        if inbox is None or inbox == self.agent:
            return self.agent
        bound = self._session.agent
        if bound is not None:
            config, space = self._session.config, f"{INBOXES}/{inbox}"
            config.refresh(self._store.meta().config)
            if not config.grants:
                raise AccessDenied(agent=bound, action="admin", namespace=space)
            config.allow(bound, "admin", space)
        return _inbox(inbox)


def _inbox(name: str) -> str:
    check_name(name, "agent")
    check_name(f"{INBOXES}/{name}", "agent")
    return name


def check_id(text: str) -> str:
    check_name(text, "message id")
    if "/" in text:
        raise InvalidName(what="message id", name=text, why="it has more than one segment")
    check_bound("characters of the id", text, len(text), MESSAGE_ID_CHARS_MAX)
    return text


def check_bound(what: str, name: str, actual: float, limit: float, least: int = 1) -> int:
    """Whole, too: a float would not come back from a column as it went in."""
    if not least <= actual <= limit:
        raise LimitExceeded(what=what, name=name, actual=actual, limit=limit)
    return int(actual)
