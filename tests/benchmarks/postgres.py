"""PostgreSQL: our store and raw psycopg on one cluster that really fsyncs, over loopback TCP.

Raw: one table, one unique index, server-side prepared statements, binary results, one statement
per transaction (autocommit), so one round trip per operation. `put_many` is measured against
psycopg's pipelined `executemany`, which replaces what is there as ours does; COPY, which cannot
replace, stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from unittest.mock import patch

import orjson
import psycopg

from memtend.memory import Memory
from tests.benchmarks.data import Item, item, key_of, namespace_of, some
from tests.benchmarks.harness import Case, Inputs, Row, Side, chunks, each, expect, measure
from tests.benchmarks.stores import BATCH, puts
from tests.fixtures import postgres as fixture

SIZE = 10_000
RAW = "raw psycopg"
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
SCHEMA = (
    'CREATE TABLE record (ns text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, '
    "value bytea NOT NULL, expires bigint, UNIQUE (ns, key))"
)
GET = "SELECT value, expires FROM record WHERE ns = %s AND key = %s"
GET_MANY = "SELECT key, value, expires FROM record WHERE ns = %s AND key = ANY(%s)"
PUT = (
    "INSERT INTO record (ns, key, value, expires) VALUES (%s,%s,%s,%s) "
    "ON CONFLICT (ns, key) DO UPDATE SET value = excluded.value, expires = excluded.expires"
)


class RawPostgres:
    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True, prepare_threshold=0)
        self.connection.execute(SCHEMA)

    def get(self, at: tuple[str, str]) -> Any:
        row = self.connection.execute(GET, at, binary=True).fetchone()
        return None if row is None else orjson.loads(row[0])

    def get_many(self, namespace: str, keys: list[str]) -> dict[str, Any]:
        rows = self.connection.execute(GET_MANY, (namespace, keys), binary=True).fetchall()
        return {key: orjson.loads(value) for key, value, _ in rows}

    def put(self, one: Item) -> None:
        self.connection.execute(PUT, (one.namespace, one.key, orjson.dumps(one.value), None))

    def put_many(self, items: Inputs) -> None:
        rows = [(ns, key, orjson.dumps(value), None) for ns, key, value, _ in items]
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.executemany(PUT, rows)

    def copy_many(self, items: Inputs) -> None:
        """Only for new keys, which is why every round's are moved aside."""
        with self.connection.cursor() as cursor, cursor.copy("COPY record FROM STDIN") as copy:
            for ns, key, value, _ in items:
                copy.write_row((ns, f"copied/{key}", orjson.dumps(value), None))

    def close(self) -> None:
        self.connection.close()


@contextmanager
def cluster() -> Iterator[fixture.PostgresServer]:
    """The tests' throw-away cluster, with the safety on that tests do without."""
    binaries = fixture.find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL's binaries were not found: pip install -e '.[bench]'")
    with patch.dict(fixture.QUICK, DURABLE), fixture.running_cluster(binaries) as server:
        yield server


def rows() -> Iterator[Row]:
    with (
        cluster() as server,
        server.database() as url,
        server.database() as raw_url,
        Memory.open(url) as memory,
        closing(RawPostgres(raw_url)) as raw,
    ):
        for numbers in chunks(range(SIZE), BATCH):
            items = [item(n) for n in numbers]
            memory.put_many(puts(items))
            raw.put_many(items)
        memory.store.engine.script("VACUUM ANALYZE")
        raw.connection.execute("VACUUM ANALYZE")
        for step in (_get, _get_many, _put, _put_many):
            yield from step(memory, raw)


def _get(memory: Memory, raw: RawPostgres) -> list[Row]:
    def inputs(turn: int) -> Inputs:
        return [(namespace_of(n), key_of(n)) for n in some(SIZE, 100, f"get{turn}")]

    case = Case("PostgreSQL get", SIZE, inputs, _right, rounds=31)
    ours = Side("memtend", each(lambda at: memory.get(*at)))
    return measure(case, ours, [Side(RAW, each(raw.get), 1.5)])


def _get_many(memory: Memory, raw: RawPostgres) -> list[Row]:
    def inputs(turn: int) -> Inputs:
        return [
            (namespace_of(n), [key_of(n % 10 + 10 * m) for m in range(n // 100, n // 100 + 100)])
            for n in some(SIZE // 2, 5, f"many{turn}")
        ]

    def check(asked: Inputs, found: Any) -> None:
        for (_, keys), answer in zip(asked, found, strict=True):
            expect(answer, {key: item(_number(key)).value for key in keys}, "get_many")

    case = Case("PostgreSQL get_many(100)", SIZE, inputs, check, rounds=21)
    ours = Side("memtend", each(lambda one: memory.get_many(*one)))
    return measure(case, ours, [Side(RAW, each(lambda one: raw.get_many(*one)), 1.5)])


def _put(memory: Memory, raw: RawPostgres) -> list[Row]:
    def inputs(turn: int) -> Inputs:
        return [item(n, turn + 1) for n in some(SIZE, 25, f"put{turn}") if n % 10]

    work = each(lambda one: memory.put(one.namespace, one.key, one.value))
    case = Case("PostgreSQL put, durable, replacing", SIZE, inputs, _kept(memory), rounds=31)
    return measure(case, Side("memtend", work), [Side(RAW, each(raw.put), 1.5, check=_kept(raw))])


def _put_many(memory: Memory, raw: RawPostgres) -> list[Row]:
    def inputs(turn: int) -> Inputs:
        first = SIZE + turn * BATCH
        return [item(n) for n in range(first, first + BATCH)]

    name = "PostgreSQL put_many(1000), durable"
    case = Case(name, SIZE, inputs, _kept(memory), rounds=11, unit="rows/s")
    ours = Side("memtend", lambda items: memory.put_many(puts(items)))
    others = [
        Side(f"{RAW} executemany", raw.put_many, 0.5, check=_kept(raw)),
        Side(f"{RAW} COPY", raw.copy_many, check=_copied(raw)),
    ]
    return measure(case, ours, others)


def _right(asked: Inputs, found: Any) -> None:
    expect(found, [item(_number(key)).value for _, key in asked], "get")


def _kept(side: Memory | RawPostgres) -> Callable[[Inputs, Any], None]:
    def check(items: Inputs, _answer: Any) -> None:
        wanted = {(one.namespace, one.key): one.value for one in items}
        read = (lambda at: side.get(*at)) if isinstance(side, Memory) else side.get
        expect({at: read(at) for at in wanted}, wanted, "read back")

    return check


def _copied(raw: RawPostgres) -> Callable[[Inputs, Any], None]:
    def check(items: Inputs, _answer: Any) -> None:
        last = items[-1]
        expect(raw.get((last.namespace, f"copied/{last.key}")), last.value, "copied")

    return check


def _number(key: str) -> int:
    return int(key.rpartition("/")[2])
