"""What else people use to keep agent memory in one file, each through its own API.

diskcache as shipped (WAL, `synchronous=NORMAL`) gets orjson bytes, its fastest form, so that nobody
pays for pickle. LangGraph's store runs as shipped (rollback journal, `synchronous=FULL`) and with
the pragmas that memtend uses.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import diskcache
import orjson
from langgraph.store.base import PutOp
from langgraph.store.sqlite import SqliteStore

from tests.benchmarks.data import Item

DISKCACHE = "diskcache"
SHIPPED = "LangGraph as shipped"
WAL = "LangGraph with WAL"


class DiskCache:
    def __init__(self, folder: Path) -> None:
        # Without a limit: evicting would be other work than the others do.
        self.cache = diskcache.Cache(str(folder), size_limit=2**40, cull_limit=0)

    def get(self, at: tuple[str, str]) -> Any:
        data = self.cache.get("/".join(at))
        return None if data is None else orjson.loads(data)

    def put(self, item: Item) -> None:
        self.cache.set(f"{item.namespace}/{item.key}", orjson.dumps(item.value))

    def put_many(self, items: Sequence[Item]) -> None:
        with self.cache.transact():
            for item in items:
                self.put(item)

    def close(self) -> None:
        self.cache.close()


class LangGraph:
    def __init__(self, path: Path, *, wal: bool) -> None:
        self.connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        if wal:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16384"):
                self.connection.execute(f"PRAGMA {pragma}")
        self.store = SqliteStore(self.connection)
        self.store.setup()

    def get(self, at: tuple[str, str]) -> Any:
        found = self.store.get(_names(at[0]), at[1])
        return None if found is None else found.value

    def get_many(self, namespace: str, keys: Sequence[str]) -> dict[str, Any]:
        from langgraph.store.base import GetOp  # noqa: PLC0415

        found = self.store.batch([GetOp(_names(namespace), key) for key in keys])
        return {one.key: one.value for one in found if one is not None}

    def scan(self, namespace: str, limit: int) -> dict[str, Any]:
        """A page of a namespace; it has no order by key and no position to go on from."""
        found = self.store.search(_names(namespace), limit=limit)
        return {one.key: one.value for one in found}

    def tagged(self, topic: str, limit: int) -> list[tuple[str, str, Any]]:
        found = self.store.search(("bench",), filter={"topic": topic}, limit=limit)
        return [("/".join(one.namespace), one.key, one.value) for one in found]

    def put(self, item: Item) -> None:
        self.store.put(_names(item.namespace), item.key, item.value)

    def put_many(self, items: Sequence[Item]) -> None:
        self.store.batch([PutOp(_names(ns), key, value) for ns, key, value, _ in items])

    def close(self) -> None:
        self.connection.close()


def _names(namespace: str) -> tuple[str, ...]:
    return tuple(namespace.split("/"))
