"""Backups beside restic and Borg: full, increments, verify, restore; and what must not grow.

All three back up the same store on the same disk. Ours reads the live store; theirs read its file,
quiet and folded. Ours is measured in a process that has its imports behind it, as one that runs
on a schedule has; the whole command line call, interpreter and all, is a row of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import zstandard

from memtend.memory import Memory
from memtend.store.snapshot import snapshot
from tests.benchmarks.alone import Cost, of_memtend, of_operation
from tests.benchmarks.archivers import Archiver, Borg, Restic, stored_bytes
from tests.benchmarks.backup_work import change, fill
from tests.benchmarks.harness import Row, compared

SIZE = 200_000
TURNS = 5
CHANGES = 1_000
FLAT = 1.5
MEMORY_MB = 150.0
MB = 1e6
_TARGETS = {"restic": (1 / 20, 1 / 40), "Borg": (1 / 10, None)}


def rows(folder: Path) -> Iterator[Row]:
    folder.mkdir(parents=True)
    store, target = folder / "store.db", folder / "ours"
    with Memory.open(f"sqlite:///{store}", durability="normal") as memory:
        fill(memory, SIZE)
        _fold(memory)
        others: tuple[Archiver, ...] = (Restic(folder), Borg(folder))
        yield from _full(store, target, others)
        yield from _increments(memory, store, target, others)
        yield from _verify(store, target, others)
        yield from _restore(folder, store, target, others)


def _full(store: Path, target: Path, others: tuple[Archiver, ...]) -> Iterator[Row]:
    ours = of_operation("take", str(store), str(target))
    for other in others:
        theirs = other.create(store)
        yield _row("full backup, wall", "s", ours.wall_s, other, theirs.wall_s,
                   1.0 if other.name == "restic" else None)  # fmt: skip
        yield _row("full backup, CPU", "s", ours.cpu_s, other, theirs.cpu_s)
        sizes = stored_bytes(target) / MB, stored_bytes(other.repository) / MB
        yield _row("full backup, bytes", "MB", sizes[0], other, sizes[1], 1.0)
    command = of_memtend("backup", "take", "--store", str(store), "--target", f"{target}-memory")
    yield _memory("full backup, peak memory at most", command)


def _increments(
    memory: Memory, store: Path, target: Path, others: tuple[Archiver, ...]
) -> Iterator[Row]:
    """Each turn changes 2 % of the store; everybody then takes what is new."""
    walls, cpus, sizes = _Pairs(others), _Pairs(others), _Pairs(others)
    packed: list[float] = []
    command: list[Cost] = []
    for turn in range(TURNS):
        after = memory.store.meta().seq
        change(memory, SIZE, turn)
        _fold(memory)
        packed.append(_packed_bytes(memory, after) / MB)
        before = stored_bytes(target)
        if turn == TURNS - 1:  # the last one by the command line
            arguments = ("backup", "take", "--store", str(store), "--target", str(target))
            command.append(of_memtend(*arguments))
            for other in others:
                other.create(store)
            continue
        ours = of_operation("take", str(store), str(target))
        grown = (stored_bytes(target) - before) / MB
        costs = []
        for other in others:
            held = stored_bytes(other.repository)
            costs.append((other.create(store), (stored_bytes(other.repository) - held) / MB))
        walls.add(ours.wall_s, [cost.wall_s for cost, _ in costs])
        cpus.add(ours.cpu_s, [cost.cpu_s for cost, _ in costs])
        sizes.add(grown, [size for _, size in costs])
    for at, other in enumerate(others):
        time, size = _TARGETS[other.name]
        yield walls.row("increment, wall", "s", at, time)
        yield cpus.row("increment, CPU", "s", at, time)
        yield sizes.row("increment, bytes", "MB", at, size)
        yield _row("increment, whole command, wall", "s", command[0].wall_s, other,
                   median(walls.theirs[at]))  # fmt: skip
    yield compared("increment, bytes", SIZE, "MB", sizes.ours, "changed rows under zstd -3",
                   packed[: TURNS - 1], 1.5, "lower")  # fmt: skip
    yield _memory("increment, peak memory at most", command[0])


def _verify(store: Path, target: Path, others: tuple[Archiver, ...]) -> Iterator[Row]:
    ours = of_operation("verify", str(store), str(target))
    for other in others:
        target_ratio = 1.0 if other.name == "restic" else None
        yield _row("verify all, wall", "s", ours.wall_s, other, other.verify().wall_s, target_ratio)
    command = of_memtend("backup", "verify", "--store", str(store), "--target", str(target))
    yield _memory("verify, peak memory at most", command)


def _restore(
    folder: Path, store: Path, target: Path, others: tuple[Archiver, ...]
) -> Iterator[Row]:
    """The others write the file back; ours builds the database anew and reads it back."""
    costs = []
    for other in others:
        into = folder / f"restored-{other.name}"
        costs.append(other.restore(into))
        shutil.rmtree(into)
    into_new = of_operation("restore", str(store), str(target))
    in_place = of_operation("replace", str(store), str(target))
    for other, theirs in zip(others, costs, strict=True):
        limit = 1.0 if other.name == "restic" else None
        yield _row("restore into a new place, wall", "s", into_new.wall_s, other, theirs.wall_s,
                   limit)  # fmt: skip
        yield _row("restore in the store's place, wall", "s", in_place.wall_s, other, theirs.wall_s)
    place = ("--store", str(store), "--target", str(target))
    command = of_memtend("restore", *place, "--into", f"{target}-memory.db", "--apply")
    yield _memory("restore into a new place, peak memory at most", command)
    command = of_memtend("restore", *place, "--apply")
    yield _memory("restore in the store's place, peak memory at most", command)


def growth(folder: Path, sizes: list[int]) -> Iterator[Row]:
    """The same number of changes in stores of different sizes: an increment costs the same."""
    costs: dict[int, list[float]] = {}
    for size in sizes:
        store, target = folder / f"{size}.db", folder / f"ours-{size}"
        folder.mkdir(parents=True, exist_ok=True)
        with Memory.open(f"sqlite:///{store}", durability="normal") as memory:
            fill(memory, size)
            of_operation("take", str(store), str(target))
            costs[size] = []
            for turn in range(TURNS):
                change(memory, size, turn, CHANGES)
                costs[size].append(of_operation("take", str(store), str(target)).wall_s * 1e3)
    for small, large in pairwise(sizes):
        yield compared(
            f"increment of {CHANGES:,} changes, wall", large, "ms", costs[large],
            f"{small:,} records", costs[small], FLAT, "lower",
        )  # fmt: skip


class _Pairs:
    """Figures of ours and of each other, turn by turn."""

    def __init__(self, others: tuple[Archiver, ...]) -> None:
        self._names = [other.name for other in others]
        self.ours: list[float] = []
        self.theirs: list[list[float]] = [[] for _ in others]

    def add(self, ours: float, theirs: list[float]) -> None:
        self.ours.append(ours)
        for figures, figure in zip(self.theirs, theirs, strict=True):
            figures.append(figure)

    def row(self, name: str, unit: str, at: int, target: float | None) -> Row:
        return compared(
            name, SIZE, unit, self.ours, self._names[at], self.theirs[at], target, "lower"
        )


def _row(
    name: str, unit: str, ours: float, other: Archiver, theirs: float, target: float | None = None
) -> Row:
    return compared(name, SIZE, unit, [ours], other.name, [theirs], target, "lower")


def _memory(name: str, cost: Cost) -> Row:
    """Against the target alone: of the whole command, interpreter and libraries included.

    The system counts what this process held when it started the command, too: a bound from above.
    """
    ours = cost.peak_bytes / MB
    row = compared(name, SIZE, "MB", [ours], "the limit", [MEMORY_MB], MEMORY_MB, "lower")
    return row._replace(judged="ours")


def _packed_bytes(memory: Memory, after: int) -> int:
    """The rows that changed, as one might pack them by hand."""
    packer = zstandard.ZstdCompressor(level=3)
    with snapshot(memory.store) as view:
        data = b"".join(row.body + row.value for row in view.changed_rows(after))
    return len(packer.compress(data))


def _fold(memory: Memory) -> None:
    """Everything into the one file that the others read."""
    memory.flush()
    memory.store.engine.script("PRAGMA wal_checkpoint(TRUNCATE)")
