"""What measuring costs: latencies in the hot path, figures at several sizes, `top` in a terminal.

A get and a put are compared with themselves untimed, in CPU time of interleaved rounds. `top` runs
in a terminal of its own, and what is counted is its CPU over a stretch after its start.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from memtend.drafting import Put
from memtend.memory import Memory
from memtend.metrics.figure import value_of
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.benchmarks.data import item
from tests.benchmarks.harness import Row, compared, expect, undisturbed

ROUNDS = 61
GETS, PUTS = 5_000, 300
LOOKS = 7
NOISE = 1.25
TOP_SETTLE_S, TOP_S = 6.0, 30.0
T = TypeVar("T")


class Untimed(Memory):
    """The same without looking at a clock: what a get and a put were before."""

    def get(self, namespace: str, key: str, default: Any = None) -> Any:
        if self.agent is not None:
            self._allow("read", namespace)
        value = self._reads.value(namespace, key)
        counts, place = self._access.counts, (namespace, key)
        counts[place] += 1
        if len(counts) > self._access.limit:
            self.flush()
        return value

    def _timed(self, op: str, attempt: Callable[[], T]) -> T:
        return self.config.under_current(attempt)


def rows(folder: Path, sizes: Sequence[int]) -> Iterator[Row]:
    folder.mkdir(parents=True)
    yield from _hot_path(folder / "hot.db")
    with ExitStack() as stack:
        filled = [
            stack.enter_context(open_services(str(folder / f"{size}.db"), settings=Settings()))
            for size in sizes
        ]
        for services, size in zip(filled, sizes, strict=True):
            _fill(services.memory, size)
        yield from _figures(filled, sizes)
    yield _top(str(folder / f"{sizes[-1]}.db"), sizes[-1])


def _hot_path(path: Path) -> Iterator[Row]:
    with (
        Memory.open(str(path), durability="normal") as timed,
        Untimed.open(str(path), durability="normal") as untimed,
    ):
        names = [f"k{n:05}" for n in range(2_000)]
        timed.put_many([Put("bench/hot", name, {"n": n}) for n, name in enumerate(names)])

        def gets(memory: Memory) -> None:
            for n in range(GETS):
                memory.get("bench/hot", names[n % len(names)])

        def puts(memory: Memory) -> None:
            for n in range(PUTS):
                memory.put("bench/hot", names[n], {"n": n + 1})

        for name, count, work in (("get", GETS, gets), ("put", PUTS, puts)):
            ours, theirs = _paired(work, timed, untimed, count)
            expect(timed.get("bench/hot", names[3])["n"], 4 if name == "put" else 3, name)
            against = f"{name} without timing"
            yield compared(f"{name}, timed", 1, "µs CPU", ours, against, theirs, 1.02, "lower")


def _paired(
    work: Callable[[Memory], None], timed: Memory, untimed: Memory, count: int
) -> tuple[list[float], list[float]]:
    took: tuple[list[float], list[float]] = ([], [])
    sides = ((timed, took[0]), (untimed, took[1]))
    for turn in range(-2, ROUNDS):
        for memory, kept in sides if turn % 2 else reversed(sides):
            with undisturbed():
                began = time.process_time()
                work(memory)
                spent = time.process_time() - began
            if turn >= 0:
                kept.append(spent / count * 1e6)
    return took


def _fill(memory: Memory, size: int) -> None:
    for start in range(0, size, 5_000):
        memory.put_many(
            [
                Put(f"bench/{n % 20}", f"k{n:07}", item(n).value, Labels(agent=f"agent-{n % 50}"))
                for n in range(start, min(size, start + 5_000))
            ]
        )


def _figures(filled: Sequence[Services], sizes: Sequence[int]) -> Iterator[Row]:
    """In rounds, so that the smallest and the others meet the same machine."""
    took: list[list[float]] = [[] for _ in filled]
    for turn in range(-1, LOOKS):
        for number, services in enumerate(filled):
            began = time.process_time()
            found = services.figures()
            spent = (time.process_time() - began) * 1_000
            expect(value_of(found, "memtend_records"), sizes[number], "records")
            if turn >= 0:
                took[number].append(spent)
    for number, size in enumerate(sizes[1:], 1):
        against = f"memtend at {sizes[0]:,} records"
        yield compared(
            "all figures", size, "ms CPU", took[number], against, took[0], NOISE, "lower"
        )


def _top(store: str, size: int) -> Row:
    outer, inner = pty.openpty()
    more = {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
    process = subprocess.Popen(
        [sys.executable, "-m", "memtend.cli", "top", "--store", store],
        stdin=inner, stdout=inner, stderr=inner, env=os.environ | more,
    )  # fmt: skip
    Thread(target=_drain, args=(outer,), daemon=True).start()
    time.sleep(TOP_SETTLE_S)
    before, began = _cpu_s(process.pid), time.monotonic()
    time.sleep(TOP_S)
    share = (_cpu_s(process.pid) - before) / (time.monotonic() - began)
    os.write(outer, b"q")
    expect(process.wait(30), 0, "top ends with q")
    row = compared("top", size, "share of a core", [share], "a whole core", [1.0], 0.02, "lower")
    return row._replace(judged="ours")


def _drain(terminal: int) -> None:
    try:
        while os.read(terminal, 65_536):
            pass
    except OSError:
        return


def _cpu_s(number: int) -> float:
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
