"""Messages as a model: lists and a clock, beside a store. Every history must agree.

The store's clock and the server's are an hour apart, so that neither is taken for the other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from memtend.clock import ManualClock
from memtend.errors import MessageIdTaken, StaleReceipt
from memtend.memory import Memory
from memtend.model.message import Message
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
        self.whose: dict[str, tuple[str, str]] = {}
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
        post = partial(self.of(sender).send, topic=topic, ttl_ms=ttl)
        if (made := self.post(post, sender, to, id_)) is not None:
            self.remember(made, sender, [to], topic, ttl)

    @rule(sender=agents, id_=ids)
    def broadcast(self, sender: str, id_: str | None) -> None:
        if (made := self.post(self.of(sender).broadcast, sender, "hive", id_)) is not None:
            self.remember(made, sender, sorted(self.members - {sender}), "", 86_400_000)

    def post(self, post: Any, sender: str, to: str, id_: str | None) -> str | None:
        taken = id_ is not None and self.whose.setdefault(id_, (sender, to)) != (sender, to)
        try:
            made: str = post(to, 1, id=id_, tries=TRIES)
        except MessageIdTaken:
            assert taken, "an id is refused that is nobody else's"
            return None
        assert not taken, "an id serves two messages"
        return made

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
            if mine and topic in ("", copy.sent.topic):
                if copy.sent.ends <= self.now:
                    copy.state = "late"  # gone as soon as somebody looks
                    continue
                if copy.tries < TRIES:
                    return copy
                copy.state = "exhausted"  # dead as soon as somebody looks
        return None

    def hand(self, pick: int) -> Message | None:
        """One of the last that were received, settled or not."""
        return self.hands[-min(pick, len(self.hands))] if self.hands else None

    def settle(self, message: Message | None, act: Callable[[Message], object]) -> Copy | None:
        """Do it with some receipt ever given; the copy, if the receipt was to be good."""
        if message is None:
            return None
        place = (message.id, message.inbox)
        copy = next(c for c in self.copies if (c.sent.id, c.sent.inbox) == place)
        good = copy.state in ("live", "late", "exhausted") and copy.receipt == message.receipt
        again = copy.state == f"done {message.receipt}"
        try:
            act(message)
        except StaleReceipt:
            assert not good or copy.state != "live"
            return None
        assert good or again
        return copy if good else None

    @rule(sender=agents, inbox=agents)
    def be_slow(self, sender: str, inbox: str) -> None:
        """One lets its time run out, another takes the next, and the first settles all the same."""
        self.send(sender, inbox, "", None, 1_000_000)
        self.send(sender, inbox, "x", None, 1_000_000)
        before = len(self.hands)
        self.receive(inbox, 2, "")
        first = self.hands[before:]
        self.wait(VISIBLE_MS)
        self.receive(inbox, 2, "x")
        for message in first:
            self.done(message)
        self.receive(inbox, 2, "")

    @rule(inbox=agents)
    def be_quick(self, inbox: str) -> None:
        self.receive(inbox, 1, "")
        self.ack(1)
        self.receive(inbox, 1, "")

    @rule(sender=agents, inbox=agents)
    def be_late(self, sender: str, inbox: str) -> None:
        self.send(sender, inbox, "", None, 250)
        self.wait(250)
        self.receive(inbox, 2, "")

    @rule(sender=agents, inbox=agents, again=st.booleans())
    def be_clumsy(self, sender: str, inbox: str, again: bool) -> None:
        """Give back whatever comes, until it is a dead letter, and look at those."""
        self.send(sender, inbox, "", None, 1_000_000)
        self.wait(200)
        for _ in range(TRIES):
            self.receive(inbox, 1, "")
            self.nack(1, 0)
        self.letters(inbox, 0, again)
        self.receive(inbox, 1, "")

    @rule(pick=picks)
    def ack(self, pick: int) -> None:
        self.done(self.hand(pick))

    def done(self, message: Message | None) -> None:
        copy = self.settle(message, lambda m: self.of(m.inbox).ack(m))
        if copy is not None and message is not None:
            copy.state = f"done {message.receipt}"

    @rule(pick=picks, delay=st.sampled_from([0, 0, 150]))
    def nack(self, pick: int, delay: int) -> None:
        copy = self.settle(self.hand(pick), lambda m: self.of(m.inbox).nack(m, delay_ms=delay))
        if copy is None:
            return
        copy.receipt = ""
        lane = (copy.sent.inbox, copy.sent.sender)
        holder = self.holders.get(lane)
        copy.state = "live"
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
