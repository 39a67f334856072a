"""Sync: a delta of the same number of changes out of stores of different sizes, and taking it in.

A delta must cost what changed, so stores of all sizes are asked in the same rounds, each for what
changed in it since the round before. Taking in is measured beside an `executemany` of the very rows
that it stored, into the same table with the same indexes, and one commit.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path

from memtend.memory import Memory
from memtend.store.peers import acknowledged, peers
from memtend.store.sync import apply, outgoing, vector
from tests.benchmarks.backup_work import change, fill
from tests.benchmarks.data import item
from tests.benchmarks.harness import Row, compared, expect, undisturbed
from tests.benchmarks.stores import puts

CHANGES = 1_000
TURNS = 7
FLAT = 1.5
BATCH = 10_000
KEYS_PER_S = 20_000.0
PEER = "b" * 32
_SCHEMA = "SELECT sql FROM sqlite_master WHERE tbl_name = 'sibling' AND sql IS NOT NULL"
_INSERT = f"INSERT INTO sibling VALUES ({','.join('?' * 16)})"


def rows(folder: Path, sizes: list[int]) -> Iterator[Row]:
    folder.mkdir(parents=True)
    yield from _deltas(folder, sizes)
    yield from _taking_in(folder)


def _deltas(folder: Path, sizes: list[int]) -> Iterator[Row]:
    costs: dict[int, list[float]] = {size: [] for size in sizes}
    with ExitStack() as stack:
        stores: dict[int, Memory] = {}
        for size in sizes:
            url = f"sqlite:///{folder}/{size}.db"
            stores[size] = stack.enter_context(Memory.open(url, durability="normal"))
            fill(stores[size], size)
            _told(stores[size])
        for turn in range(TURNS):
            for size in sizes if turn % 2 else reversed(sizes):
                changed = change(stores[size], size, turn, CHANGES)
                took_ms, keys = _told(stores[size])
                expect(0.9 * changed <= keys <= changed, True, f"{keys} keys")
                costs[size].append(took_ms)
    for small, large in pairwise(sizes):
        name = f"delta of {CHANGES:,} changes, wall"
        against = f"{small:,} records"
        yield compared(name, large, "ms", costs[large], against, costs[small], FLAT, "lower")


def _told(memory: Memory) -> tuple[float, int]:
    """Make the delta for a peer that has seen everything up to the last call."""
    store = memory.store
    known = next((peer.seen for peer in peers(store)), {})
    with undisturbed():
        began = time.perf_counter()
        with outgoing(store, known) as delta:
            for _ in delta.pages():
                continue
            took_ms = (time.perf_counter() - began) * 1e3
            keys = sum(1 for _ in delta.items()) if known else 0
            acknowledged(store, PEER, delta.head.vv, sent=delta.sent)
    return took_ms, keys


def _taking_in(folder: Path) -> Iterator[Row]:
    """Batches into one store, which grows; the rows of each batch into a bare table as well."""
    ours, theirs = [], []
    with ExitStack() as stack:
        source, target = (
            stack.enter_context(Memory.open(f"sqlite:///{folder}/{name}.db", durability="normal"))
            for name in ("source", "target")
        )
        raw = stack.enter_context(closing(sqlite3.connect(folder / "raw.db", isolation_level=None)))
        for pragma in ("page_size=4096", "journal_mode=WAL", "synchronous=NORMAL"):
            raw.execute(f"PRAGMA {pragma}")
        for (sql,) in target.store.engine.script(_SCHEMA):
            raw.execute(sql)
        for turn in range(TURNS):
            batch = range(turn * BATCH, (turn + 1) * BATCH)
            source.put_many(puts([item(number) for number in batch]))
            after = target.store.meta().seq
            with outgoing(source.store, vector(target.store)) as delta:
                pages = list(delta.pages())
            with undisturbed():
                began = time.perf_counter()
                applied = apply(target.store, pages)
                ours.append(BATCH / (time.perf_counter() - began))
            expect(applied.added, BATCH, "keys taken in")
            query = f"SELECT * FROM sibling WHERE seq > {after}"
            stored = target.store.engine.script(query)
            with undisturbed():
                began = time.perf_counter()
                raw.execute("BEGIN")
                raw.executemany(_INSERT, stored)
                raw.execute("COMMIT")
                theirs.append(BATCH / (time.perf_counter() - began))
            expect(len(stored), BATCH, "rows")
    taking = compared(
        "taking in a delta", BATCH, "rows/s", ours, "raw executemany", theirs, KEYS_PER_S, "higher"
    )
    yield taking._replace(judged="ours")
