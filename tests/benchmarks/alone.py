"""One operation in a process of its own: its time, its CPU time, and the most memory it had.

`python -m tests.benchmarks.alone OPERATION STORE TARGET` prints the figures as JSON. Imports come
first and are not part of them: a service that runs on a schedule has them behind it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Cost(NamedTuple):
    """`wall_s` and `cpu_s` of the operation, `peak_bytes` of the whole process."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def of_operation(operation: str, store: str, target: str) -> Cost:
    """What one of ours costs."""
    command = (sys.executable, "-m", "tests.benchmarks.alone", operation, store, target)
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def of_memtend(*arguments: str) -> Cost:
    """What one of our commands costs, interpreter and all."""
    return of_command((sys.executable, "-m", "memtend.cli", *arguments))


def of_command(command: Sequence[str], environment: dict[str, str] | None = None) -> Cost:
    """What a whole command costs, from start to end."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=os.environ | (environment or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    said = process.stderr.read() if process.stderr else b""
    _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{command[0]} failed: {said.decode()[-500:]}")
    return Cost(took, used.ru_utime + used.ru_stime, used.ru_maxrss * 1_024)


def main(operation: str, store: str, target: str) -> None:
    from memtend.services import open_services  # noqa: PLC0415
    from tests.benchmarks.backup_work import WORK, warm_up  # noqa: PLC0415

    warm_up()
    began, used = time.perf_counter(), time.process_time()
    with open_services(store) as services:
        WORK[operation](services, target)
    cost = (time.perf_counter() - began, time.process_time() - used)
    print(json.dumps([*cost, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024]))


if __name__ == "__main__":
    main(*sys.argv[1:4])
