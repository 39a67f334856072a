"""A thousand messages, and a consumer that is killed fifty times: none lost, none done twice.

Every message has two effects, written under operation ids made of the message's. A consumer may die
before, between and after them; whoever comes next does what is missing, in the order of sending.
"""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from collections import defaultdict

from memtend.clock import SystemClock
from memtend.errors import StaleReceipt
from memtend.memory import Memory
from memtend.store.verify import verify_store

SENDERS = tuple(f"sender-{n}" for n in range(5))
MESSAGES = 1_000
KILLS = 50
VISIBLE_MS = 150
EFFECTS = "effects"


def consume(url: str) -> None:
    """Until the inbox has been empty for a while."""
    with Memory.open(url, durability="normal") as memory:
        inbox = memory.messages.of("worker")
        while found := inbox.receive(visible_ms=VISIBLE_MS, wait_s=2):
            [message] = found
            memory.increment("sums", message.sender, message.body, op_id=message.op_id("sum"))
            key = f"{message.sender}/{message.body}"
            memory.put(EFFECTS, key, message.tries, op_id=message.op_id("seen"))
            try:
                inbox.ack(message)
            except StaleReceipt:
                continue  # it took too long; what it did counts once


def start(url: str) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            consume(url)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def test_a_consumer_is_killed_fifty_times(lasting_url: str) -> None:
    dice = random.Random(lasting_url)
    with Memory.open(lasting_url, clock=SystemClock(), durability="normal") as memory:
        for n in range(1, MESSAGES // len(SENDERS) + 1):
            for sender in SENDERS:
                memory.messages.of(sender).send("worker", n, tries=KILLS + 2)
    for _ in range(KILLS):
        child = start(lasting_url)
        time.sleep(dice.uniform(0.02, 0.09))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
    _, status = os.waitpid(start(lasting_url), 0)
    assert status == 0

    per_sender = MESSAGES // len(SENDERS)
    with Memory.open(lasting_url, clock=SystemClock()) as memory:
        assert memory.messages.of("worker").backlog()[1:4] == (0, 0, 0)
        order: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for key, _ in memory.scan(EFFECTS, limit=2 * MESSAGES):
            record = memory.read(EFFECTS, key)
            assert record is not None
            sender, _, number = key.partition("/")
            order[sender].append((record.dot.n, int(number)))
        for sender in SENDERS:
            done = [number for _, number in sorted(order[sender])]
            assert done == list(range(1, per_sender + 1))
            assert memory.get("sums", sender) == per_sender * (per_sender + 1) // 2
        again = sum(tries > 1 for _, tries in memory.scan(EFFECTS, limit=2 * MESSAGES))
        print(f"{again} effects were written by a later delivery")
        assert verify_store(memory.store).ok


def test_two_consumers_share_an_inbox(lasting_url: str) -> None:
    """Each message is done by one of them, and each sender's in order."""
    with Memory.open(lasting_url, clock=SystemClock(), durability="normal") as memory:
        for n in range(1, 41):
            for sender in SENDERS:
                memory.messages.of(sender).send("worker", n, tries=KILLS + 2)
        children = [start(lasting_url) for _ in range(2)]
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
        assert memory.messages.of("worker").backlog().waiting == 0
        for sender in SENDERS:
            assert memory.get("sums", sender) == 820
            dots = [memory.read(EFFECTS, f"{sender}/{n}") for n in range(1, 41)]
            order = [record.dot.n for record in dots if record is not None]
            assert order == sorted(order)
            assert len(order) == 40
