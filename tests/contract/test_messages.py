"""Messages: sent once, delivered until acknowledged, in order per sender, on every engine."""

from __future__ import annotations

import pytest

from memtend.errors import (
    InboxFull,
    InvalidName,
    InvalidValue,
    LimitExceeded,
    MessageIdTaken,
    NoMessage,
    StaleReceipt,
)
from memtend.limits import (
    INBOX_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    MESSAGE_DEAD_KEEP_MS,
    MESSAGE_TTL_MS,
    MESSAGE_VISIBLE_MS,
)
from memtend.store.messages_upkeep import message_facts
from tests.fixtures.messages import Town, bodies

HOUR_MS = 3_600_000


def test_a_message_is_delivered_until_it_is_acknowledged(town: Town) -> None:
    ada, bob = town("ada"), town("bob")
    sent = ada.send("bob", {"task": 7}, topic="work/new")
    [first] = bob.receive()
    assert (first.id, first.sender, first.to, first.topic) == (sent, "ada", "bob", "work/new")
    assert (first.body, first.tries) == ({"task": 7}, 1)
    assert bob.receive() == []
    town.advance(MESSAGE_VISIBLE_MS - 1)
    assert bob.receive() == []
    town.advance(1)
    [again] = bob.receive()
    assert (again.id, again.tries) == (sent, 2)
    bob.ack(again)
    town.advance(HOUR_MS)
    assert bob.receive() == []
    assert bob.backlog().waiting == 0


def test_an_old_receipt_is_refused_once_somebody_else_has_it(town: Town) -> None:
    """Whoever was slow may still settle, until then; and the same settlement twice is one."""
    bob = town("bob")
    town("ada").send("bob", 1)
    [slow] = bob.receive()
    town.advance(MESSAGE_VISIBLE_MS)
    [quick] = bob.receive()
    for settle in (bob.ack, bob.nack, bob.extend):
        with pytest.raises(StaleReceipt) as caught:
            settle(slow)
        assert caught.value.code == 98
    town.advance(MESSAGE_VISIBLE_MS)
    bob.ack(quick)
    bob.ack(quick)
    with pytest.raises(StaleReceipt):
        bob.ack(slow)
    with pytest.raises(StaleReceipt):
        bob.ack(bob.peek()[0] if bob.peek() else quick._replace(receipt=""))


def test_messages_of_a_sender_come_in_the_order_of_sending(town: Town) -> None:
    """One at a time, whatever happens to it; other senders do not wait."""
    ada, bob, carl = town("ada"), town("bob"), town("carl")
    for n in range(4):
        ada.send("bob", f"a{n}")
    carl.send("bob", "c0")
    taken = bob.receive(limit=10)
    assert [one.body for one in taken] == ["a0", "c0"]
    bob.ack(taken[1])
    bob.nack(taken[0], delay_ms=500)
    assert bob.receive(limit=10) == []
    town.advance(500)
    assert bodies(bob) == ["a0", "a1", "a2", "a3"]


def test_senders_take_turns(town: Town) -> None:
    for n in range(3):
        town("ada").send("bob", f"a{n}")
    town.advance(1)
    town("carl").send("bob", "c0")
    town.advance(1)
    assert bodies(town("bob")) == ["a0", "c0", "a1", "a2"]


def test_a_repeated_id_is_accepted_and_does_nothing(town: Town) -> None:
    """Also after it was acknowledged, until its deadline has passed."""
    ada, bob = town("ada"), town("bob")
    assert ada.send("bob", 1, id="order-1", ttl_ms=HOUR_MS) == "order-1"
    ada.send("bob", 2, id="order-1")
    assert bodies(bob) == [1]
    ada.send("bob", 3, id="order-1")
    assert bodies(bob) == []
    town.advance(HOUR_MS)
    ada.send("bob", 4, id="other")
    assert ada.purge().messages == 1
    ada.send("bob", 5, id="order-1")
    assert bodies(bob) == [4, 5]


def test_an_id_stands_for_one_message(town: Town) -> None:
    """Else what another sends, or to somebody else, would be taken and never delivered."""
    ada, carl = town("ada"), town("carl")
    ada.send("bob", 1, id="job")
    for sender, to in ((carl, "bob"), (ada, "dave")):
        with pytest.raises(MessageIdTaken):
            sender.send(to, 2, id="job")
    with pytest.raises(MessageIdTaken):
        ada.broadcast("hive", 2, id="job")
    assert bodies(town("bob")) == [1]


def test_a_broadcast_reaches_every_member_but_the_sender(town: Town) -> None:
    agents = [town(name) for name in ("ada", "bob", "carl")]
    for agent in (*agents, agents[0]):
        agent.subscribe("hive")
    assert agents[0].members("hive") == ["ada", "bob", "carl"]
    sent = agents[0].broadcast("hive", "go", id="start")
    agents[0].broadcast("hive", "go", id="start")
    agents[2].unsubscribe("hive")
    agents[0].broadcast("hive", "on")
    assert [bodies(agent) for agent in agents] == [[], ["go", "on"], ["go"]]
    assert sent == "start"
    agents[1].broadcast("empty", "nobody hears")


def test_after_its_tries_it_is_a_dead_letter(town: Town) -> None:
    """And the rest goes on. It can be tried again, at its old place, or let go."""
    ada, bob = town("ada"), town("bob")
    poison = ada.send("bob", "poison", tries=2)
    ada.send("bob", "next")
    [one] = bob.receive()
    bob.nack(one)
    [one] = bob.receive()
    assert one.tries == one.tries_max == 2
    town.advance(MESSAGE_VISIBLE_MS)
    assert bodies(bob) == ["next"]
    [letter] = bob.dead()
    assert (letter.id, letter.body, letter.tries) == (poison, "poison", 2)
    assert bob.backlog()[1:4] == (0, len('"poison"'), 1)
    ada.send("bob", "later")
    bob.retry(poison)
    assert bob.dead() == []
    assert bodies(bob) == ["poison", "later"]
    with pytest.raises(NoMessage) as caught:
        bob.retry(poison)
    assert caught.value.code == 101


def test_a_dead_letter_is_kept_beyond_its_deadline(town: Town) -> None:
    ada, bob = town("ada"), town("bob")
    sent = ada.send("bob", "poison", tries=1, ttl_ms=1_000)
    [one] = bob.receive()
    bob.nack(one)
    town.advance(MESSAGE_DEAD_KEEP_MS - 1)
    ada.purge()
    assert [letter.id for letter in bob.dead()] == [sent]
    town.advance(1)
    assert ada.purge().deliveries == 1
    assert bob.dead() == []
    other = ada.send("bob", "again", tries=1)
    bob.nack(bob.receive()[0])
    bob.discard(other)
    ada.send("bob", "again", id=other)
    assert bob.peek() == bob.dead() == []


def test_what_has_expired_is_not_delivered(town: Town) -> None:
    """It is out of the way of what comes after; what is being worked on may be finished."""
    ada, bob = town("ada"), town("bob")
    ada.send("bob", "short", ttl_ms=1_000)
    ada.send("bob", "long")
    ada.send("carl", "busy", ttl_ms=1_000)
    [busy] = town("carl").receive()
    town.advance(1_000)
    assert bodies(bob) == ["long"]
    assert ada.purge() == (0, 1)
    assert town("carl").backlog().waiting == 1
    town("carl").ack(busy)
    ada.send("bob", "the last one's number is kept")
    assert ada.purge() == (0, 1)


def test_nothing_expires_under_a_clock_alarm(town: Town) -> None:
    town("ada").send("bob", 1, ttl_ms=1_000)
    town.advance(1_000)
    town.clock.jump(10 * HOUR_MS)
    assert town.clock.alarm_ms
    assert town("ada").purge() == (0, 0)
    assert bodies(town("bob")) == [1]


def test_a_topic_may_be_received_by_itself(town: Town) -> None:
    """It need not wait for what nobody has asked for, only for what is being worked on."""
    ada, bob = town("ada"), town("bob")
    for topic, body in (("x", 1), ("y", 2), ("x", 3), ("", 4)):
        ada.send("bob", body, topic=topic)
    [two] = bob.receive(topic="y")
    assert two.body == 2
    assert bob.receive(limit=5) == bob.receive(topic="x") == []
    bob.ack(two)
    assert bodies(bob, topic="x") == [1, 3]
    assert bob.receive(topic="z") == []
    assert bodies(bob) == [4]


def test_work_that_takes_longer_is_extended(town: Town) -> None:
    bob = town("bob")
    town("ada").send("bob", 1)
    [one] = bob.receive()
    town.advance(MESSAGE_VISIBLE_MS - 1)
    one = bob.extend(one, 60_000)
    town.advance(59_999)
    assert bob.receive() == []
    bob.ack(one)
    assert bob.backlog().waiting == 0


def test_a_full_inbox_refuses_more(town: Town) -> None:
    """The sender hears of it; what has expired makes room first."""
    ada, bob = town("ada"), town("bob")
    ada.subscribe("hive", "bob")
    ada.subscribe("hive", "carl")
    body = "x" * (MESSAGE_BYTES_MAX - 2)
    for _ in range(INBOX_BYTES_MAX // MESSAGE_BYTES_MAX):
        ada.send("bob", body)
    with pytest.raises(InboxFull) as caught:
        ada.send("bob", 1)
    assert (caught.value.code, caught.value.transient) == (99, True)
    with pytest.raises(InboxFull):
        ada.broadcast("hive", 1)
    assert town("carl").peek() == []
    assert message_facts(town.memory.store).fullest == 1
    [one] = bob.receive()
    bob.ack(one)
    ada.send("bob", 1)
    with pytest.raises(InboxFull):
        ada.send("bob", body)
    town.advance(MESSAGE_TTL_MS)
    ada.send("bob", body)
    assert bob.backlog().waiting == 1


def test_the_figures_are_known_without_counting(town: Town) -> None:
    facts = message_facts(town.memory.store)
    assert facts[:4] == (0, 0, 0, None)
    sent_ms = town.clock.now_ms()
    town("ada").send("bob", 1)
    town.advance(10)
    town("ada").send("carl", 2, tries=1)
    town("carl").nack(town("carl").receive()[0])
    facts = message_facts(town.memory.store)
    assert facts[:4] == (2, 1, 1, sent_ms)
    assert 0 < facts.fullest < 0.001
    assert town("ada").inboxes() == ["bob", "carl"]


@pytest.mark.parametrize(
    ("to", "more", "error"),
    [
        ("no one", {}, InvalidName),
        ("b" * 510, {}, InvalidName),
        ("bob", {"id": "a/b"}, InvalidName),
        ("bob", {"topic": "a b"}, InvalidName),
        ("bob", {"body": float("nan")}, InvalidValue),
        ("bob", {"body": "x" * MESSAGE_BYTES_MAX}, LimitExceeded),
        ("bob", {"ttl_ms": 0}, LimitExceeded),
        ("bob", {"tries": 0}, LimitExceeded),
    ],
)
def test_what_cannot_be_sent_is_refused(
    town: Town, to: str, more: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        town("ada").send(to, **{"body": 1, **more})  # type: ignore[arg-type]
