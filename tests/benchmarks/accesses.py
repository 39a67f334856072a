"""What sampling accesses costs a get and a put: compared with themselves without, in CPU time of
interleaved rounds, and what is written behind of each sampled access."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from memtend.drafting import Put
from memtend.memory import Memory
from memtend.store.accessed import accesses_of
from memtend.store.behind import write_behind
from memtend.store.sampled import NOBODY, READ
from tests.benchmarks.data import item, some
from tests.benchmarks.harness import Row, compared, expect, undisturbed

ROUNDS = 41
GETS, PUTS, BATCH = 4_000, 250, 1_000
SMALL, LARGE = 2_000, 20_000
NAMESPACES = 20

Work = Callable[[Memory, int], None]


def rows(folder: Path) -> Iterator[Row]:
    folder.mkdir(parents=True)
    for size in (SMALL, LARGE):
        yield from _beside(folder / f"{size}.db", size)
    yield from _written(folder / "behind.db")


def _beside(path: Path, size: int) -> Iterator[Row]:
    """A small store samples all keys, which its gets feel; a large one one key in 16."""
    url = str(path)
    with (
        Memory.open(url, durability="normal") as ours,
        Memory.open(url, durability="normal") as plain,
    ):
        for start in range(0, size, BATCH):
            ours.put_many([_put(n) for n in range(start, start + BATCH)])
        ours.flush()
        share = accesses_of(ours.store).rate
        expect(share, 1.0 if size == SMALL else 1 / 16, "share of the keys")
        plain.store.accesses.below = NOBODY

        def gets(memory: Memory, turn: int) -> None:
            for n in some(size, GETS, f"access{turn}"):
                memory.get(f"bench/{n % NAMESPACES}", f"k{n:07}")

        def puts(memory: Memory, turn: int) -> None:
            for n in some(size, PUTS, f"access{turn}"):
                memory.put(f"bench/{n % NAMESPACES}", f"k{n:07}", {"n": turn})

        def batch(memory: Memory, turn: int) -> None:
            memory.put_many([_put(n) for n in some(size, BATCH, f"access{turn}")])

        keys = "all keys" if size == SMALL else "one key in 16"
        for name, count, work, target in (
            ("get", GETS, gets, 1.02),
            ("put", PUTS, puts, 1.01),
            ("put_many(1000)", BATCH, batch, 1.01),
        ):
            mine, theirs = _paired(work, ours, plain, count)
            yield compared(
                f"{name}, {keys} sampled", size, "µs CPU", mine, f"{name}, nothing sampled",
                theirs, target if size == LARGE else None, "lower",
            )  # fmt: skip


def _paired(work: Work, ours: Memory, plain: Memory, count: int) -> tuple[list[float], list[float]]:
    took: tuple[list[float], list[float]] = ([], [])
    sides = ((ours, took[0]), (plain, took[1]))
    for turn in range(-2, ROUNDS):
        for memory, kept in sides if turn % 2 else reversed(sides):
            with undisturbed():
                began = time.process_time()
                work(memory, turn)
                spent = time.process_time() - began
            if turn >= 0:
                kept.append(spent / count * 1e6)
            memory.store.accesses.taken()  # written behind, and measured below
    return took


def _written(path: Path) -> Iterator[Row]:
    """Of 8,000 sampled accesses: a row that the store had no need of before."""
    with Memory.open(str(path), durability="normal") as memory:
        memory.put_many([_put(n) for n in range(BATCH)])
        memory.flush()
        took, before_bytes = [], memory.store.engine.size_bytes()
        for turn in range(21):
            for n in range(8 * BATCH):
                place = (f"bench/{n % BATCH % NAMESPACES}", f"k{n % BATCH:07}")
                memory.store.accesses._noted.append((place, 10**10 * (8 * turn + n // BATCH), READ))
            began = time.process_time()
            write_behind(memory.store)
            took.append((time.process_time() - began) / (8 * BATCH) * 1e6)
        count = len(accesses_of(memory.store))
        expect(count, 21 * 8 * BATCH + BATCH, "rows")
        grown = (memory.store.engine.size_bytes() - before_bytes) / count
        yield compared(
            "write behind, of one sampled access", BATCH, "µs CPU", took, "nothing", [1.0] * 21,
            None, "lower",
        )  # fmt: skip
        yield compared(
            "room of one sampled access", BATCH, "bytes", [grown], "nothing", [1.0], 64, "lower"
        )._replace(judged="ours")


def _put(n: int) -> Put:
    return Put(f"bench/{n % NAMESPACES}", f"k{n:07}", item(n).value)
