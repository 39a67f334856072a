"""Cut off at every request and killed at every file operation: no record is ever without a value.

What was acknowledged reads the same at any point, the archive is whole for what the store names,
and the same call repeated brings everything to its end.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from memtend import objects
from memtend.clock import Clock, ManualClock
from memtend.errors import ArchiveDamaged
from memtend.limits import ARCHIVE_KEEP_MS, MAINTENANCE_LEASE_MS
from memtend.objects import ObjectStore, open_target
from memtend.services import Services
from tests.fixtures.archives import (
    NS,
    archive_everything,
    fill,
    plan_everything,
    serving,
    shown,
    value,
)
from tests.fixtures.backups import FailingStore, Fails, Requests
from tests.fixtures.killing import KILLED, die_before, in_child

COUNT = 24
Deed = Callable[[Services], object]


@pytest.fixture(autouse=True)
def _small_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several objects of several blocks out of few records."""
    monkeypatch.setattr("memtend.archive.packing.ARCHIVE_BLOCK_BYTES", 2_500)
    monkeypatch.setattr("memtend.archive.packing.ARCHIVE_OBJECT_BYTES", 7_000)
    monkeypatch.setattr("memtend.archive.recall._PAGE", 7)


def archive(services: Services) -> object:
    return archive_everything(services)


def recall(services: Services) -> object:
    return services.recall("**")


def compact(services: Services) -> object:
    """Rewrites objects, lists them and, as time has passed, removes those that were listed."""
    return services.compact_archive()


def before_archive(services: Services) -> None:
    fill(services, COUNT)


def before_recall(services: Services) -> None:
    fill(services, COUNT)
    archive_everything(services)


def before_compact(services: Services) -> None:
    """Objects wholly unused for long, objects mostly unused since, objects in use."""
    before_recall(services)
    for number in range(6):
        services.recall(f"{NS}/k{number:03d}")
    services.compact_archive()
    services.clock.advance(ARCHIVE_KEEP_MS)  # type: ignore[attr-defined]
    for number in range(6, COUNT):
        if number % 4:
            services.recall(f"{NS}/k{number:03d}")


DEEDS: dict[str, tuple[Deed, Deed]] = {
    "archive": (before_archive, archive),
    "recall": (before_recall, recall),
    "compact": (before_compact, compact),
}
WANTED = {f"k{n:03d}": value(n) for n in range(COUNT)}


def check(services: Services, where: object) -> None:
    """Every record is there, the store and the archive are whole."""
    assert shown(services) == WANTED, where
    store = services.verify_store()
    assert store.ok, (where, store.findings)
    if services.memory.stats().archived.records:  # before the first one there may be no archive
        found = services.verify_archive()
        assert found.ok, (where, found.findings)


def failing(monkeypatch: pytest.MonkeyPatch, fail_at: int | None, late: bool) -> Requests:
    """From now on targets count their requests together, and fail from the n-th on."""
    requests = Requests()

    def opened(url: str, clock: Clock, **more: Any) -> ObjectStore:
        inner = open_target(url, clock, **more)
        return FailingStore(inner, fail_at, late=late, requests=requests)

    monkeypatch.setattr(objects, "open_target", opened)
    monkeypatch.setattr("memtend.archive.reading.open_target", opened)
    return requests


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("kind", ["local", "memory"])
@pytest.mark.parametrize("name", DEEDS)
def test_cut_off_at_every_request(name: str, kind: str, late: bool, tmp_path: Path) -> None:
    """The n-th request and all behind it fail, for every n; once before, once after it happened."""
    prepare, deed = DEEDS[name]

    def run(fail_at: int | None) -> int:
        if kind == "memory":
            fsspec.filesystem("memory").store.clear()
        url = f"memory://a{fail_at}" if kind == "memory" else str(tmp_path / f"a{fail_at}")
        clock = ManualClock()
        with serving("sqlite://", url, clock) as services:
            prepare(services)
            with pytest.MonkeyPatch.context() as patch:
                services.store.archive.reader.forget()  # type: ignore[union-attr]
                requests = failing(patch, fail_at, late)
                try:
                    deed(services)
                except Fails:
                    pass
                else:
                    assert fail_at is None or requests.made < fail_at or late
                services.store.archive.reader.forget()  # type: ignore[union-attr]
            if fail_at is not None:
                check(services, fail_at)
            deed(services)
            check(services, (fail_at, "repeated"))
            records = services.memory.stats().archived.records
            assert records == {"archive": COUNT, "recall": 0}.get(name, records)
        return requests.made

    calls = run(None)
    assert calls > (4 if name == "recall" else 15)
    for fail_at in range(1, calls + 1):
        run(fail_at)


def killed_at(operation: int, deed: Deed, store_url: str, archive_url: str, now_ms: int) -> bool:
    """Do it in a child that dies before its n-th file operation in Python. Whether it died."""

    def work() -> None:
        with serving(store_url, archive_url, ManualClock(now_ms, seed=-operation)) as services:
            die_before(operation)
            deed(services)
            os._exit(0)

    status = in_child(work)
    assert status in (0, KILLED)
    return status == KILLED


@pytest.mark.parametrize("name", DEEDS)
def test_killed_at_every_file_operation_of_the_archive(name: str, tmp_path: Path) -> None:
    prepare, deed = DEEDS[name]
    for operation in range(1, 3_000):
        folder = tmp_path / str(operation)
        folder.mkdir()
        store_url, archive_url = f"sqlite:///{folder}/store.db", str(folder / "archive")
        clock = ManualClock(seed=operation)
        with serving(store_url, archive_url, clock) as services:
            prepare(services)
        if not killed_at(operation, deed, store_url, archive_url, clock.now_ms()):
            break
        clock.advance(MAINTENANCE_LEASE_MS)
        with serving(store_url, archive_url, clock) as services:
            check(services, operation)
            deed(services)
            check(services, (operation, "repeated"))
    assert 3 < operation < 2_999


def test_the_source_is_kept_until_the_object_is_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target that stores other bytes than it was given gets no record."""

    class Torn(FailingStore):
        def put_if_absent(self, name: str, data: bytes) -> bool:
            torn = data[:-1] if name.startswith("objects/") else data
            return super().put_if_absent(name, torn)

    with serving("sqlite://", str(tmp_path / "a"), ManualClock()) as services:
        values = fill(services, 5)
        plan = plan_everything(services)
        monkeypatch.setattr(
            objects, "open_target", lambda url, clock, **more: Torn(open_target(url, clock, **more))
        )
        with pytest.raises(ArchiveDamaged, match="reads back differently"):
            services.apply_archive(plan)
        assert services.memory.stats().archived.records == 0
        assert shown(services) == values
