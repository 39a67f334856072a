"""Empty stores for one history after the other, made once and not once per history.

A SQLite store is a copy of a template file: opening it notices the copy and draws an id of its
own, as it must.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from memtend.clock import ManualClock
from memtend.memory import Memory
from memtend.model.policy import Policy
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.fixtures.stores import set_policies
from tests.laws.replica import COUNTER
from tests.laws.sql_replica import COUNTS_TTL_MS, PLACES

STAYING = (".ballast-", ".lock")


class Stores(Protocol):
    """Where the replicas of a history live. Only what is a file is copied and opened again."""

    folder: Path

    def is_file(self, i: int) -> bool: ...

    def fresh(self, i: int, clock: ManualClock) -> Services:
        """An empty store in place `i`; what was there is over."""

    def copied(self, source: int, i: int, clock: ManualClock) -> Services:
        """A copy of the database in place `source`, put in place `i`."""

    def again(self, i: int, clock: ManualClock) -> Services:
        """The store in place `i`, closed and opened once more."""


class SqliteStores:
    """Files `0.db`, `1.db` … in a folder."""

    def __init__(self, folder: Path, places: int) -> None:
        self.folder = folder
        # One audit key for all, since files are copied from one place to another.
        self._settings = Settings(
            durability="normal", plans_url=f"{folder}/plans", key_path=folder / "key"
        )
        self._open: dict[int, ExitStack] = {}
        for i in range(places):
            with self._services(f"template{i}", ManualClock(seed=i)) as services:
                prepare(services.memory)

    def is_file(self, i: int) -> bool:
        return True

    def fresh(self, i: int, clock: ManualClock) -> Services:
        return self._opened(f"template{i}", i, clock)

    def copied(self, source: int, i: int, clock: ManualClock) -> Services:
        self._close(source)
        draft = shutil.copyfile(self._path(str(source)), self._path("draft"))
        return self._opened(draft.stem, i, clock)

    def again(self, i: int, clock: ManualClock) -> Services:
        self._close(i)
        return self._enter(i, clock)

    def close(self) -> None:
        for i in list(self._open):
            self._close(i)

    def _opened(self, source: str, i: int, clock: ManualClock) -> Services:
        self._close(i)
        path = self._path(str(i))
        for name in self.folder.glob(f"{path.name}*"):  # with what restores have kept
            if not any(end in name.name for end in STAYING):
                name.unlink()
        shutil.copyfile(self._path(source), path)
        return self._enter(i, clock)

    def _enter(self, i: int, clock: ManualClock) -> Services:
        held = self._open[i] = ExitStack()
        return held.enter_context(self._services(str(i), clock))

    def _services(self, name: str, clock: ManualClock) -> AbstractContextManager[Services]:
        url = f"sqlite:///{self._path(name)}"
        return open_services(url, settings=self._settings, clock=clock)

    def _close(self, i: int) -> None:
        if i in self._open:
            self._open.pop(i).close()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.db"


def prepare(memory: Memory) -> None:
    """Counters live for a while; everything else as long as its writer says."""
    set_policies(memory, Policy(pattern=PLACES[COUNTER][0], ttl_ms=COUNTS_TTL_MS))


@contextmanager
def made_small() -> Iterator[None]:
    """Little ballast, and a page of its own for almost every key of a delta."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("memtend.store.ballast.BALLAST_BYTES", 16_384)
        patch.setattr("memtend.codec.delta.DELTA_PAGE_BYTES", 64)
        yield


@contextmanager
def sqlite_stores(folder: Path, places: int) -> Iterator[SqliteStores]:
    with made_small():
        stores = SqliteStores(folder, places)
        try:
            yield stores
        finally:
            stores.close()
            shutil.rmtree(folder)
