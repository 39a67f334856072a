"""What the figures were measured on: enough to compare, nothing that names a machine."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from importlib import metadata
from pathlib import Path
from statistics import median

PACKAGES = ("diskcache", "langgraph-checkpoint-sqlite", "psycopg", "orjson", "memtend")


SYNCS = 200


def machine(folder: Path) -> dict[str, str | int]:
    """`folder` is where the benchmarks write: what its disk takes for an fsync decides much."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "os": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "fsync of 4 KiB": f"{_fsync_us(folder):,.0f} µs",
        **{name: metadata.version(name) for name in PACKAGES},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _fsync_us(folder: Path) -> float:
    """Median over overwrites of a file that has its size, as SQLite's WAL is most of the time."""
    path, took = folder / "fsync", []
    with path.open("wb") as file:
        for n in range(SYNCS):
            os.pwrite(file.fileno(), b"x" * 4_096, n % 16 * 4_096)
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    path.unlink()
    return median(took[16:]) * 1e6
