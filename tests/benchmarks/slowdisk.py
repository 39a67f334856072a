"""Durable writes where an fsync costs what it costs on a disk without a protected write cache.

Group commit saves fsyncs; on a disk that syncs in 40 µs there is little to save. Here a preloaded
library adds 2 ms to every fsync of every side, and nothing else. Waits of different processes
overlap, as flushes do that the kernel merges.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from memtend.memory import Memory
from tests.benchmarks import writers
from tests.benchmarks.data import item
from tests.benchmarks.harness import Case, Inputs, Row, Side, each, expect, measure
from tests.benchmarks.peers import SHIPPED, WAL, LangGraph
from tests.benchmarks.raw import Raw

SOURCE = Path(__file__).with_name("slowdisk.c")
ROOT = SOURCE.parents[2]
SUFFIX = ", fsync of 2 ms"
RECORDS = 1_000


def rows(folder: Path) -> Iterator[Row]:
    """Run this module with the library preloaded, and read its rows."""
    folder.mkdir(parents=True)
    library = folder / "slowdisk.so"
    build = ["gcc", "-shared", "-fPIC", "-O2", str(SOURCE), "-o", str(library), "-ldl"]
    subprocess.run(build, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.slowdisk", str(folder)],
        cwd=ROOT, env=os.environ | {"LD_PRELOAD": str(library)}, check=True,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        yield Row(**json.loads(line))


def _put(folder: Path) -> Iterator[Row]:
    with (
        Memory.open(str(folder / "ours.db")) as memory,
        closing(Raw(folder / "raw.db", "FULL")) as raw,
        closing(LangGraph(folder / "shipped.db", wal=False)) as shipped,
        closing(LangGraph(folder / "wal.db", wal=True)) as wal,
    ):

        def inputs(turn: int) -> Inputs:
            return [item(n % RECORDS, turn) for n in range(turn * 10, turn * 10 + 10)]

        def check(items: Inputs, _answer: object) -> None:
            for one in items:
                expect(memory.get(one.namespace, one.key), one.value, "read back")

        case = Case(f"put, durable{SUFFIX}", 0, inputs, check, rounds=15)
        work = each(lambda one: memory.put(one.namespace, one.key, one.value))
        others = [
            Side("raw sqlite3", each(raw.put), 2.0, check=_unasked),
            Side(SHIPPED, each(shipped.put), 0.1, 5, _unasked),
            Side(WAL, each(wal.put), 1.0, check=_unasked),
        ]
        yield from measure(case, Side("memtend", work), others)


def _unasked(_items: Inputs, _answer: object) -> None:
    """What the others keep is asked in the rows without the slow disk."""


def _main(folder: Path) -> None:
    for row in [*_put(folder), *writers.rows(folder / "writers")]:
        name = row.name if row.name.endswith(SUFFIX) else row.name + SUFFIX
        print(json.dumps(row._replace(name=name)._asdict()), flush=True)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
