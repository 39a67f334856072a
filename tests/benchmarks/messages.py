"""Messages: sending, receiving and acknowledging one, against three raw durable writes.

At two depths of backlog, from several senders: what waits must not make the rest slower. A round is
a few messages sent, received and acknowledged one by one; the backlog is as deep afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from memtend.memory import Memory
from tests.benchmarks.data import item
from tests.benchmarks.harness import Case, Inputs, Row, Side, each, expect, measure
from tests.benchmarks.postgres import RAW as RAW_POSTGRES
from tests.benchmarks.postgres import RawPostgres, cluster
from tests.benchmarks.raw import Raw

SIZES = (1_000, 9_900)  # the second almost fills the inbox
SENDERS = 10
ROUNDS = 21
EACH = 20
TARGET = 4.0
SQLITE, POSTGRES = "message, SQLite", "message, PostgreSQL"
RAW = "raw sqlite3, three durable writes"


def rows(folder: Path) -> Iterator[Row]:
    folder.mkdir(parents=True)
    for size in SIZES:
        url = f"sqlite:///{folder}/{size}.db"
        _fill(url, size)
        with Memory.open(url) as memory, closing(Raw(folder / f"{size}-raw.db", "FULL")) as raw:
            yield from _passed(SQLITE, size, memory, RAW, raw.put)
    with cluster() as server:
        for size in SIZES:
            with server.database() as url, server.database() as other:
                _fill(url, size)
                with Memory.open(url) as memory, closing(RawPostgres(other)) as raw_postgres:
                    name = f"{RAW_POSTGRES}, three durable writes"
                    yield from _passed(POSTGRES, size, memory, name, raw_postgres.put)


def _fill(url: str, size: int) -> None:
    """A backlog, without waiting for the disk."""
    with Memory.open(url, durability="normal") as memory:
        senders = [memory.messages.of(f"sender-{n}") for n in range(SENDERS)]
        for n in range(size):
            senders[n % SENDERS].send("worker", {"n": n})


def _passed(
    name: str, size: int, memory: Memory, against: str, put: Callable[[Any], None]
) -> list[Row]:
    worker, numbers = memory.messages.of("worker"), count()
    senders = [memory.messages.of(f"sender-{n}") for n in range(SENDERS)]

    def ours(n: int) -> int:
        senders[n % SENDERS].send("worker", {"n": n})
        [message] = worker.receive()
        worker.ack(message)
        return message.tries

    def theirs(n: int) -> None:
        for step in range(3):
            put(item(3 * n + step))

    def inputs(_: int) -> Inputs:
        return [next(numbers) for _ in range(EACH)]

    def check(asked: Inputs, found: Any) -> None:
        expect(found, [1] * len(asked), "each is delivered once")
        expect(worker.backlog().waiting, size, "backlog")

    case = Case(f"{name}: send + receive + ack", size, inputs, check, ROUNDS)
    side = Side(against, each(theirs), TARGET, check=lambda *_: None)
    return measure(case, Side("memtend", each(ours)), [side])
