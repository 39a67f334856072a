"""Driver: flip single bits of a store file, then read everything and verify.

usage: flips COUNT SEED

A read is wrong when it returns a value that is not the record's, or finds nothing where something
is stored, without an error. Two losses are counted apart, because no read of one key can see them:
`sibling hidden` shows an older concurrent value of the same key instead of the newest, and `tag
hidden` misses a record in a search by tag. A flip has an effect when a read fails or is wrong, or
when any table holds other rows than before; `verify_store` must find each of those, or refuse to
open the store.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import memtend.store.ballast
from memtend.drafting import Put
from memtend.errors import MemtendError
from memtend.model.query import Query
from memtend.model.record import Labels
from memtend.services import Services
from tests.crash.shim import fast_folder
from tests.crash.steps import DAY_MS, LONG, NOON_MS, opened

memtend.store.ballast.BALLAST_BYTES = 4_096  # type: ignore[attr-defined]

RECORDS = 600
EXAMPLES_MAX = 40
ABSENT = "absent"
CONCURRENT, OLDER, NEWER = "both", "first", "second"


def labels(i: int) -> Labels:
    return Labels(
        kind=("fact", "note", "plan")[i % 3],
        agent=f"agent-{i % 5}",
        tags=(f"tag-{i % 7}", "all"),
        confidence=i % 11 / 10,
    )


def make(folder: Path) -> None:
    """Records of all kinds: short, long and compressed, expiring, deleted, counted, concurrent."""
    with opened(folder, NOON_MS, seed=1) as services:
        memory = services.memory
        for start in range(0, RECORDS, 50):
            memory.put_many(
                Put(
                    f"space-{i % 4}/sub",
                    f"key-{i}",
                    LONG[: i * 3] if i % 6 == 0 else {"n": i, "text": "x" * (i % 90)},
                    labels(i),
                    ttl_ms=DAY_MS if i % 10 == 0 else None,
                )
                for i in range(start, start + 50)
            )
        for i in range(0, RECORDS, 9):
            memory.delete(f"space-{i % 4}/sub", f"key-{i}")
        for i in range(20):
            memory.increment("counts", f"c{i % 5}", i, op_id=f"op-{i}")
            memory.add("sets", "colours", f"colour {i}")
            memory.put(CONCURRENT, f"b{i}", OLDER)
            memory.put(CONCURRENT, f"b{i}", NEWER, ctx={})
            memory.get(CONCURRENT, f"b{i}")


Reader = Callable[[Services], Any]


def get(namespace: str, key: str) -> Reader:
    return lambda services: services.memory.get(namespace, key, ABSENT)


def read(namespace: str, key: str) -> Reader:
    return lambda services: plain(services.memory.read(namespace, key))


def get_many(namespace: str, keys: list[str]) -> Reader:
    return lambda services: services.memory.get_many(namespace, keys)


def scan(namespace: str) -> Reader:
    return lambda services: services.memory.scan(namespace, limit=10_000)


def search(query: Query) -> Reader:
    return lambda services: [plain(record) for record in services.memory.search(query)]


def readers(services: Services) -> dict[str, Reader]:
    """Every way to read what is stored: by name, so that a damaged store is asked the same."""
    reads: dict[str, Reader] = {}
    for namespace in services.store.namespaces.load():
        keys = sorted({*(k for k, _ in services.memory.scan(namespace, limit=10_000)), "nothing"})
        reads |= {f"get {namespace} {key}": get(namespace, key) for key in keys}
        reads |= {f"read {namespace} {key}": read(namespace, key) for key in keys[::5]}
        reads[f"get_many {namespace}"] = get_many(namespace, keys)
        reads[f"scan {namespace}"] = scan(namespace)
    reads["members"] = lambda s: s.memory.members("sets", "colours")
    reads["search all"] = search(Query(limit=10_000))
    reads["search tag"] = search(Query(tag="tag-3", limit=10_000))
    reads["search kind"] = search(Query(kind="plan", limit=10_000))
    reads["search agent"] = search(Query(agent="agent-2", limit=10_000))
    return reads


def plain(record: Any) -> Any:
    """A record without its access counts, which are not part of what was written."""
    wanted = {"namespace", "key", "value", "labels", "dot", "expires_at"}
    return record and record.model_dump_json(include=wanted)


def page_owners(path: Path) -> dict[int, str]:
    """Which table or index each page belongs to, where this SQLite can tell."""
    with closing(sqlite3.connect(path)) as db:
        try:
            return dict(db.execute("SELECT pageno, name FROM dbstat"))
        except sqlite3.OperationalError:
            return {}


def tables(path: Path) -> dict[str, list[Any]] | None:
    """The logical content: every row of every table, found without indexes; None if unreadable."""
    try:
        with closing(sqlite3.connect(path)) as db:
            db.text_factory = bytes
            names = [row[0].decode() for row in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )]  # fmt: skip
            return {
                name: sorted(db.execute(f'SELECT * FROM "{name}" NOT INDEXED'), key=repr)
                for name in names
            }
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def known_limit(name: str, found: Any, truth: Any) -> str | None:
    """The known loss that explains a difference, if one does."""
    if name == "search tag":
        return "tag hidden" if set(found) < set(truth) else None
    if name.startswith("search"):
        rest = [[text for text in side if f'"{CONCURRENT}"' not in text] for side in (found, truth)]
        return "sibling hidden" if rest[0] == rest[1] and len(found) == len(truth) else None
    if CONCURRENT not in name.split():
        return None
    if name.startswith("read"):
        return "sibling hidden" if found and json.loads(found)["value"] in (OLDER, NEWER) else None
    return "sibling hidden" if str(found).replace(OLDER, NEWER) == str(truth) else None


class Flips:
    def __init__(self, home: Path, seed: int) -> None:
        self.home, self.dice = home, random.Random(seed)
        make(home / "made")
        self.data = (home / "made" / "store.db").read_bytes()
        self.key = (home / "made" / "store.db.key").read_bytes()
        self.owners = page_owners(home / "made" / "store.db")
        self.truth_tables = tables(home / "made" / "store.db")
        with self._opened(self.data) as services:
            self.reads = readers(services)
            self.truth = {name: ask(services) for name, ask in self.reads.items()}
            assert services.verify_store().ok
        self.outcomes: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.examples: list[str] = []

    def run(self, count: int) -> dict[str, Any]:
        for _ in range(count):
            self._flip(self.dice.randrange(len(self.data) * 8))
        return {
            "bytes": len(self.data),
            "reads": len(self.reads),
            "flips": count,
            "outcomes": self.outcomes,
            "wrong": self.wrong,
            "examples": self.examples,
        }

    def _opened(self, data: bytes) -> Any:
        folder = self.home / "flipped"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "store.db").write_bytes(data)
        (folder / "store.db.key").write_bytes(self.key)
        return opened(folder, NOON_MS + 1_000, seed=2)

    def _flip(self, bit: int) -> None:
        data = bytearray(self.data)
        data[bit // 8] ^= 1 << bit % 8
        (self.home / "looked.db").write_bytes(data)
        changed = tables(self.home / "looked.db") != self.truth_tables
        (self.home / "looked.db").unlink()
        odd: list[str] = []
        hidden: set[str] = set()
        failed = 0
        try:
            with self._opened(bytes(data)) as services:
                for name, ask in self.reads.items():
                    try:
                        found = ask(services)
                    except MemtendError:
                        failed += 1
                        continue
                    if found != self.truth[name]:
                        limit = known_limit(name, found, self.truth[name])
                        (hidden.add(limit) if limit else odd.append(name))
                verified = services.verify_store().ok
                services.memory._access.counts.clear()
        except MemtendError:
            self.outcomes["refused"] += 1
            return
        effect = changed or failed > 0 or bool(odd or hidden)
        self.outcomes.update(hidden)
        if not effect:
            self.outcomes["harmless" if verified else "harmless, found"] += 1
        else:
            self.outcomes["missed by verify" if verified else "found"] += 1
        for kind in {name.split()[0] for name in odd}:
            self.wrong[kind] += 1
        self.outcomes["wrong reads"] += bool(odd)
        if (odd or (effect and verified)) and len(self.examples) < EXAMPLES_MAX:
            number, at = bit // 8 // 4_096 + 1, bit // 8 % 4_096
            page = f"bit {bit}, page {number} of {self.owners.get(number)} at {at}"
            self.examples.append(f"{page}: wrong {odd[:3]} of {len(odd)}, verified {verified}")


def lines() -> Iterator[str]:
    home = fast_folder("flips")
    try:
        yield json.dumps(Flips(home, int(sys.argv[2])).run(int(sys.argv[1])))
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    print(*lines())
