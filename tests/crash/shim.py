"""The fault shim: built with gcc when a test needs it, preloaded, and steered from inside.

A driver is a module of this package run under the shim by `run_driver`; it prints one JSON line.
It imports memtend once and forks a child per fault, which costs milliseconds instead of a start.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any

SOURCE = Path(__file__).with_name("faultfs.c")
ROOT = SOURCE.parents[2]
DRIVER_S_MAX = 280
EVERY_POINT = 10**9
"""More points than any script has."""


@cache
def built() -> Path:
    """The shared library; built once per process, into a folder of its own."""
    library = Path(tempfile.mkdtemp(prefix="faultfs-")) / "faultfs.so"
    command = ["gcc", "-shared", "-fPIC", "-O2", str(SOURCE), "-o", str(library), "-ldl"]
    subprocess.run(command, check=True)
    return library


def run_driver(module: str, *args: object, preload: bool = True) -> dict[str, Any]:
    """Run `python -m tests.crash.MODULE ARGS` and return the JSON of its last line."""
    command = [sys.executable, "-m", f"tests.crash.{module}", *map(str, args)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    if preload:
        env["LD_PRELOAD"] = str(built())
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=DRIVER_S_MAX,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


class Shim:
    """Steers the preloaded library of this process and of its forked children."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.fi_seen.restype = ctypes.c_long
        self._library.fi_hit.restype = ctypes.c_char_p

    def arm(self, folder: Path, point: int, act: str) -> None:
        self._library.fi_arm(str(folder).encode(), ctypes.c_long(point), act.encode())

    def record(self, folder: Path, file: Path) -> None:
        self._library.fi_record(str(folder).encode(), str(file).encode())

    def note(self, text: str) -> None:
        data = text.encode()
        self._library.fi_note(data, len(data))

    def off(self) -> None:
        self._library.fi_off()

    def wall(self, wrong_ms: int) -> None:
        """Set the wall clock of this process wrong by so much."""
        self._library.fi_wall(ctypes.c_int64(wrong_ms))

    @property
    def seen(self) -> int:
        return int(self._library.fi_seen())

    @property
    def hit(self) -> str:
        """What was hit, as "operation path", or nothing."""
        found: bytes = self._library.fi_hit()
        return found.decode()


def fork_child(work: Callable[[], Iterable[Any]]) -> tuple[int, IO[str]]:
    """Run in a forked child; its process id, and a pipe with what it told, one JSON a line.

    `work` may be an iterator: each item is told at once, before the next one is asked for.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            for item in work():
                os.write(writer, json.dumps(item).encode() + b"\n")
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    os.close(writer)
    return child, os.fdopen(reader)


_LATE = (
    "archive.apply", "archive.compact", "archive.recall", "archive.verify", "backup.undo",
    "erase.apply", "prune.undo", "serving.archives", "serving.rehearsing",
)  # fmt: skip


def preload() -> None:
    """Import what is imported late, so that no forked child has to."""
    for name in _LATE:
        import_module(f"memtend.{name}")


def in_child(work: Callable[[], Iterable[Any]]) -> tuple[int, list[Any]]:
    """Run in a forked child to its end: its exit code (-9 when killed) and what it told."""
    child, lines = fork_child(work)
    with lines:
        told = [json.loads(line) for line in lines]
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told


def fast_folder(name: str) -> Path:
    """A folder in memory where there is one: what is tested here is order, not the disk."""
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    return Path(os.path.realpath(tempfile.mkdtemp(prefix=f"memtend-{name}-", dir=where)))
