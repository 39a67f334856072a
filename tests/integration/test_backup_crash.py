"""A backup cut off at every request leaves every older backup whole, and can be repeated."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from memtend.backup import take_full, verify_repository
from memtend.clock import ManualClock
from memtend.errors import StaleLease
from memtend.limits import REPOSITORY_LEASE_MS, REPOSITORY_SKEW_MS
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import FailingStore, Fails, MadeSnapshot, check_row, made_snapshot

OLD = made_snapshot(60, seed=1)
NEW = made_snapshot(80, seed=2)


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several segments out of few rows."""
    monkeypatch.setattr("memtend.backup.cut.cut.__kwdefaults__", {"target": 6_000, "cap": 20_000})


def fresh(kind: str, where: Path, clock: ManualClock) -> ObjectStore:
    if kind == "local":
        return open_target(str(where), clock)
    fsspec.filesystem("memory").store.clear()
    return open_target(f"memory://{where.name}", clock)


def calls_of(snapshot: MadeSnapshot, store: ObjectStore, clock: ManualClock) -> int:
    counting = FailingStore(store)
    take_full(snapshot, counting, clock, check_row=check_row)
    return counting.calls


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("kind", ["local", "memory"])
def test_cut_off_anywhere(kind: str, older: bool, late: bool, tmp_path: Path) -> None:
    """The n-th request and all behind it fail, for every n; once it fails before, once after."""

    def prepared(where: str) -> tuple[ObjectStore, ManualClock, tuple[str, ...]]:
        clock = ManualClock()
        store = fresh(kind, tmp_path / where, clock)
        if not older:
            return store, clock, ()
        return store, clock, (take_full(OLD, store, clock, check_row=check_row).manifest,)

    store, clock, _ = prepared("counted")
    calls = calls_of(NEW, store, clock)
    assert calls > 30
    for fail_at in range(1, calls + 1):
        store, clock, before = prepared(f"{fail_at}")
        committed: tuple[str, ...] = ()
        try:
            report = take_full(
                NEW, FailingStore(store, fail_at, late=late), clock, check_row=check_row
            )
            committed = (report.manifest,)
        except Fails:
            pass
        if before or committed or list(store.list("manifests/")):
            cut_off = verify_repository(store, clock, check_row=check_row, deep=True)
            assert cut_off.ok, (fail_at, cut_off.findings)
            assert set(before) | set(committed) <= set(cut_off.whole)

        clock.advance(REPOSITORY_LEASE_MS + REPOSITORY_SKEW_MS)
        again = take_full(NEW, store, clock, check_row=check_row)
        verified = verify_repository(
            store, clock, check_row=check_row, deep=True, head=again.manifest
        )
        assert verified.ok, (fail_at, verified.findings)
        assert again.manifest in verified.whole
        assert list(store.list("leases/")) == []


FILE_OPERATIONS = ("open", "fsync", "link", "unlink", "mkdir", "close", "stat")


def killed_at(operation: int, root: Path, clock: ManualClock) -> bool:
    """Take a backup in a child that dies before its n-th file operation. Whether it died."""
    child = os.fork()
    if child == 0:
        left = [operation]

        def dying(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*given: Any, **named: Any) -> Any:
                left[0] -= 1
                if left[0] == 0:
                    os._exit(9)
                return real(*given, **named)

            return call

        for name in FILE_OPERATIONS:
            setattr(os, name, dying(getattr(os, name)))
        take_full(NEW, open_target(str(root), clock), clock, check_row=check_row)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_killed_at_every_file_operation(tmp_path: Path) -> None:
    """A process killed at any file operation; the next one meets its leftovers."""
    for operation in range(1, 5_000):
        root, clock = tmp_path / str(operation), ManualClock(seed=operation)
        store = open_target(str(root), clock)
        before = take_full(OLD, store, clock, check_row=check_row).manifest
        if not killed_at(operation, root, ManualClock(seed=-operation)):
            break
        after = verify_repository(store, clock, check_row=check_row, deep=True, head=before)
        assert after.ok, (operation, after.findings)
        assert before in after.whole

        clock.advance(REPOSITORY_LEASE_MS + REPOSITORY_SKEW_MS)
        again = take_full(NEW, store, clock, check_row=check_row).manifest
        report = verify_repository(store, clock, check_row=check_row, deep=True, head=again)
        assert report.ok, (operation, report.findings)
        assert {before, again} <= set(report.whole)
    assert 100 < operation < 4_999


class Slow(FailingStore):
    """A target on which an hour passes while an object is being put."""

    def __init__(self, inner: ObjectStore, clock: ManualClock) -> None:
        super().__init__(inner)
        self._clock = clock

    def put_if_absent(self, name: str, data: bytes) -> bool:
        if name.startswith("objects/"):
            self._clock.advance(3_600_000)
        return super().put_if_absent(name, data)


def test_a_backup_that_outlived_its_lease_is_not_committed(tmp_path: Path) -> None:
    clock = ManualClock()
    store = open_target(str(tmp_path), clock)
    with pytest.raises(StaleLease):
        take_full(NEW, Slow(store, clock), clock, check_row=check_row)
    assert list(store.list("manifests/")) == []


def test_the_same_holder_need_not_wait(tmp_path: Path) -> None:
    clock = ManualClock()
    store = open_target(str(tmp_path / "target"), clock)
    cut_off = FailingStore(store, 12)
    with pytest.raises(Fails):
        take_full(NEW, cut_off, clock, check_row=check_row, holder="store-1")
    assert len(list(store.list("leases/"))) == 1
    take_full(NEW, store, clock, check_row=check_row, holder="store-1")
    assert list(store.list("leases/")) == []


def test_an_object_damaged_before_is_healed(tmp_path: Path) -> None:
    """Content addressing must not take a damaged object for the one already there."""
    clock = ManualClock()
    store = open_target(str(tmp_path / "target"), clock)
    first = take_full(NEW, store, clock, check_row=check_row)
    for info in list(store.list("objects/")):
        path = tmp_path / "target" / info.name
        path.write_bytes(path.read_bytes()[:-3])
    assert not verify_repository(store, clock, check_row=check_row).ok

    second = take_full(NEW, store, clock, check_row=check_row)

    assert second.segments_new == second.segments
    verified = verify_repository(store, clock, check_row=check_row, deep=True)
    assert verified.whole == (first.manifest, second.manifest)
