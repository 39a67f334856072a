"""Driver: hit every file operation of a script once, and look at what is left.

usage, under the shim: points SCRIPT ACT MOST      ACT: kill, torn, eio, enospc

Per point a fresh copy of the prepared store, a child that runs the script and is hit, and a child
that checks, runs the script again from the start, and checks that. When there are more
points than MOST, they are cut into MOST parts of one size and one point of each part is taken, by
dice with a fixed seed: even over the script, and in step with no rhythm of its operations.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import memtend.store.ballast
import memtend.store.sqlite
from memtend.errors import MemtendError
from tests.crash.agings import unfinished
from tests.crash.models import torn
from tests.crash.sampling import sampled
from tests.crash.shim import Shim, fast_folder, in_child
from tests.crash.steps import (
    DAY_MS,
    ERASED,
    HOUR_MS,
    NOON_MS,
    SCRIPTS,
    backups_of,
    opened,
    prepare,
    seen_in,
    states_of,
)
from tests.crash.syncs import unseen
from tests.crash.trials import untied

# Small, so that scripts of a few records meet checkpoints, and copies are cheap.
if sys.argv[1] != "put":
    memtend.store.sqlite.WAL_CHECKPOINT_BYTES = 12 * 4_096  # type: ignore[attr-defined]
memtend.store.ballast.BALLAST_BYTES = 16 * 1_024  # type: ignore[attr-defined]

NOW_MS = NOON_MS + DAY_MS
# The leases of a killed process have run out when its work is repeated.
LATER_MS = NOW_MS + 10 * HOUR_MS
REOPENINGS_MAX = 3


class Sweep:
    """All points of one script under one kind of fault."""

    def __init__(self, script: str, act: str) -> None:
        self.script, self.act = script, act
        self.shim = Shim()
        self.home = fast_folder(f"{script}-{act}")
        self.base, self.folder = self.home / "base", self.home / "store"
        self.states = states_of(script)
        self.outcomes: Counter[str] = Counter()
        self.violations: list[str] = []
        self.kinds: Counter[str] = Counter()

    def run(self, most: int) -> dict[str, Any]:
        self.base.mkdir()
        prepare(self.base)
        if self.script == "create":  # prepared all the same: what it imports, no child imports
            shutil.rmtree(self.base)
            self.base.mkdir()
        self._fresh()
        code, told = in_child(lambda: self._act(0))
        assert code == 0, told
        total = told[-1]["seen"]
        tried = sampled(total, most, f"{self.script} {self.act}")
        for point in tried:
            self._fresh()
            self._try(point)
        shutil.rmtree(self.home)
        return {
            "script": self.script,
            "act": self.act,
            "points": total,
            "tried": len(tried),
            "outcomes": self.outcomes,
            "hit": self.kinds,
            "violations": self.violations,
        }

    def _fresh(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.base, self.folder)

    def _try(self, point: int) -> None:
        code, told = in_child(lambda: self._act(point))
        done = sum("done" in item for item in told)
        last = told[-1] if told else {}
        outcome = {-9: "killed", 0: "raised" if last.get("errors") else "quiet"}.get(code, "broke")
        hit = last.get("hit", "")
        self.outcomes[outcome] += 1
        self.kinds[hit.split()[0] if hit else "killed"] += 1
        where = f"point {point} ({hit or outcome}, {done} steps done)"
        if outcome == "broke":
            self.violations.append(f"{where}: an error without a type")
        elif last.get("unsafe"):
            self.violations.append(f"{where}: acknowledged although its sync failed")
        elif last.get("left"):
            self.violations.append(f"{where}: never recovered: {last['errors']}")
        allowed = self.states[done : done + 2] if outcome == "killed" else self.states[-1:]
        code, told = in_child(lambda: self._afterwards(where, allowed))
        self.violations += told
        if code:
            self.violations.append(f"{where}: looking at it and repeating it broke")

    def _afterwards(self, where: str, allowed: list[dict[str, Any]]) -> Iterator[str]:
        """In a child that never saw the store: look at it, run the script again, look again.

        Each opens it anew. What is wrong is said one by one.
        """
        yield from (f"{where}: {fault}" for fault in self._look(allowed))
        *_, last = self._act(-1, LATER_MS)
        if last["errors"]:
            yield f"{where}: cannot be repeated: {last}"
        yield from (f"{where}, repeated: {fault}" for fault in self._look(self.states[-1:]))

    def _act(self, point: int, now_ms: int = NOW_MS) -> Iterator[dict[str, Any]]:
        """In a child: the script; a step that failed is tried again, here and after reopening."""
        if point >= 0:
            self.shim.arm(self.folder, point, self.act)
        errors: list[str] = []
        todo = list(SCRIPTS[self.script])
        ignored = ""
        for _ in range(REOPENINGS_MAX):
            try:
                # The seed differs between runs: ids of real clocks are never repeated.
                with opened(self.folder, now_ms, seed=now_ms) as services:
                    while todo:
                        before = self.shim.hit
                        try:
                            todo[0].do(services)
                        except MemtendError as error:
                            errors.append(f"{type(error).__name__}: {error}")
                            todo[0].do(services)  # at once again; then only a new open helps
                        else:
                            ignored = ignored or self.shim.hit[len(before) :]
                        todo.pop(0)
                        yield {"done": True}
            except MemtendError as error:
                errors.append(f"{type(error).__name__}: {error}")
                now_ms += HOUR_MS
                continue
            if not todo:
                break
        yield {
            "errors": errors,
            "hit": self.shim.hit,
            "seen": self.shim.seen,
            "left": len(todo),
            # No checkpoint runs in this script: each sync of the WAL is one that a step waits for.
            "unsafe": self.script == "put" and ignored == "sync /store.db-wal",
        }

    def _look(self, allowed: list[dict[str, Any]]) -> Iterator[str]:
        """What is wrong with the store, said one by one."""
        fresh = not Path(self.folder, "store.db").exists()
        if fresh and {} in allowed:
            return
        with opened(self.folder, LATER_MS, seed=200) as services:
            report = services.verify_store()
            if not report.ok:
                yield f"verify: {report.findings[:3]}"
            if lost := unseen(services):
                yield f"{lost[:3]} are not in the vector"
            seen = seen_in(services)
            if seen not in allowed:
                wanted = allowed[0]
                odd = {k for k in seen.keys() | wanted.keys() if seen.get(k) != wanted.get(k)}
                yield f"seen is no allowed state; it differs in {sorted(odd)[:5]}"
            if self.script == "erase" and allowed == self.states[-1:]:
                yield from (f"{file} still names it" for file in self._naming())
            if self.script == "migrate" and allowed == self.states[-1:]:
                yield from unfinished(services)
            if self.script == "models":
                yield from torn(services)
            if self.script == "trials":
                yield from untied(services)
            if self.script == "archive" and services.memory.stats().archived.records:
                archive = services.verify_archive()
                if not archive.ok:
                    yield f"archive: {archive.findings[:3]}"
            if self.script.endswith("backup"):
                backups = services.verify_backup(backups_of(services))
                if not backups.ok:
                    yield f"backup: {backups.findings[:3]}"

    def _naming(self) -> Iterator[str]:
        for file in self.folder.rglob("*"):
            ours = file.is_file() and "backups" not in file.parts
            if ours and ERASED.encode() in file.read_bytes():
                yield file.name


if __name__ == "__main__":
    print(json.dumps(Sweep(sys.argv[1], sys.argv[2]).run(int(sys.argv[3]))))
