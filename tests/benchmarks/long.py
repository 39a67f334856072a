"""Values of about 4 KB, which memtend compresses and raw `sqlite3` stores as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from memtend.drafting import Put
from memtend.memory import Memory
from tests.benchmarks.data import key_of, long_item, namespace_of, some
from tests.benchmarks.harness import Case, Inputs, Row, Side, chunks, each, expect, measure
from tests.benchmarks.raw import Raw
from tests.benchmarks.stores import BATCH

SIZE = 10_000
RAW = "raw sqlite3, not compressed"


def rows(folder: Path) -> Iterator[Row]:
    folder.mkdir(parents=True)
    ours_path, raw_path = folder / "ours.db", folder / "raw.db"
    with Memory.open(str(ours_path)) as memory, closing(Raw(raw_path, "FULL")) as raw:
        for numbers in chunks(range(SIZE), BATCH):
            items = [long_item(n)._replace(tag=None) for n in numbers]
            memory.put_many([Put(*one[:3]) for one in items])
            raw.put_many(items)
        raw.fold()
        memory.store.engine.script("PRAGMA wal_checkpoint(FULL)")
        ours, theirs = (path.stat().st_size / SIZE for path in (ours_path, raw_path))
        yield Row(
            "file size, 4 KB values", SIZE, "bytes a record", ours, RAW, theirs, ours / theirs,
            ours / theirs, ours / theirs, 1.3, "lower",
        )  # fmt: skip
        yield from _get(memory, raw)
        yield from _put(memory, raw)


def _get(memory: Memory, raw: Raw) -> list[Row]:
    def inputs(turn: int) -> Inputs:
        return [(namespace_of(n), key_of(n)) for n in some(SIZE, 100, f"long{turn}")]

    def check(asked: Inputs, found: Any) -> None:
        wanted = [long_item(int(key.rpartition("/")[2])).value for _, key in asked]
        expect(found, wanted, "get")

    case = Case("get, 4 KB values", SIZE, inputs, check)
    return measure(case, Side("memtend", each(lambda at: memory.get(*at))), [
        Side(RAW, each(raw.get))
    ])  # fmt: skip


def _put(memory: Memory, raw: Raw) -> list[Row]:
    def inputs(turn: int) -> Inputs:
        return [long_item(n, turn + 1) for n in some(SIZE, 25, f"put{turn}")]

    def reads(get: Any) -> Any:
        def check(items: Inputs, _answer: Any) -> None:
            wanted = {(one.namespace, one.key): one.value for one in items}
            expect({at: get(at) for at in wanted}, wanted, "read back")

        return check

    case = Case("put, durable, 4 KB values", SIZE, inputs, reads(lambda at: memory.get(*at)))
    work = each(lambda one: memory.put(one.namespace, one.key, one.value))
    return measure(case, Side("memtend", work), [Side(RAW, each(raw.put), check=reads(raw.get))])
