"""Messages in backups and restores, under erasure, damage, forks and the sweep."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from memtend.clock import ManualClock, SystemClock
from memtend.errors import StaleReceipt
from memtend.limits import MESSAGE_TTL_MS, MESSAGE_VISIBLE_MS
from memtend.memory import Memory
from memtend.messaging import Messages
from memtend.model.subject import Subject
from memtend.services import Services, open_services
from memtend.serving.fresh import apply_fresh, plan_fresh
from memtend.settings import Settings
from memtend.store.messages_upkeep import mark
from memtend.store.verify import verify_store
from tests.fixtures.erasing import erase
from tests.fixtures.messages import Town, bodies
from tests.fixtures.stores import run_sql

CANARY = "canary-7d20b9e1"


@pytest.fixture
def services(town: Town, tmp_path: Path) -> Services:
    """Over the town's own store, so that one clock rules over both."""
    settings = Settings(
        backup_url=f"{tmp_path}/backups",
        plans_url=f"{tmp_path}/plans",
        archive_url=f"{tmp_path}/archive",
    )
    return Services(town.memory, settings)


def of(services: Services, agent: str) -> Messages:
    return services.memory.messages.of(agent)


def restore(services: Services) -> None:
    services.apply_restore(services.plan_restore())
    report = services.verify_store()
    assert report.ok, report.findings


def test_a_restore_brings_back_what_waited(services: Services, town: Town) -> None:
    """In order, with the members; what was acknowledged since does not come again, and its id is
    known. What was sent since is gone with everything else that came since, and may be sent
    again."""
    ada, bob = town("ada"), town("bob")
    for agent in ("ada", "bob", "carl"):
        ada.subscribe("hive", agent)
    for n in range(3):
        ada.send("bob", n, id=f"m{n}")
    ada.broadcast("hive", "all", id="all")
    dead = ada.send("dora", "dead", tries=1)
    town("dora").nack(town("dora").receive()[0])
    [working] = bob.receive()
    services.take_backup()
    bob.ack(working)
    town("carl").ack(town("carl").receive()[0])
    ada.send("bob", "since", id="since")
    ada.send("eve", "done since", id="done")
    assert bodies(town("eve")) == ["done since"]
    restore(services)
    assert ada.members("hive") == ["ada", "bob", "carl"]
    assert bodies(bob) == [1, 2, "all"]
    assert town("carl").peek() == []
    assert [letter.id for letter in town("dora").dead()] == [dead]
    ada.send("bob", "again", id="m0")
    ada.send("eve", "again", id="done")
    ada.broadcast("hive", "again", id="all")
    assert town("eve").peek() == []
    ada.send("bob", "since", id="since")
    assert bodies(bob) == ["since"]
    with pytest.raises(StaleReceipt):
        bob.ack(working._replace(receipt="another"))


def test_what_was_being_worked_on_comes_again_in_time(services: Services, town: Town) -> None:
    ada, bob = town("ada"), town("bob")
    ada.send("bob", 1)
    ada.send("bob", 2)
    [working] = bob.receive()
    services.take_backup()
    restore(services)
    assert bob.receive() == []
    bob.ack(working)
    assert bodies(bob) == [2]
    restore(services)
    town.advance(MESSAGE_VISIBLE_MS)
    assert bob.peek() == bob.receive() == []


def test_a_store_with_new_messages_is_not_thrown_away(services: Services, town: Town) -> None:
    """A second restore keeps what the first one left, if only messages came since."""
    services.memory.put("a", "k", 1)
    town("ada").send("bob", 0)
    services.take_backup()
    restore(services)
    town("ada").send("bob", 1)
    restore(services)
    assert len(town("bob").peek()) == 1
    services.undo_restore()
    assert bodies(town("bob")) == [0, 1]


def test_backups_that_stream_notice_messages(services: Services, town: Town) -> None:
    before = mark(town.memory.store)
    town("ada").send("bob", 1)
    sent = mark(town.memory.store)
    bodies(town("bob"))
    assert len({before, sent, mark(town.memory.store)}) == 3
    calls = iter([False, False, True])

    def ended(_: float) -> bool:
        town("ada").send("bob", 2)
        return next(calls)

    reports = list(services.stream_backups(None, "", every_s=1, ended=ended, missed=print))
    assert len(reports) == 4


def test_a_restore_into_a_new_place_has_them(
    services: Services, tmp_path: Path, clock: ManualClock
) -> None:
    of(services, "ada").send("bob", 1)
    services.take_backup()
    url = f"{tmp_path}/new.db"
    apply_fresh(plan_fresh(services.settings, clock), url, services.settings, clock)
    with Memory.open(url, clock=clock) as memory:
        assert len(memory.messages.of("bob").peek()) == 1
        assert verify_store(memory.store).ok


def test_the_sweep_lets_go_of_them(services: Services, town: Town) -> None:
    town("ada").send("bob", 1)
    town("ada").send("bob", 2)
    town.advance(MESSAGE_TTL_MS)
    services.apply_sweep(services.plan_sweep())
    assert town("bob").backlog().waiting == 0
    assert len(run_sql(town.memory, "SELECT no FROM message")) == 1  # so that no number comes again


@pytest.mark.parametrize("kind", ["agent", "writer", "namespace"])
def test_the_erased_leave_no_message(services: Services, town: Town, kind: str) -> None:
    """Neither those they sent nor those they were sent, and no backup brings them back."""
    gone, bob = town(CANARY), town("bob")
    for agent in ("bob", CANARY):
        bob.subscribe("hive", agent)
    gone.send("bob", f"{CANARY} says")
    bob.send(CANARY, f"tell {CANARY} of it")
    bob.broadcast("hive", "all")
    bob.send("carl", "untouched")
    asked = gone.send("carl", "asking", id=f"asking-{CANARY}")
    town("carl").reply(town("carl").receive(limit=2)[0]._replace(sender=CANARY, id=asked), "yes")
    services.take_backup()
    if kind == "namespace":
        subject = Subject.of_namespace(f"messages/{CANARY}")
    else:
        subject = Subject.of_agent(CANARY) if kind == "agent" else Subject.of_writer(CANARY)
    assert services.plan_erase(subject).messages >= 3
    report = erase(services, subject)
    assert report.messages >= 3
    assert CANARY not in report.model_dump_json()
    left = [str(row) for row in run_sql(town.memory, "SELECT sender, recipient, id FROM message")]
    senders = [row for row in left if CANARY in row]
    assert len(senders) == (2 if kind == "namespace" else 0)
    assert gone.peek() == gone.dead() == []
    gone.send("bob", "a new life")
    restore(services)
    assert len(run_sql(town.memory, "SELECT sender FROM message WHERE sender = 'bob'")) == 2
    assert bob.members("hive") == ["bob"]
    erase(services, Subject.of_agent(CANARY))


def test_an_erasure_spares_what_comes_later(services: Services, town: Town) -> None:
    town("ada").send("bob", "before")
    erase(services, Subject.of_agent("ada"))
    town("ada").send("bob", "after")
    town("ada").subscribe("hive")
    services.take_backup()
    restore(services)
    assert bodies(town("bob")) == ["after"]
    assert town("ada").members("hive") == ["ada"]


DAMAGES = (
    "UPDATE message SET sender = 'eve'",
    "UPDATE message SET body = '[1]'",
    "UPDATE message SET pending = 2",
    "DELETE FROM message",
    "DELETE FROM delivery",
    "DELETE FROM lane",
    "DELETE FROM inbox",
    "UPDATE delivery SET tries = 0, visible_ms = 7",
    "UPDATE lane SET due_ms = 0",
    "UPDATE inbox SET waiting = 0",
    "UPDATE member SET agent = 'eve'",
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found(damageable: Memory, damage: str) -> None:
    ada = damageable.messages.of("ada")
    ada.subscribe("hive", "bob")
    ada.send("bob", {"n": 1})
    statement = damage
    if damageable.store.engine.kind == "postgresql":
        statement = damage.replace("'[1]'", r"'\x5b315d'::bytea")
    run_sql(damageable, statement)
    assert not verify_store(damageable.store).ok


@pytest.mark.parametrize("column", ["sender", "body"])
def test_a_damaged_message_is_never_delivered(damageable: Memory, column: str) -> None:
    """It is put aside, and the rest goes on."""
    ada, bob = damageable.messages.of("ada"), damageable.messages.of("bob")
    ada.send("bob", "one")
    ada.send("bob", "two")
    value = "'eve'" if column == "sender" else "X'00'"
    if damageable.store.engine.kind == "postgresql" and column == "body":
        value = r"'\x00'::bytea"
    run_sql(damageable, f"UPDATE message SET {column} = {value} WHERE no = 1")
    assert bodies(bob) == ["two"]
    [letter] = bob.dead()
    assert (letter.damaged, letter.body, letter.number) == (True, None, 1)


def test_messages_live_through_a_fork(lasting_url: str) -> None:
    """A child sends and receives on connections of its own, and so does a waiter in it."""
    with Memory.open(lasting_url, clock=SystemClock()) as memory:
        ada, bob = memory.messages.of("ada"), memory.messages.of("bob")
        ada.send("bob", "parent")
        child = os.fork()
        if child == 0:
            status = 1
            try:
                [one] = bob.receive(wait_s=20)
                bob.reply(one, "child")
                bob.ack(one)
                [two] = bob.receive(wait_s=20)
                bob.ack(two)
                status = 0
            finally:
                os._exit(status)
        ada.send("bob", "later")
        _, status = os.waitpid(child, 0)
        assert status == 0
        assert bob.backlog().waiting == 0
        assert verify_store(memory.store).ok


def test_two_services_see_one_inbox(lasting_town: Town, tmp_path: Path) -> None:
    town = lasting_town
    settings = Settings(backup_url=f"{tmp_path}/b")
    with open_services(town.url, settings=settings, clock=town.clock) as other:
        town("ada").send("bob", 1)
        [one] = of(other, "bob").receive()
        assert town("bob").receive() == []
        town("bob").ack(one)
        assert of(other, "bob").backlog().waiting == 0
