"""restic and Borg backing up the same database file, each with the settings that suit it.

The file is quiet while they read it, and folded: better conditions than a live store gives them.
They come from the system's packages; without them the comparison says so and stops.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from tests.benchmarks.alone import Cost, of_command


class Archiver(Protocol):
    name: str
    repository: Path

    def create(self, file: Path) -> Cost: ...

    def verify(self) -> Cost: ...

    def restore(self, into: Path) -> Cost: ...


class Restic:
    """Repository version 2 with its own compression (`auto`, zstd), and its cache."""

    name = "restic"

    def __init__(self, folder: Path) -> None:
        _need("restic")
        self.repository = folder / "restic"
        self._environment = {
            "RESTIC_REPOSITORY": str(self.repository),
            "RESTIC_PASSWORD": "benchmark",
            "RESTIC_CACHE_DIR": str(folder / "restic-cache"),
        }
        self._run("init", "--repository-version", "2")

    def create(self, file: Path) -> Cost:
        return self._run("backup", "--quiet", str(file))

    def verify(self) -> Cost:
        return self._run("check", "--read-data")

    def restore(self, into: Path) -> Cost:
        return self._run("restore", "latest", "--target", str(into))

    def _run(self, *arguments: str) -> Cost:
        return of_command(("restic", *arguments), self._environment)


class Borg:
    """Without encryption, zstd level 3, its own chunker."""

    name = "Borg"

    def __init__(self, folder: Path) -> None:
        _need("borg")
        self.repository = folder / "borg"
        self._environment = {
            "BORG_BASE_DIR": str(folder / "borg-base"),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        }
        self._count = 0
        self._run("init", "--encryption=none", str(self.repository))

    def create(self, file: Path) -> Cost:
        self._count += 1
        archive = f"{self.repository}::{self._count}"
        return self._run("create", "--compression", "zstd,3", archive, str(file))

    def verify(self) -> Cost:
        return self._run("check", "--verify-data", str(self.repository))

    def restore(self, into: Path) -> Cost:
        into.mkdir(parents=True, exist_ok=True)
        command = ("borg", "extract", f"{self.repository}::{self._count}")
        return of_command(
            ("sh", "-c", 'cd "$0" && exec "$@"', str(into), *command), self._environment
        )

    def _run(self, *arguments: str) -> Cost:
        return of_command(("borg", *arguments), self._environment)


def stored_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _need(program: str) -> None:
    if shutil.which(program) is None:
        raise RuntimeError(f"{program} is not installed: apt-get install restic borgbackup")
