"""Eight durable writers at once, as threads and as processes, against one writer that fsyncs alone.

Each process is a fresh interpreter that opens the store and then waits for its cue, so that no
start-up is measured. Every acknowledged write is looked for at the end.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from memtend.memory import Memory
from tests.benchmarks.data import item
from tests.benchmarks.harness import Row, compared, expect
from tests.benchmarks.raw import Raw

WRITERS = 8
ROUNDS = 7
ROUND_S = 0.7
RAW = "raw sqlite3, one writer, one fsync per put"


def rows(folder: Path) -> Iterator[Row]:
    folder.mkdir(parents=True)
    yield from _threads(folder)
    yield from _processes(folder)


def _threads(folder: Path) -> Iterator[Row]:
    path = folder / "threads.db"
    with Memory.open(str(path)) as memory, closing(Raw(folder / "raw-t.db", "FULL")) as raw:
        ours, theirs, total = [], [], 0
        for turn in range(ROUNDS):
            counts = [0] * WRITERS

            def write(who: int, turn: int = turn, counts: list[int] = counts) -> None:
                counts[who] = write_for(memory, f"t{turn}-{who}", ROUND_S)

            threads = [threading.Thread(target=write, args=(who,)) for who in range(WRITERS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            ours.append(sum(counts) / ROUND_S)
            total += sum(counts)
            theirs.append(alone(raw, ROUND_S))
        expect(memory.stats().records, total, "acknowledged by threads")
    yield _row("8 threads", ours, theirs)


def _processes(folder: Path) -> Iterator[Row]:
    path = folder / "processes.db"
    with ExitStack() as stack:
        memory = stack.enter_context(Memory.open(str(path)))
        raw = stack.enter_context(closing(Raw(folder / "raw-p.db", "FULL")))
        command = [sys.executable, "-m", "tests.benchmarks.writers", str(path)]
        writers = [
            stack.enter_context(
                subprocess.Popen(
                    [*command, str(who)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for who in range(WRITERS)
        ]
        for writer in writers:
            expect(_answer(writer), "ready", "a writer")
        ours, theirs, total = [], [], 0
        for _ in range(ROUNDS):
            for writer in writers:
                _tell(writer, "go")
            done = sum(int(_answer(writer)) for writer in writers)
            ours.append(done / ROUND_S)
            total += done
            theirs.append(alone(raw, ROUND_S))
        for writer in writers:
            _tell(writer, "end")
        expect(memory.stats().records, total + 1, "acknowledged by processes")
    yield _row("8 processes", ours, theirs)


def _row(who: str, ours: list[float], theirs: list[float]) -> Row:
    name = f"durable put, {who}"
    return compared(name, 0, "puts/s", ours, RAW, theirs, 3.0, "higher")


def _tell(writer: subprocess.Popen[str], word: str) -> None:
    assert writer.stdin is not None
    writer.stdin.write(word + "\n")
    writer.stdin.flush()


def _answer(writer: subprocess.Popen[str]) -> str:
    assert writer.stdout is not None
    return writer.stdout.readline().strip()


def write_for(memory: Memory, name: str, seconds: float) -> int:
    """Put new records until the time is over; how many were acknowledged."""
    value, done = item(7).value, 0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        memory.put("bench/writers", f"{name}-{done}", value)
        done += 1
    return done


def alone(raw: Raw, seconds: float) -> float:
    one, done = item(7), 0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        raw.put(one._replace(key=f"raw-{time.perf_counter_ns()}"))
        done += 1
    return done / seconds


def _writer(path: str, who: str) -> None:
    with Memory.open(path) as memory:
        memory.put("bench/writers", "ready", None)
        print("ready", flush=True)
        for turn, line in enumerate(sys.stdin):
            if line.strip() != "go":
                break
            print(write_for(memory, f"p{turn}-{who}", ROUND_S), flush=True)


if __name__ == "__main__":
    _writer(*sys.argv[1:3])
