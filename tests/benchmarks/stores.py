"""All contestants filled with the same records, in one folder, before anything is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from memtend.drafting import Put
from memtend.memory import Memory
from memtend.model.record import Labels
from tests.benchmarks.books import Books
from tests.benchmarks.data import Item, item
from tests.benchmarks.harness import chunks
from tests.benchmarks.peers import DiskCache, LangGraph
from tests.benchmarks.raw import Raw

BATCH = 1_000


class Stores(NamedTuple):
    """`normal` and `raw_normal` are second handles on the files of `memory` and `raw`."""

    size: int
    folder: Path
    memory: Memory
    normal: Memory
    raw: Raw
    raw_normal: Raw
    books: Books
    cache: DiskCache
    shipped: LangGraph
    wal: LangGraph

    def bytes_per_file(self) -> dict[str, int]:
        """File sizes with every WAL folded in."""
        self.raw.fold()
        self.memory.flush()
        self.memory.store.engine.script("PRAGMA wal_checkpoint(FULL)")
        return {name: (self.folder / name).stat().st_size for name in ("ours.db", "raw.db")}


def puts(items: Sequence[Item]) -> list[Put]:
    """Records as `Memory.put_many` takes them."""
    return [
        Put(namespace, key, value, Labels(tags=(tag,)) if tag else None)
        for namespace, key, value, tag in items
    ]


@contextmanager
def filled(folder: Path, size: int) -> Iterator[Stores]:
    """Open everything and write `size` records into each."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:

        def ours(durability: str) -> Memory:
            url = f"sqlite:///{folder}/ours.db"
            return stack.enter_context(Memory.open(url, durability=durability))

        def raw(synchronous: str) -> Raw:
            return stack.enter_context(closing(Raw(folder / "raw.db", synchronous)))

        stores = Stores(
            size,
            folder,
            ours("full"),
            ours("normal"),
            raw("FULL"),
            raw("NORMAL"),
            stack.enter_context(closing(Books(folder / "books.db", "FULL"))),
            stack.enter_context(closing(DiskCache(folder / "cache"))),
            stack.enter_context(closing(LangGraph(folder / "shipped.db", wal=False))),
            stack.enter_context(closing(LangGraph(folder / "wal.db", wal=True))),
        )
        _fill(stores, lambda numbers: [item(number) for number in numbers])
        yield stores


def _fill(stores: Stores, make: Callable[[Sequence[int]], list[Item]]) -> None:
    others = (stores.raw_normal, stores.books, stores.cache, stores.shipped, stores.wal)
    for numbers in chunks(range(stores.size), BATCH):
        items = make(numbers)
        stores.normal.put_many(puts(items))
        for side in others:
            side.put_many(items)
