"""Receiving and settling, with a receipt: the right to settle, until somebody else has it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from memtend.errors import NoReply
from memtend.limits import (
    MESSAGE_TRIES,
    MESSAGE_TTL_MS,
    MESSAGE_VISIBLE_MS,
    MESSAGE_VISIBLE_MS_MAX,
    MESSAGE_WAIT_S_MAX,
    MESSAGES_RECEIVED_MAX,
    WAIT_POLL_S_MIN,
)
from memtend.messaging.posting import Posting, check_bound, check_id
from memtend.model.message import Message
from memtend.store import messages_taking as taking
from memtend.store.messages_rows import answers_to, owner_of
from memtend.store.notify import Pauses, Waiter

if TYPE_CHECKING:
    from memtend.store.store import Store


class Wanted(NamedTuple):
    """What is to be received: checked, and allowed."""

    inbox: str
    topic: str
    limit: int
    visible_ms: int


class Receiving(Posting):
    def receive(
        self,
        inbox: str | None = None,
        *,
        limit: int = 1,
        visible_ms: int = MESSAGE_VISIBLE_MS,
        wait_s: float = 0.0,
        topic: str = "",
    ) -> list[Message]:
        """Up to `limit` messages, one per sender at most; those first that could be had longest.

        They are invisible to everybody for `visible_ms`, and come again after that unless they are
        acknowledged. Where there is nothing, waits for up to `wait_s`. With `topic`, only that one.
        """
        return self._receive(self._wanted(inbox, topic, limit, visible_ms), wait_s)

    def ack(self, message: Message) -> None:
        """It is done. Raises `StaleReceipt` where it was handed out again, or has ended."""
        taking.ack(self._store, self._mine(message))

    def nack(self, message: Message, *, delay_ms: int = 0) -> None:
        """Give it back, to be tried again after `delay_ms`; after its last try a dead letter."""
        delay_ms = check_bound("delay in ms", message.id, delay_ms, MESSAGE_VISIBLE_MS_MAX, least=0)
        taking.nack(self._store, self._mine(message), delay_ms)

    def extend(self, message: Message, visible_ms: int = MESSAGE_VISIBLE_MS) -> Message:
        """Keep it for `visible_ms` more, counted from now."""
        visible_ms = check_bound("visibility in ms", message.id, visible_ms, MESSAGE_VISIBLE_MS_MAX)
        return taking.extend(self._store, self._mine(message), visible_ms)

    def request(
        self,
        to: str,
        body: Any,
        *,
        topic: str = "",
        wait_s: float = 30.0,
        id: str | None = None,
        ttl_ms: int = MESSAGE_TTL_MS,
        tries: int = MESSAGE_TRIES,
    ) -> Message:
        """Send, and wait for the answer. Raises `NoReply`, whose `facts` have the `id` of what was
        sent: `answer` gets a late one."""
        check_bound("wait_s", to, wait_s, MESSAGE_WAIT_S_MAX, least=0)
        sent = self.send(to, body, topic=topic, id=id, ttl_ms=ttl_ms, tries=tries)
        found = self.answer(sent, wait_s=wait_s)
        if found is None:
            raise NoReply(id=sent, waited_s=wait_s)
        return found

    def answer(self, id: str, *, wait_s: float = 0.0) -> Message | None:
        """The next answer to a message that one sent; None where there is none yet.

        Each is given once, and is acknowledged with that. Answers are in no inbox.
        """
        inbox = answers_to(self.agent, check_id(id))
        found = self._receive(Wanted(inbox, "", 1, MESSAGE_VISIBLE_MS), wait_s)
        if not found:
            return None
        self.ack(found[0])
        return found[0]

    def _wanted(self, inbox: str | None, topic: str, limit: int, visible_ms: int) -> Wanted:
        own = self._own(inbox)
        limit = check_bound("limit", own, limit, MESSAGES_RECEIVED_MAX)
        visible_ms = check_bound("visibility in ms", own, visible_ms, MESSAGE_VISIBLE_MS_MAX)
        return Wanted(own, topic, limit, visible_ms)

    def _receive(self, wanted: Wanted, wait_s: float) -> list[Message]:
        with Patience(self._store, wanted, wait_s, listens=True) as patience:
            while not (found := self._take(wanted)) and patience.wait():
                pass
        return found

    def _take(self, wanted: Wanted) -> list[Message]:
        inbox, topic, limit, visible_ms = wanted
        return taking.receive(self._store, inbox, limit=limit, visible_ms=visible_ms, topic=topic)

    def _mine(self, message: Message) -> Message:
        self._own(owner_of(message.inbox))
        return message


class Patience:
    """Waits for up to `wait_s`, in pauses; where it `listens`, woken early by whoever sends."""

    def __init__(self, store: Store, wanted: Wanted, wait_s: float, *, listens: bool) -> None:
        check_bound("wait_s", wanted.inbox, wait_s, MESSAGE_WAIT_S_MAX, least=0)
        self._store = store
        self._wanted = wanted
        self._left_s = wait_s
        self._until_ns = store.clock.monotonic_ns() + int(wait_s * 1e9)
        self._held = ExitStack()
        self._waiter: Waiter | None = None
        self._pauses = Pauses(store, told=listens)

    @property
    def is_over(self) -> bool:
        return self._left_s <= 0 or self._store.clock.monotonic_ns() >= self._until_ns

    def wait(self) -> bool:
        """Whether it is worth another look; False when the time is over."""
        if self.is_over:
            return False
        if self._waiter is None:  # listening first, then looking: nothing falls between
            self._waiter = self._held.enter_context(Waiter(self._store, self._wanted.inbox))
            return True
        pause_s = self.pause_s()
        if not self._waiter.wait(pause_s):
            self.spend(pause_s)
        return True

    def pause_s(self) -> float:
        """How long to wait now: less where something becomes visible by itself before."""
        left_s = min(self._left_s, (self._until_ns - self._store.clock.monotonic_ns()) / 1e9)
        due_ms = taking.next_due(self._store, self._wanted.inbox, self._wanted.topic)
        if due_ms is not None:
            left_s = min(left_s, due_ms / 1e3)
        return self._pauses.next_s(max(left_s, WAIT_POLL_S_MIN / 5))

    def spend(self, waited_s: float) -> None:
        """So much was waited, also where the clock stands still."""
        self._left_s -= waited_s

    def __enter__(self) -> Patience:
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()
