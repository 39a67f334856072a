"""Driver: a store on a disk that gets full, and gets space again.

usage: full FOLDER HOW      FOLDER: a small file system of its own. HOW: disk, or rlimit where no
file system could be mounted: then no file may grow beyond a limit, which the system reports as an
error of another kind and which no ballast can help, so that only part of the claims is checked.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from memtend.clock import SystemClock
from memtend.drafting import Put
from memtend.errors import MemtendError
from memtend.memory import Memory
from tests.crash.shim import in_child
from tests.crash.steps import store_url

RECORDS = 200
VALUE = "0123456789abcdef" * 120
FILE_BYTES_MAX = 2_000_000


def fill_up(folder: Path) -> None:
    """Take all space, down to the last page."""
    with contextlib.suppress(OSError), (folder / "padding").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4_096)


def put_until_full(memory: Memory) -> tuple[int, str]:
    """Acknowledged puts, and the error that ended them."""
    for i in range(20_000):
        try:
            memory.put("more", f"m{i}", {"i": i, "text": os.urandom(900).hex()})
        except MemtendError as error:
            return i, type(error).__name__
    return i, "none"


def read_all(memory: Memory) -> int:
    found = [memory.get("notes", f"n{i}") for i in range(RECORDS)]
    return sum(value == f"{i} {VALUE}" for i, value in enumerate(found))


def counted(memory: Memory, namespace: str) -> int:
    return len(memory.scan(namespace, limit=10_000))


def open_and_read(folder: Path) -> dict[str, Any]:
    """In a child, so that nothing is open from before."""
    with Memory.open(store_url(folder), clock=SystemClock()) as memory:
        return {"read": read_all(memory), "more": counted(memory, "more")}


def open_when_full(folder: Path, acked: int) -> dict[str, Any]:
    fill_up(folder)
    code, told = in_child(lambda: iter([open_and_read(folder)]))
    assert code == 0
    return {"read": told[0]["read"], "more": told[0]["more"] - acked}


def full_disk(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = {}
    with Memory.open(store_url(folder)) as memory:
        memory.put_many([Put("notes", f"n{i}", f"{i} {VALUE}") for i in range(RECORDS)])
        report["ballast"] = memory.store.ballast.count()
    report["reopened_whole"] = open_when_full(folder, 0)
    with Memory.open(store_url(folder)) as memory:
        fill_up(folder)
        acked, report["error"] = put_until_full(memory)
        report["read"] = read_all(memory)
        report["more"] = counted(memory, "more") - acked
        report["deleted"] = sum(memory.delete("notes", f"n{i}") for i in range(50))
        report["ballast_after_delete"] = memory.store.ballast.count()
    report["reopened"] = open_when_full(folder, acked)
    (folder / "padding").unlink()
    with Memory.open(store_url(folder)) as memory:
        memory.put("notes", "after", 1)
        report["after"] = memory.get("notes", "after")
        report["ballast_again"] = memory.store.ballast.fill()
        report["damage"] = damage(memory)
    return report


def full_file(folder: Path) -> dict[str, Any]:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Memory.open(store_url(folder)) as memory:
        memory.put_many([Put("notes", f"n{i}", f"{i} {VALUE}") for i in range(RECORDS)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, resource.RLIM_INFINITY))
        acked, error = put_until_full(memory)
        report: dict[str, Any] = {"error": error, "read": read_all(memory)}
        report["more"] = counted(memory, "more") - acked
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        memory.put("notes", "after", 1)
        report["after"] = memory.get("notes", "after")
        report["damage"] = damage(memory)
    return report


def damage(memory: Memory) -> int:
    from memtend.store.verify import verify_store  # noqa: PLC0415

    return verify_store(memory.store).damage_count


if __name__ == "__main__":
    where = Path(sys.argv[1])
    print(json.dumps(full_disk(where) if sys.argv[2] == "disk" else full_file(where)))
