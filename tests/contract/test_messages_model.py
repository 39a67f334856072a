"""Messages against a model: lists and a clock. Every history must agree, and defects must show.

The store's clock and the server's are apart, and so must not be taken for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from memtend.clock import ManualClock
from memtend.errors import StaleReceipt
from memtend.memory import Memory
from memtend.messaging import posting
from memtend.model.message import Message
from memtend.store import messages, messages_taking, messages_upkeep
from memtend.store.messages_books import Books
from memtend.store.messages_rows import Lane, held
from memtend.store.sql import sqlite_statements
from memtend.store.verify import verify_store

AGENTS = ("ada", "bob")
TRIES = 2
VISIBLE_MS = 100
SKEW_MS = 3_600_000
agents = st.sampled_from(AGENTS)
topics = st.sampled_from(["", "", "x"])
picks = st.integers(1, 3)
ids = st.sampled_from([None, None, None, "one", "two"])
ttls = st.sampled_from([250, 1_000_000, 1_000_000])


class Sent(NamedTuple):
    id: str
    sender: str
    inbox: str
    topic: str
    ends: int


class Copy:
    """What the model knows of one message in one inbox."""

    def __init__(self, sent: Sent) -> None:
        self.sent = sent
        self.tries = 0
        self.until = 0
        self.receipt = ""
        self.state = "live"


class History(RuleBasedStateMachine):
    """What agents may do. The model holds back, per inbox and sender, what follows one in hand."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.server = ManualClock(), ManualClock(1_750_000_000_000 + SKEW_MS)
        self.memory = Memory.open("sqlite://", clock=self.clock)
        self.tell_time()
        self.copies: list[Copy] = []
        self.known: dict[str, int] = {}
        self.members: set[str] = set()
        self.hands: list[Message] = []
        self.holders: dict[tuple[str, str], Copy] = {}

    def tell_time(self) -> None:
        """As a server would."""
        sql = self.memory.store.engine.statements  # type: ignore[attr-defined]
        told = sqlite_statements()
        for name in ("message_time", "next_due", "next_due_of_topic"):
            sql[name] = told[name].replace("NULL", str(self.server.now_ms()))

    @property
    def now(self) -> int:
        return self.server.now_ms()

    def of(self, agent: str) -> Any:
        return self.memory.messages.of(agent)

    @initialize(first=agents)
    def begin(self, first: str) -> None:
        self.of(first).subscribe("hive")
        self.members.add(first)

    @rule(sender=agents, to=agents, topic=topics, id_=ids, ttl=ttls)
    def send(self, sender: str, to: str, topic: str, id_: str | None, ttl: int) -> None:
        made = self.of(sender).send(to, 1, topic=topic, id=id_, ttl_ms=ttl, tries=TRIES)
        self.remember(made, sender, [to], topic, ttl)

    @rule(sender=agents, id_=ids)
    def broadcast(self, sender: str, id_: str | None) -> None:
        made = self.of(sender).broadcast("hive", 1, id=id_, tries=TRIES)
        self.remember(made, sender, sorted(self.members - {sender}), "", 86_400_000)

    def remember(self, id_: str, sender: str, inboxes: list[str], topic: str, ttl: int) -> None:
        if id_ in self.known:
            return
        self.known[id_] = self.now + ttl
        for inbox in inboxes:
            self.copies.append(Copy(Sent(id_, sender, inbox, topic, self.now + ttl)))

    @rule(agent=agents, hear=st.booleans())
    def subscribe(self, agent: str, hear: bool) -> None:
        if hear:
            self.of(agent).subscribe("hive")
            self.members.add(agent)
        else:
            self.of(agent).unsubscribe("hive")
            self.members.discard(agent)

    @rule(inbox=agents, limit=st.integers(1, 3), topic=topics)
    def receive(self, inbox: str, limit: int, topic: str) -> None:
        free = {sender: self.next_of(inbox, sender, topic) for sender in AGENTS}
        found = self.of(inbox).receive(limit=limit, visible_ms=VISIBLE_MS, topic=topic)
        wanted = {one.sent.id: one for one in free.values() if one is not None}
        assert {one.id for one in found} <= set(wanted)
        assert len(found) <= limit
        assert bool(found) == bool(wanted)
        for message in found:
            copy = wanted[message.id]
            copy.tries += 1
            assert (message.sender, message.tries) == (copy.sent.sender, copy.tries)
            copy.until, copy.receipt = self.now + VISIBLE_MS, message.receipt
            self.holders[inbox, message.sender] = copy
            self.hands.append(message)

    def next_of(self, inbox: str, sender: str, topic: str) -> Copy | None:
        holder = self.holders.get((inbox, sender))
        if holder is not None and holder.state == "live" and holder.until > self.now:
            return None
        for copy in self.copies:
            mine = (copy.sent.inbox, copy.sent.sender, copy.state) == (inbox, sender, "live")
            if mine and topic in ("", copy.sent.topic) and copy.sent.ends > self.now:
                if copy.tries < TRIES:
                    return copy
                copy.state = "exhausted"  # dead as soon as somebody looks
        return None

    def taken(self, pick: int) -> tuple[Message, Copy] | None:
        if not self.hands:
            return None
        message = self.hands[-min(pick, len(self.hands))]
        return message, next(
            c for c in self.copies if (c.sent.id, c.sent.inbox) == (message.id, message.inbox)
        )

    def settle(self, pick: int, act: Callable[[Message], object]) -> Copy | None:
        """Do it with some receipt ever given; the copy, if the receipt was to be good."""
        found = self.taken(pick)
        if found is None:
            return None
        message, copy = found
        good = copy.state in ("live", "exhausted") and copy.receipt == message.receipt
        again = copy.state == f"done {message.receipt}"
        try:
            act(message)
        except StaleReceipt:
            assert not good or copy.state == "exhausted"
            return None
        assert good or again
        return copy if good else None

    @rule(inbox=agents)
    def be_slow(self, inbox: str) -> None:
        """One lets its time run out, another takes the next, and the first settles all the same."""
        self.receive(inbox, 1, "")
        self.wait(VISIBLE_MS)
        self.receive(inbox, 1, "x")
        self.ack(2)
        self.receive(inbox, 1, "")

    @rule(inbox=agents)
    def be_quick(self, inbox: str) -> None:
        self.receive(inbox, 1, "")
        self.ack(1)
        self.receive(inbox, 1, "")

    @rule(sender=agents, to=agents)
    def be_late(self, sender: str, to: str) -> None:
        self.send(sender, to, "", None, 250)
        self.wait(250)
        self.receive(to, 2, "")

    @rule(pick=picks)
    def ack(self, pick: int) -> None:
        found = self.taken(pick)
        copy = self.settle(pick, lambda m: self.of(m.inbox).ack(m))
        if copy is not None and found is not None:
            copy.state = f"done {found[0].receipt}"

    @rule(pick=picks, delay=st.sampled_from([0, 0, 150]))
    def nack(self, pick: int, delay: int) -> None:
        copy = self.settle(pick, lambda m: self.of(m.inbox).nack(m, delay_ms=delay))
        if copy is None:
            return
        copy.receipt = ""
        lane = (copy.sent.inbox, copy.sent.sender)
        holder = self.holders.get(lane)
        if copy.tries >= TRIES:
            copy.state, copy.until = "dead", 0
        elif holder in (copy, None) or holder.until <= self.now or holder.state != "live":
            copy.until, self.holders[lane] = self.now + delay, copy
        else:
            copy.until = 0

    @rule(inbox=agents, pick=st.integers(0, 5), again=st.booleans())
    def letters(self, inbox: str, pick: int, again: bool) -> None:
        dead = self.of(inbox).dead()
        exhausted = [c for c in self.copies if c.sent.inbox == inbox and c.tries >= TRIES]
        assert {one.id for one in dead} <= {copy.sent.id for copy in exhausted}
        for copy in exhausted:
            assert copy.state != "dead" or copy.sent.id in {one.id for one in dead}
        if dead:
            letter = dead[pick % len(dead)]
            copy = next(c for c in exhausted if c.sent.id == letter.id)
            if again:
                self.of(inbox).retry(letter.id)
                kept = max(copy.sent.ends, self.clock.now_ms())  # a dead letter lives for a week
                copy.sent = copy.sent._replace(ends=kept + 7 * 86_400_000)
                self.known[copy.sent.id] = copy.sent.ends
                copy.state, copy.tries, copy.until, copy.receipt = "live", 0, 0, ""
            else:
                self.of(inbox).discard(letter.id)
                copy.state = "gone"

    @rule(ms=st.sampled_from([1, 50, 100, 200]))
    def wait(self, ms: int) -> None:
        self.clock.advance(ms)
        self.server.advance(ms)
        self.tell_time()

    @invariant()
    def inboxes_hold_what_they_should(self) -> None:
        for inbox in AGENTS:
            held_here = [one.id for one in self.of(inbox).peek() if one.expires_at.timestamp() * 1e3
                         > self.now]  # fmt: skip
            wanted = [
                c.sent.id for c in self.copies
                if c.sent.inbox == inbox and c.state == "live" and c.sent.ends > self.now
            ]  # fmt: skip
            dead = {one.id for one in self.of(inbox).dead()}
            exhausted = {c.sent.id for c in self.copies if c.state == "exhausted"}
            assert set(wanted) <= set(held_here) <= set(wanted) | exhausted
            assert dead.isdisjoint(wanted)
            assert held_here == [i for i in self.known if i in held_here]

    def teardown(self) -> None:
        report = verify_store(self.memory.store)
        self.memory.close()
        assert report.ok, report.findings


ROUNDS = settings(max_examples=50, stateful_step_count=40)


def test_every_history_agrees() -> None:
    run_state_machine_as_test(History, settings=ROUNDS)


def _no_receipt(books: Books, rows: list[Any], message: Message) -> Any:
    if not rows:
        raise StaleReceipt(id=message.id, inbox=message.inbox, why="ended")
    return held(rows[0], books.url)


def _unheld(self: Any, books: Books, one: Any) -> Message:
    delivery = one.delivery
    out = delivery._replace(
        visible_ms=books.now_ms + self._visible_ms, tries=delivery.tries + 1,
        receipt=self._store.clock.new_id(),
    )  # fmt: skip
    books.save(out)
    return one._replace(delivery=out).shown(out.receipt)  # type: ignore[no-any-return]


def _forgets_lane(self: Books, delivery: Any) -> None:
    if not self.tx.fetch("live_nos", (delivery.inbox, delivery.sender)):
        self.tx.run("drop_lane", (delivery.inbox, delivery.sender))


def _local_time(self: Books, store: Any, tx: Any, meta: Any, _: int) -> None:
    _BOOKS(self, store, tx, meta, store.clock.now_ms())


def _frees_lane(self: Books, delivery: Any) -> None:
    """Whoever is late frees the lane that another holds."""
    if self.tx.fetch("live_nos", (delivery.inbox, delivery.sender)):
        self.save_lane(Lane(delivery.inbox, delivery.sender, self.now_ms))
    else:
        self.tx.run("drop_lane", (delivery.inbox, delivery.sender))


def _same_try(self: Any, books: Books, one: Any) -> Message:
    before = one._replace(delivery=one.delivery._replace(tries=max(0, one.delivery.tries - 1)))
    return _HAND_OUT(self, books, before)


_HAND_OUT = messages_taking._Taking._hand_out
_SEND = messages.send
_BOOKS = Books.__init__


def _to_all(store: Any, letter: Any, **more: Any) -> Any:
    return _SEND(store, letter._replace(sender="nobody") if letter.swarm else letter, **more)


def _new_id(store: Any, letter: Any, **more: Any) -> Any:
    known = store.engine.read("message_of", (letter.id,))
    return _SEND(store, letter._replace(id=store.clock.new_id()) if known else letter, **more)


DEFECTS: dict[str, tuple[Any, str, Any]] = {
    "settling does not look at the receipt": (messages_taking, "_claimed", _no_receipt),
    "what is in hand holds nothing back": (messages_taking._Taking, "_hand_out", _unheld),
    "the lane is not freed": (Books, "step_aside", _forgets_lane),
    "whoever is late frees the lane": (Books, "step_aside", _frees_lane),
    "tries are not counted": (messages_taking._Taking, "_hand_out", _same_try),
    "visibility goes by the local clock": (
        Books, "__init__", _local_time,
    ),
    "nothing ever expires": (messages_taking, "is_over", lambda *_: False),
    "everything expires at once": (messages_taking, "is_over", lambda *_: True),
    "a broadcast comes back": (posting.posts, "send", _to_all),
    "a known id is sent again": (posting.posts, "send", _new_id),
    "a dead letter is lost": (Books, "bury", lambda self, one: self.end(one.delivery)),
    "a retried letter keeps its tries": (
        messages_upkeep.Books, "revive", lambda self, one: self.save(one),
    ),
}  # fmt: skip
FIRST = settings(
    max_examples=250, stateful_step_count=30, phases=[Phase.generate], derandomize=True
)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, defect = DEFECTS[name]
    monkeypatch.setattr(owner, attribute, defect)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 — one failure or a group of them
        run_state_machine_as_test(History, settings=FIRST)
    assert "assert" in str(caught.getrepr()).lower()
