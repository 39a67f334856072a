"""CPU of starting: importing the library, the command's help, one read, one hook.

CPU time of child processes (user and system, as the kernel counts it), each round interleaved with
a bare interpreter of the same environment. Waiting does not count, so a busy machine matters less.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from memtend.memory import Memory
from tests.benchmarks.harness import Row, compared, expect

ROUNDS = 15
BARE = "bare interpreter"
HOOK = "memtend hook post-edit"
EVENT = Path(__file__).parents[1] / "golden" / "hooks" / "post-edit.json"


def rows(folder: Path) -> Iterator[Row]:
    folder.mkdir(parents=True)
    store = str(folder / "store.db")
    with Memory.open(store) as memory:
        memory.put("bench/startup", "key", {"found": True})
    memtend = str(Path(sys.executable).parent / "memtend")
    commands = {
        BARE: [sys.executable, "-c", "pass"],
        "import memtend": [sys.executable, "-c", "import memtend"],
        "memtend --help": [memtend, "--help"],
        "memtend get": [memtend, "get", "bench/startup", "key", "--store", store],
        HOOK: [memtend, "hook", "post-edit", "--store", store, "--strict"],
    }
    event = folder / "event.json"
    event.write_bytes(EVENT.read_bytes())
    expect("true" in _output(commands["memtend get"]), True, "memtend get finds the value")
    expect("sweep" in _output(commands["memtend --help"]), True, "memtend --help lists commands")
    cpu: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(-1, ROUNDS):
        for name, command in commands.items():
            took = _cpu_ms(command, event)
            if turn >= 0:
                cpu[name].append(took)
    targets = {"import memtend": 60.0, "memtend --help": 200.0, "memtend get": 450.0}
    targets[HOOK] = 250.0
    for name, target in targets.items():
        over = [mine - bare for mine, bare in zip(cpu[name], cpu[BARE], strict=True)]
        row = compared(name, 0, "ms CPU", cpu[name], BARE, cpu[BARE], target, "lower")
        yield row._replace(
            name=f"{name}, over a bare interpreter", ours=median(over), judged="ours"
        )


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _cpu_ms(command: list[str], event: Path) -> float:
    with event.open("rb") as stdin:
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    expect(process.returncode, 0, command[-1])
    return (usage.ru_utime + usage.ru_stime) * 1_000
