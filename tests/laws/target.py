"""A store that hostile deltas are thrown at, and the honest deltas that they are made from."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import MemtendError
from memtend.limits import SWEEP_MARGIN_MS
from memtend.memory import Memory
from memtend.model.record import Labels
from memtend.store.expiry import drop_expired, expired
from memtend.store.logfloor import drop_log
from memtend.store.peers import peers
from memtend.store.sync import apply, outgoing, vector
from memtend.store.verify import verify_store

TAGGED = Labels(kind="fact", agent="ada", tags=("red", "blue"), extra={"a": [1, None]})
LONG = "worth compressing, " * 99


def write_some(memory: Memory, clock: ManualClock, first: int) -> None:
    """Every kind of row and of ending."""
    memory.put_many([Put("w/a", f"k{n}", n, TAGGED) for n in range(first, first + 3)])
    memory.put("w/a", "both", first)
    memory.put("w/a", "both", LONG, ctx={}, ttl_ms=3_600_000)
    memory.put("w/b", "short", 1, ttl_ms=10)
    memory.increment("w/counts", "n", first + 1)
    memory.add("w/sets", "colours", f"red{first}")
    memory.put("w/b", "gone", 1)
    memory.delete("w/b", "gone")
    clock.advance(SWEEP_MARGIN_MS + 10)
    drop_expired(memory.store, [row.seq for row in expired(memory.store, 9)], actor="law")


class Target:
    """`deltas` are an incremental one and a full one that `memory` would take in."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._opened = folder, 0
        base, clock, later = self._url("base"), ManualClock(seed=1), ManualClock(seed=2)
        with Memory.open("sqlite://", clock=clock) as source:
            write_some(source, clock, 0)
            later.advance(clock.now_ms() - later.now_ms())
            with Memory.open(base, clock=later, durability="normal") as memory:
                write_some(memory, later, 50)
                apply(memory.store, pages_for(memory, source))
            clock.advance(later.now_ms() - clock.now_ms())
            write_some(source, clock, 100)
            with Memory.open(base, clock=later, durability="normal") as memory:
                self.deltas = [pages_for(memory, source)]
                drop_log(source.store, keep_ms=0, actor="law")
                self.deltas.append(pages_for(memory, source))
        self.now_ms = clock.now_ms()
        self.memory = self._fresh()

    def throw(self, pages: Sequence[bytes]) -> str:
        """What happened: the name of the error, or nothing. Raises `AssertionError` where the
        store is not whole then, or was changed by what it refused."""
        before, refused = self.state(), ""
        try:
            apply(self.memory.store, pages)
        except MemtendError as error:
            refused = type(error).__name__
        if refused:
            assert self.state() == before, f"{refused} changed the store"
            return refused
        report = verify_store(self.memory.store)
        assert report.ok, report.findings
        self.memory.scan("w/a")
        if self.state() != before:
            self.close()
            self.memory = self._fresh()
        return ""

    def state(self) -> tuple[Any, ...]:
        store = self.memory.store
        return store.meta(), vector(store), peers(store)

    def close(self) -> None:
        self.memory.close()

    def _fresh(self) -> Memory:
        self._opened += 1
        path = self._folder / "target.db"
        for name in (path, *(path.with_name(f"target.db-{end}") for end in ("wal", "shm"))):
            name.unlink(missing_ok=True)
        shutil.copyfile(self._folder / "base.db", path)
        shutil.copyfile(self._folder / "base.db.key", f"{path}.key")
        clock = ManualClock(self.now_ms, seed=2 + self._opened)
        return Memory.open(f"sqlite:///{path}", clock=clock, durability="normal")

    def _url(self, name: str) -> str:
        return f"sqlite:///{self._folder}/{name}.db"


def pages_for(receiver: Memory, sender: Memory) -> list[bytes]:
    with outgoing(sender.store, vector(receiver.store)) as delta:
        return list(delta.pages())
