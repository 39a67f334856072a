"""A full disk: puts are refused, reading, opening and deleting go on, and space heals everything.

The disk is a small tmpfs in a mount namespace of its own, made as root or as a user who may have
user namespaces. Where neither is allowed a limit on file sizes takes its place, with a warning.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from memtend.limits import BALLAST_FILES
from tests.crash.shim import DRIVER_S_MAX, ROOT, run_driver

SIZE = "14m"
ERASE_SIZE = "20m"
MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" || exit 77; shift 2; exec "$@"'
NO_MOUNT = 77


def on_small_disk(folder: Path, *driver: str, size: str = SIZE) -> dict[str, Any] | None:
    """What the driver reports from a file system of its own, or None where none can be mounted."""
    alone = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    done = subprocess.run(
        [*alone, "sh", "-c", MOUNT, "sh", size, str(folder), sys.executable, "-m", *driver],
        check=False, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=DRIVER_S_MAX,
    )  # fmt: skip
    if done.returncode == NO_MOUNT or "unshare" in done.stderr:
        warnings.warn(f"no file system could be mounted: {done.stderr.strip()}", stacklevel=2)
        return None
    assert done.returncode == 0, done.stderr[-4_000:]
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def test_a_full_disk(tmp_path: Path) -> None:
    report = on_small_disk(tmp_path, "tests.crash.full", str(tmp_path), "disk")
    if report is None:
        limited = run_driver("full", tmp_path, "rlimit", preload=False)
        assert limited["error"] in ("StoreFull", "StoreUnavailable")
        assert (limited["read"], limited["more"]) == (200, 0)
        assert (limited["after"], limited["damage"]) == (1, 0)
        return
    assert report["reopened_whole"] == {"read": 200, "more": 0}
    assert report["error"] == "StoreFull"
    assert (report["read"], report["more"]) == (200, 0)  # all that was acknowledged, and no more
    assert report["deleted"] == 50
    assert report["ballast_after_delete"] < report["ballast"] == BALLAST_FILES
    assert report["reopened"] == {"read": 150, "more": 0}
    assert (report["after"], report["ballast_again"]) == (1, BALLAST_FILES)
    assert report["damage"] == 0


def test_a_full_target(tmp_path: Path) -> None:
    """A backup is refused, the older ones stay whole, and rotation makes space for the next."""
    report = on_small_disk(tmp_path, "tests.crash.full_target", str(tmp_path))
    if report is None:
        return
    assert report["error"] == "TargetFull"
    assert report["backups"] > 10
    assert (report["whole"], report["unacknowledged"]) == (True, 0)
    assert report["dropped"] == report["backups"] - 1
    assert report["objects_deleted"] > 10
    assert report["whole_after"]
    assert (report["whole_again"], report["left"]) == (True, 2)


def test_a_full_disk_is_told_of(tmp_path: Path) -> None:
    """Once: that it was told is written down where there is no room. Where that takes ballast, the
    next look tells of the ballast, once, too."""
    report = on_small_disk(tmp_path, "tests.crash.fullalert", str(tmp_path))
    if report is None:
        return
    first, second, third = report["opened"]
    assert "health.disk" in first
    assert set(second) <= {"health.ballast"}
    assert third == []
    assert sorted(report["heard"]) == sorted({*first, *second})


def test_erasing_on_a_full_disk(tmp_path: Path) -> None:
    """Without room to rebuild the file, what is erased is gone for every reader and overwritten
    where it lay; with room, a second run finishes."""
    report = on_small_disk(tmp_path, "tests.crash.fullerase", str(tmp_path), size=ERASE_SIZE)
    if report is None:
        return
    assert report["code"] == 0
    full, gone, again, damage, ballast = report["told"]
    assert (full["deleted"], full["rewritten"], gone["gone"]) == (50, False, True)
    assert again == {"deleted": 0, "rewritten": True, "left": 0, "naming": []}
    assert (damage["damage"], ballast["ballast"]) == (0, BALLAST_FILES)
