"""Driver: a process forks while it has a store open, and closes it under its child.

usage: forks WAY ROUNDS     WAY: shared (the child goes on with the parent's memory), own (it opens
the store itself), race (the parent closes at once, without waiting for the child)

Reports how many writes were acknowledged, how many of them are gone, and what verify found.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from memtend.errors import StoreClosed
from memtend.memory import Memory
from memtend.store.verify import verify_store
from tests.crash.shim import fast_folder, fork_child
from tests.crash.steps import store_url

WRITES = 20


def child(memory: Memory, folder: Path, way: str, name: str) -> Iterator[str]:
    """Acknowledged keys, one by one; the parent closes after the first ones, or at any time."""
    mine = Memory.open(store_url(folder)) if way == "own" else memory
    for i in range(WRITES):
        try:
            mine.put("forks", f"{name}-{i}", i)
        except StoreClosed:
            return
        yield f"{name}-{i}"


def run(way: str, rounds: int) -> dict[str, int]:
    home = fast_folder("forks")
    acked: list[str] = []
    refused = 0
    for number in range(rounds):
        with Memory.open(store_url(home)) as memory:
            memory.put("forks", f"parent-{number}", number)
            acked.append(f"parent-{number}")
            work = partial(child, memory, home, way, f"child-{number}")
            process, told = fork_child(work)
            heard = [told.readline()] if way != "race" else []
        heard += told.readlines()
        told.close()
        os.waitpid(process, 0)
        refused += not heard
        acked += [json.loads(line) for line in heard]
    with Memory.open(store_url(home)) as memory:
        held = {key for key, _ in memory.scan("forks", limit=10_000)}
        damage = verify_store(memory.store).damage_count
    shutil.rmtree(home)
    return {
        "acknowledged": len(acked),
        "lost": len(set(acked) - held),
        "refused": refused,
        "damage": damage,
    }


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]))))
