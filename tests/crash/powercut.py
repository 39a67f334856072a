"""Driver: record a workload with all its syncs, cut the power anywhere, look at the disk.

usage, under the shim: powercut DURABILITY STATES SEED

Three processes in turn make and reopen the store, several threads and processes write to it at
once; a small checkpoint limit makes the WAL start over many times. After each acknowledgement the
record holds a note. A state is lost when an acknowledged write is not in it, and damaged when
`verify_store` says so or a reader fails.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import memtend.store.ballast
import memtend.store.sqlite
from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import MemtendError
from memtend.memory import Memory
from tests.crash.disk import Disk, Op, read_record
from tests.crash.shim import Shim, fast_folder, in_child
from tests.crash.steps import HOUR_MS, LONG, NOON_MS, TAGGED, opened, prepare, store_url

memtend.store.sqlite.WAL_CHECKPOINT_BYTES = 24 * 4_096  # type: ignore[attr-defined]
memtend.store.ballast.BALLAST_BYTES = 4_096  # type: ignore[attr-defined]

SEEN_MAX = 5


def work(folder: Path, shim: Shim, durability: str, name: str, writes: int) -> Iterator[str]:
    """In a child: put, put many and delete, noting what was acknowledged right after it was."""
    dice = random.Random(name)

    def write(memory: Memory, thread: int) -> None:
        for i in range(writes):
            key = f"{name}-{thread}-{i}"
            if i % 5 == 4:
                keys = [f"{key}-{j}" for j in range(4)]
                memory.put_many([Put("many", key, LONG[: dice.randrange(2_000)]) for key in keys])
                shim.note(json.dumps({"put": [f"many {key}" for key in keys]}))
            else:
                memory.put("single", key, dice.randrange(10**9), labels=TAGGED)
                shim.note(json.dumps({"put": [f"single {key}"]}))
            if i % 7 == 6:
                old = f"{name}-{thread}-{i - 1}"
                shim.note(json.dumps({"deleting": f"single {old}"}))
                memory.delete("single", old)
                shim.note(json.dumps({"deleted": f"single {old}"}))

    clock = ManualClock(NOON_MS, seed=dice.randrange(10**9))
    with Memory.open(
        store_url(folder / "new" / "store"), durability=durability, clock=clock
    ) as memory:
        threads = [threading.Thread(target=write, args=(memory, i)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    yield name


def recorded(durability: str, home: Path) -> list[Op]:
    folder, file = home / "live", home / "record"
    folder.mkdir()
    shim = Shim()
    shim.record(folder, file)
    for name in ("first", "second"):
        code, _ = in_child(partial(work, folder, shim, durability, name, 20))
        assert code == 0
    # Two at once: each checkpoints what the other has written and not yet synced.
    calls = [partial(work, folder, shim, durability, name, 15) for name in ("third", "fourth")]
    both = [threading.Thread(target=in_child, args=(call,)) for call in calls]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    shim.off()
    return list(read_record(file))


class Cuts:
    def __init__(self, home: Path, ops: list[Op], seed: int) -> None:
        self.disk = Disk(str(home / "live"))
        self.home, self.ops, self.dice = home, ops, random.Random(seed)
        self.acked: set[str] = set()
        self.gone: set[str] = set()
        self.lost = self.states = 0
        self.damaged: list[str] = []

    def run(self, states: int) -> dict[str, Any]:
        cuts = sorted(self.dice.randrange(1, len(self.ops) + 1) for _ in range(states))
        at = 0
        for cut in cuts:
            for op in self.ops[at:cut]:
                self._take(op)
            at = cut
            self._look(cut)
        return {
            "operations": len(self.ops),
            "syncs": sum(op.kind == "S" for op in self.ops),
            "acknowledged": len(self.acked),
            "states": self.states,
            "lost": self.lost,
            "damaged": self.damaged[:SEEN_MAX],
        }

    def _take(self, op: Op) -> None:
        if op.kind != "n":
            self.disk.do(op)
            return
        note = json.loads(op.data)
        self.acked |= set(note.get("put", ()))
        for place in (note.get("deleting"), note.get("deleted")):
            self.acked.discard(place)
        self.gone |= {note["deleted"]} if "deleted" in note else set()

    def _look(self, cut: int) -> None:
        where = self.home / "cut"
        shutil.rmtree(where, ignore_errors=True)
        where.mkdir()
        self.disk.cut(where, self.dice)
        self.states += 1
        folder = where / "new" / "store"
        if not self.acked and not (folder / "store.db").exists():
            return
        if not (folder / "store.db").exists():
            self.lost += 1
            return
        try:
            with opened(folder, NOON_MS + HOUR_MS, seed=cut) as services:
                report = services.verify_store()
                if not report.ok:
                    self.damaged.append(f"cut {cut}: {report.findings[:2]}")
                seen = {
                    f"{namespace} {key}"
                    for namespace in ("single", "many")
                    for key, _ in services.memory.scan(namespace, limit=10_000)
                }
        except MemtendError as error:
            self.damaged.append(f"cut {cut}: {type(error).__name__}: {error}")
            return
        self.lost += bool(self.acked - seen or self.gone & seen)


if __name__ == "__main__":
    home = fast_folder(f"powercut-{sys.argv[1]}")
    (home / "warm").mkdir()
    prepare(home / "warm")
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, home)
        print(
            json.dumps(
                Cuts(home, recorded(sys.argv[1], home), int(sys.argv[3])).run(int(sys.argv[2]))
            )
        )
