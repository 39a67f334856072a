"""Driver: backups into a target that gets full, and gets space again by rotation.

usage: full_target FOLDER          FOLDER: a small file system of its own, the target
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from memtend.backup import Repository, take_full, verify_repository
from memtend.backup.layers import open_state
from memtend.clock import SystemClock
from memtend.errors import MemtendError
from memtend.objects import open_target
from tests.crash.full import fill_up
from tests.fixtures.backups import MadeSnapshot, check_row, made_snapshot
from tests.fixtures.rotations import manifests_in, rotated

ROUNDS_MAX = 100
TWO_DAYS_S = 2 * 86_400


def full_target(folder: Path) -> dict[str, Any]:
    clock = SystemClock()
    store = open_target(str(folder), clock)
    taken: dict[str, MadeSnapshot] = {}

    def take(seed: int) -> str:
        made = made_snapshot(100, value_bytes=2_000, seed=seed)
        name = take_full(made, store, clock, check_row=check_row).manifest
        taken[name] = made
        return name

    def whole() -> bool:
        """Every backup that was acknowledged and not dropped gives back what was put in."""
        found = manifests_in(store)
        report = verify_repository(store, clock, check_row=check_row, deep=True, head=found[-1])
        repository = Repository.open(store)
        return report.ok and all(
            tuple(open_state(repository, name, check_row=check_row).rows()) == taken[name].stored
            for name in found
        )

    take(0)
    rotated(store, clock)  # lays the reserve down
    error = ""
    for seed in range(1, ROUNDS_MAX):
        try:
            take(seed)
        except MemtendError as failed:
            error = type(failed).__name__
            break
    report: dict[str, Any] = {"error": error, "backups": len(taken), "whole": whole()}
    report["unacknowledged"] = len(set(manifests_in(store)) ^ set(taken))
    for path in folder.rglob("objects/*/*"):
        os.utime(path, (path.stat().st_mtime - TWO_DAYS_S,) * 2)
    fill_up(folder)
    dropped = rotated(store, clock)
    report["dropped"], report["objects_deleted"] = dropped.deleted, dropped.objects_deleted
    report["whole_after"] = whole()
    take(ROUNDS_MAX)
    report["whole_again"], report["left"] = whole(), len(manifests_in(store))
    return report


if __name__ == "__main__":
    print(json.dumps(full_target(Path(sys.argv[1]))))
