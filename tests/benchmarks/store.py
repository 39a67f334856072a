"""Reads and writes of one process on SQLite: get, put, batches, pages, tags, file size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from memtend.memory import Memory
from tests.benchmarks.data import (
    NAMESPACES,
    PER_TAG,
    TAGGED_EVERY,
    Item,
    item,
    key_of,
    namespace_of,
    numbers,
    some,
    tagged,
)
from tests.benchmarks.harness import Case, Inputs, Row, Side, each, expect, measure
from tests.benchmarks.peers import DISKCACHE, SHIPPED, WAL
from tests.benchmarks.stores import BATCH, Stores, puts

RAW = "raw sqlite3"
BOOKS = "raw sqlite3 keeping the same books"
PEERS_MAX = 100_000  # above it, peers are measured at get and put only


def rows(stores: Stores) -> Iterator[Row]:
    """Everything of this module at one size. Reads come first: writes change the answers."""
    yield file_size(stores)
    for step in (get, get_hot, get_many, scan, tag_query, put, put_normal, put_new, put_many):
        yield from step(stores)


def file_size(stores: Stores) -> Row:
    found = stores.bytes_per_file()
    ours, raw = (found[name] / stores.size for name in ("ours.db", "raw.db"))
    return Row(
        "file size", stores.size, "bytes a record", ours, RAW, raw, ours / raw, ours / raw,
        ours / raw, 1.3, "lower",
    )  # fmt: skip


def get(stores: Stores) -> list[Row]:
    """Random keys: hash checked, policy applied, not expired."""
    return _get("get, random keys", stores, 1.5, lambda turn: some(stores.size, 200, f"get{turn}"))


def get_hot(stores: Stores) -> list[Row]:
    return _get("get, one hot key", stores, 2.0, lambda turn: [turn % stores.size] * 200)


def _get(name: str, stores: Stores, target: float, draw: Callable[[int], list[int]]) -> list[Row]:
    def inputs(turn: int) -> Inputs:
        return [(namespace_of(n), key_of(n)) for n in draw(turn)]

    def check(asked: Inputs, found: Any) -> None:
        expect(found, [item(_number(key)).value for _, key in asked], name)

    memory = stores.memory
    case = Case(name, stores.size, inputs, check, rounds=81)
    return measure(
        case,
        Side("memtend", each(lambda at: memory.get(*at))),
        [
            Side(RAW, each(stores.raw.get), target),
            Side(DISKCACHE, each(stores.cache.get)),
            Side(SHIPPED, each(stores.shipped.get), 1.0),
            Side(WAL, each(stores.wal.get), 1.0),
        ],
    )


def get_many(stores: Stores) -> list[Row]:
    def inputs(turn: int) -> Inputs:
        namespace = turn % NAMESPACES
        per = stores.size // NAMESPACES
        return [
            (namespace_of(namespace), [key_of(n * NAMESPACES + namespace) for n in drawn])
            for drawn in (list(numbers(per, 100, f"many{turn}{i}")) for i in range(5))
        ]

    def check(asked: Inputs, found: Any) -> None:
        wanted = [{key: item(_number(key)).value for key in keys} for _, keys in asked]
        expect(found, wanted, "get_many")

    case = Case("get_many(100)", stores.size, inputs, check, rounds=61)
    others = [Side(RAW, each(lambda one: stores.raw.get_many(*one)), 1.5)]
    if stores.size <= PEERS_MAX:
        others.append(Side(SHIPPED, each(lambda one: stores.shipped.get_many(*one))))
        others.append(Side(WAL, each(lambda one: stores.wal.get_many(*one))))
    return measure(case, Side("memtend", each(lambda one: stores.memory.get_many(*one))), others)


def scan(stores: Stores) -> list[Row]:
    """A page of 100 from a random place in a namespace, in key order."""

    def inputs(turn: int) -> Inputs:
        drawn = some(stores.size - 100 * NAMESPACES, 5, f"scan{turn}")
        return [(namespace_of(n), key_of(n)) for n in drawn]

    def check(asked: Inputs, found: Any) -> None:
        for (_, after), page in zip(asked, found, strict=True):
            first = _number(after) + NAMESPACES
            wanted = {key_of(n): item(n).value for n in range(first, first + 1_000, NAMESPACES)}
            expect(dict(page), wanted, "scan")

    def check_any(_asked: Inputs, found: Any) -> None:
        expect([len(page) for page in found], [100] * len(found), "search")

    case = Case("scan of 100", stores.size, inputs, check, rounds=41)
    memory, raw = stores.memory, stores.raw
    others = [Side(RAW, each(lambda at: raw.scan(at[0], at[1], 100)), 1.5)]
    if stores.size <= PEERS_MAX:
        page = each(lambda at: stores.wal.scan(at[0], 100))
        others.append(Side(WAL, page, take=1, check=check_any))
    return measure(case, Side("memtend", each(lambda at: memory.scan(at[0], after=at[1]))), others)


def tag_query(stores: Stores) -> list[Row]:
    """All 50 values that carry a tag, with their names."""
    tags = stores.size // TAGGED_EVERY // PER_TAG

    def inputs(turn: int) -> Inputs:
        return [f"topic-{n}" for n in some(tags, 5, f"tag{turn}")]

    def check(asked: Inputs, found: Any) -> None:
        for tag, hits in zip(asked, found, strict=True):
            wanted = [item(n)[:3] for n in tagged(tag, stores.size)]
            expect(sorted(map(_plain, hits)), sorted(map(_plain, wanted)), "tag query")

    case = Case("tag query, 50 hits", stores.size, inputs, check, rounds=21)
    others = [Side(RAW, each(lambda tag: stores.raw.tagged(tag, 100)), 1.5)]
    if stores.size <= PEERS_MAX:
        others.append(Side(WAL, each(lambda tag: stores.wal.tagged(tag, 100)), take=1))
    ours = each(lambda tag: stores.memory.tagged(tag, limit=100))
    return measure(case, Side("memtend", ours), others)


def put(stores: Stores) -> list[Row]:
    """Replace random records, durably; log, quota, audit and hash in the same transaction."""
    return measure(
        Case(
            "put, durable, replacing", stores.size, _replacing(stores.size, "put"), _unchecked, 31
        ),
        _ours(stores.memory),
        [
            Side(RAW, each(stores.raw.put), 2.0, check=_read_back(stores.raw.get)),
            Side(BOOKS, each(stores.books.put), check=_unchecked),
            Side(SHIPPED, each(stores.shipped.put), 0.1, 5, _read_back(stores.shipped.get)),
            Side(WAL, each(stores.wal.put), 1.0, 20, _read_back(stores.wal.get)),
        ],
    )


def put_normal(stores: Stores) -> list[Row]:
    """The same in durability `normal`: nothing waits for the disk, so every step shows."""
    inputs = _replacing(stores.size, "normal")
    return measure(
        Case("put, normal, replacing", stores.size, inputs, _unchecked, rounds=61),
        _ours(stores.normal),
        [
            Side(RAW, each(stores.raw_normal.put), 2.0, check=_read_back(stores.raw.get)),
            Side(DISKCACHE, each(stores.cache.put), check=_read_back(stores.cache.get)),
        ],
    )


def put_new(stores: Stores) -> list[Row]:
    def inputs(turn: int) -> Inputs:
        first = 10 * stores.size + turn * 50
        return [item(n)._replace(tag=None) for n in range(first, first + 50)]

    return measure(
        Case("put, durable, new keys", stores.size, inputs, _unchecked, 31),
        _ours(stores.memory),
        [
            Side(RAW, each(stores.raw.put), 2.0, check=_read_back(stores.raw.get)),
            Side(BOOKS, each(stores.books.put)),
        ],
    )


def put_many(stores: Stores) -> list[Row]:
    """A thousand new records in one durable transaction, a tenth with a tag."""

    def inputs(turn: int) -> Inputs:
        first = stores.size + turn * BATCH
        return [item(n) for n in range(first, first + BATCH)]

    case = Case("put_many(1000), durable", stores.size, inputs, _unchecked, 15, "rows/s")
    others = [Side(RAW, stores.raw.put_many, 0.5, check=_read_back(stores.raw.get))]
    if stores.size <= PEERS_MAX:
        others += [
            Side(BOOKS, lambda items: stores.books.put_many(list(items))),
            Side(SHIPPED, stores.shipped.put_many, check=_read_back(stores.shipped.get)),
            Side(WAL, stores.wal.put_many, check=_read_back(stores.wal.get)),
        ]
    check = _read_back(lambda at: stores.memory.get(*at))
    ours = Side("memtend", lambda items: stores.memory.put_many(puts(items)), check=check)
    return measure(case, ours, others)


def _ours(memory: Memory) -> Side:
    work = each(lambda one: memory.put(one.namespace, one.key, one.value))
    return Side("memtend", work, check=_read_back(lambda at: memory.get(*at)))


def _replacing(size: int, seed: str) -> Callable[[int], Inputs]:
    """Each round puts new versions of other records; untagged, as a put without labels says."""

    def inputs(turn: int) -> list[Item]:
        drawn = some(size, 50, f"{seed}{turn}")
        return [item(n if n % TAGGED_EVERY else n + 1, version=turn + 1) for n in drawn]

    return inputs


def _read_back(read: Callable[[tuple[str, str]], Any]) -> Callable[[Inputs, Any], None]:
    """A check for writes: what was put last under each key is there now."""

    def check(items: Inputs, _answer: Any) -> None:
        wanted = {(one.namespace, one.key): one.value for one in items}
        expect({at: read(at) for at in wanted}, wanted, "read back")

    return check


def _unchecked(_inputs: Inputs, _answer: Any) -> None:
    """For a side that nothing is claimed of."""


def _number(key: str) -> int:
    return int(key.rpartition("/")[2])


def _plain(hit: tuple[str, str, Any]) -> tuple[str, str, int]:
    """A hit of any side, comparable: where it is and which record its value says it is."""
    return hit[0], hit[1], hit[2]["task"]
