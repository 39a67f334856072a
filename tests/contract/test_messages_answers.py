"""Requests and answers, waiting, rights, asyncio, and turns that settle by themselves."""

from __future__ import annotations

import asyncio
import threading

import pytest

from memtend.clock import SystemClock
from memtend.errors import AccessDenied, NoReply, StaleReceipt
from memtend.memory import Memory
from memtend.messaging.receiving import Wanted
from memtend.model.message import Message
from memtend.store.notify import Waiter
from tests.fixtures.messages import Town, bodies


def test_a_request_gets_its_answer(town: Town) -> None:
    """It is not in the way of other messages, nor they in its way; and there is only one."""
    ada, bob = town("ada"), town("bob")
    bob.send("ada", "something else")
    with pytest.raises(NoReply) as caught:
        ada.request("bob", {"add": [1, 2]}, wait_s=0.02)
    asked = str(caught.value.facts["id"])
    assert (caught.value.code, caught.value.transient) == (100, True)
    [request] = bob.receive()
    bob.reply(request, {"sum": 3})
    bob.reply(request, {"sum": 4})
    assert bodies(ada) == ["something else"]
    answer = ada.answer(asked)
    assert answer is not None
    assert (answer.body, answer.reply_to, answer.sender) == ({"sum": 3}, asked, "bob")
    assert ada.answer(asked) is None
    assert town("carl").answer(asked) is None
    bob.ack(request)


def test_whoever_waits_is_woken_by_whoever_sends(store_url: str) -> None:
    """Long before the next look: a waiter hears of it."""
    with Memory.open(store_url, clock=SystemClock()) as memory:
        ada, bob = memory.messages.of("ada"), memory.messages.of("bob")
        got: list[object] = []

        def serve() -> None:
            for request in bob.receive(wait_s=30):
                bob.reply(request, request.body + 1)
                bob.ack(request)

        helper = threading.Thread(target=serve)
        helper.start()
        got.append(ada.request("bob", 1, wait_s=30).body)
        helper.join(30)
        assert got == [2]


def test_a_waiter_hears_what_was_told_since_it_listens(store_url: str) -> None:
    with (
        Memory.open(store_url, clock=SystemClock()) as memory,
        Waiter(memory.store, "bob") as waiter,
        Waiter(memory.store, "carl") as other,
    ):
        assert not waiter.wait(0)
        memory.messages.of("ada").send("bob", 1)
        assert waiter.wait(10)
        assert not other.wait(0.01)


def test_a_listening_connection_that_breaks_is_made_anew(postgres_url: str) -> None:
    with Memory.open(postgres_url, clock=SystemClock()) as memory:
        with Waiter(memory.store, "bob") as waiter:
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            memory.store.engine.script(f"{end}WHERE query LIKE 'LISTEN%'")
            assert waiter.wait(10)  # for nothing, but one looks
            assert waiter.wait(0.01)
            memory.messages.of("ada").send("bob", 1)
            assert waiter.wait(10)
            connection = waiter._ear._connection  # type: ignore[union-attr]
        assert connection.closed


def test_whoever_waits_while_the_server_is_away_goes_on_waiting(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Being told is a hint: what is the matter, the next look says."""
    with Memory.open(postgres_url, clock=SystemClock()) as memory:
        engine = memory.store.engine
        real = engine._dsn  # type: ignore[attr-defined]
        monkeypatch.setattr(engine, "_dsn", "host=127.0.0.1 port=1")
        with Waiter(memory.store, "bob") as waiter:
            assert not waiter.wait(0.01)
            monkeypatch.setattr(engine, "_dsn", real)
            assert waiter.wait(10)  # for nothing, but one looks
            memory.messages.of("ada").send("bob", 1)
            assert waiter.wait(10)


def test_what_becomes_visible_by_itself_is_waited_for(store_url: str) -> None:
    with Memory.open(store_url, clock=SystemClock()) as memory:
        ada, bob = memory.messages.of("ada"), memory.messages.of("bob")
        ada.send("bob", 1)
        bob.nack(bob.receive()[0], delay_ms=30)
        assert bob.receive() == []
        assert [one.body for one in bob.receive(wait_s=30)] == [1]


def test_a_turn_is_acknowledged_or_given_back(town: Town) -> None:
    ada, bob = town("ada"), town("bob")
    for n in range(3):
        ada.send("bob", n)
    seen = []
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        for turn in bob.consume():
            with turn as message:
                seen.append(message.body)
                _ = 1 // (1 - message.body)
    assert seen == [0, 1]
    assert bob.receive() == []  # it waits before it is tried again
    town.advance(1_000)
    for turn in bob.consume(limit=1):
        with turn as message:
            turn.extend(60_000)
            assert (message.body, message.tries) == (1, 2)
    assert bodies(bob) == [2]


def test_whoever_is_late_learns_it_at_the_end_of_the_turn(town: Town) -> None:
    bob = town("bob")
    town("ada").send("bob", 1)
    with pytest.raises(StaleReceipt):  # noqa: PT012
        for turn in bob.consume(visible_ms=100):
            with turn:
                town.advance(100)
                assert len(bob.receive()) == 1


def test_effects_are_written_once_however_often_it_is_delivered(town: Town) -> None:
    """Under operation ids made of the message's, which are known for as long as it is."""
    bob = town("bob")
    town("ada").send("bob", 5)
    for _ in range(3):
        [one] = bob.receive()
        town.memory.increment("sums", "n", one.body, op_id=one.op_id())
        town.memory.put("log", f"m{one.number}", one.tries, op_id=one.op_id("log"))
        town.advance(30_000)
    assert town.memory.get("sums", "n") == 5
    assert town.memory.get("log", "m1") == 1
    bob.ack(one)
    assert [len(row) for row in town.memory.store.engine.read("stream_op")] == [4, 4]
    town.advance(24 * 3_600_000)
    town("ada").send("bob", 6)
    bob.purge()
    assert town.memory.store.engine.read("stream_op") == []


def test_an_agent_receives_only_its_own(lasting_town: Town) -> None:
    town = lasting_town
    with town.open("ada") as ada, town.open("bob") as bob:
        ada.messages.send("bob", 1)
        with pytest.raises(AccessDenied):
            ada.messages.receive("bob")
        with pytest.raises(AccessDenied):
            ada.messages.of("bob")
        [one] = bob.messages.receive()
        with pytest.raises(AccessDenied):
            ada.messages.ack(one)
        assert ada.messages.inboxes() == []
        town.memory.config.grant("bob", "messages/carl", "write", "owner")
        town.memory.config.grant("ada", "messages/bob", "admin", "owner")
        with pytest.raises(AccessDenied):
            bob.messages.send("ada", 1)
        bob.messages.reply(one, "answering is allowed")
        bob.messages.send("carl", 1)
        ada.messages.ack(one)
        answer = ada.messages.answer(one.id)
        assert answer is not None
        with pytest.raises(AccessDenied):
            ada.messages.subscribe("hive")
        with pytest.raises(AccessDenied):
            ada.messages.broadcast("hive", 1)


def test_nothing_blocks_the_loop(town: Town) -> None:
    """Requests, answers and consumers of one event loop get along."""
    ada, bob = town("ada"), town("bob")

    async def serve() -> int:
        served = 0
        async for turn in bob.aconsume(wait_s=5, limit=3):
            async with turn as message:
                await bob.areply(message, message.body * 2)
                served += 1
        return served

    async def work() -> tuple[int, list[object]]:
        serving = asyncio.create_task(serve())
        answers = await asyncio.gather(*(ada.arequest("bob", n, wait_s=20) for n in range(3)))
        return await serving, [one.body for one in answers]

    assert asyncio.run(work()) == (3, [0, 2, 4])


def test_what_a_cancelled_task_was_given_has_not_been_tried(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a message would be a dead letter that nobody has ever seen."""
    ada, bob = town("ada"), town("bob")
    ada.send("bob", 1, tries=1)
    taken, go = threading.Event(), threading.Event()
    take = bob._take

    def slowly(wanted: Wanted) -> list[Message]:
        found = take(wanted)
        taken.set()
        go.wait(30)
        return found

    async def work() -> None:
        monkeypatch.setattr(bob, "_take", slowly)
        receiving = asyncio.create_task(bob.areceive())
        await asyncio.to_thread(taken.wait, 30)
        receiving.cancel()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await receiving

    asyncio.run(work())
    assert bodies(bob) == [1]


def test_who_is_cancelled_keeps_nothing(town: Town) -> None:
    ada, bob = town("ada"), town("bob")

    async def work() -> None:
        waiting = asyncio.create_task(bob.areceive(wait_s=60))
        await asyncio.sleep(0.02)
        sending = asyncio.create_task(ada.asend("bob", 1))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await sending
        assert await bob.areceive(limit=1, wait_s=5) != []

    asyncio.run(work())
