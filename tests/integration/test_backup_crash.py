"""A backup cut off at every request leaves every older backup whole, and can be repeated.

Full, incremental, put together of the others; in the clear and encrypted. Each comes after older
backups of the same store, or into an empty target.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from memtend.backup import (
    Asked,
    BackupReport,
    Repository,
    take,
    take_full,
    verify_repository,
)
from memtend.backup.layers import open_state
from memtend.clock import ManualClock
from memtend.codec.crypto import UserKey
from memtend.errors import StaleLease
from memtend.limits import REPOSITORY_LEASE_MS, REPOSITORY_SKEW_MS
from memtend.model.stored import LogRow
from memtend.objects import ObjectStore, open_target
from tests.crash.shim import fast_folder
from tests.fixtures.backups import (
    FailingStore,
    Fails,
    MadeSnapshot,
    check_row,
    made_snapshot,
    row,
)
from tests.fixtures.killing import KILLED, die_before, in_child

KEY = UserKey("5a" * 32)


def changed(before: MadeSnapshot, seed: int) -> MadeSnapshot:
    """The state some changes later: every tenth row is new, every tenth gone, some have joined."""
    start = before.state.seq
    rows, log = list(before.stored), list(before.logged)
    for n, one in enumerate(before.stored):
        if n % 10 == seed:
            made = row(one.namespace, one.key, b"new" * seed, seq=start + n + 1, n=start + n)
            rows[n] = made
        elif n % 10 == seed + 1:
            rows.remove(one)
            at = (one.namespace, one.key, one.field)
            log.append(
                LogRow(*at, "b" * 32, start + n, start + n + 1, 1_750_000_000_000, "deleted")
            )
            rows.insert(0, row("a", f"{seed}-{n:03d}", b"joined", seq=start + n + 1, n=start + n))
    facts = before.facts._replace(seq=start + 1_000)
    return MadeSnapshot(tuple(sorted(rows)), tuple(sorted(log)), facts)


OLD = made_snapshot(60, seed=1)
MIDDLE = changed(OLD, 2)
NEW = changed(MIDDLE, 5)
BEFORE = {"first": (), "full": (OLD,), "incremental": (OLD,), "synthetic full": (OLD, MIDDLE)}
"""What is in the target before each kind of backup."""


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several segments out of few rows, and a full one put together of any two."""
    for cutting in ("cut.cut", "synthetic.splice"):
        small = {"target": 3_000, "cap": 20_000}
        monkeypatch.setattr(f"memtend.backup.{cutting}.__kwdefaults__", small)
    monkeypatch.setattr("memtend.backup.cut.cut_delta.__kwdefaults__", {"target": 600})
    monkeypatch.setattr("memtend.backup.kinds.CHAIN_DELTA_SHARE_MAX", 0.0)


def fresh(kind: str, where: Path, clock: ManualClock) -> ObjectStore:
    if kind == "local":
        return open_target(str(where), clock)
    fsspec.filesystem("memory").store.clear()
    return open_target(f"memory://{where.name}", clock)


class Trial:
    """One kind of backup, into a fresh target with what comes before it, again and again."""

    def __init__(self, target: str, kind: str, key: UserKey | None, where: Path) -> None:
        self.target, self.kind, self.key, self.where = target, kind, key, where

    def prepare(self, name: str) -> tuple[ObjectStore, ManualClock, tuple[str, ...]]:
        clock = ManualClock()
        store = fresh(self.target, self.where / name, clock)
        before = [self.take(one, store, clock, full=False) for one in BEFORE[self.kind]]
        return store, clock, tuple(one.manifest for one in before)

    def take(
        self, snapshot: MadeSnapshot, store: ObjectStore, clock: ManualClock, *, full: bool
    ) -> BackupReport:
        asked = Asked(full=full)
        return take(snapshot, store, clock, check_row=check_row, asked=asked, key=self.key)

    def take_new(self, store: ObjectStore, clock: ManualClock) -> BackupReport:
        return self.take(NEW, store, clock, full=self.kind == "full")

    def check(
        self, store: ObjectStore, clock: ManualClock, committed: set[str], head: str | None = None
    ) -> None:
        """Every backup there is whole, and `committed` are there."""
        report = verify_repository(
            store, clock, check_row=check_row, deep=True, key=self.key, head=head
        )
        assert report.ok, report.findings
        assert committed <= set(report.whole)

    def check_new(self, store: ObjectStore, report: BackupReport) -> None:
        repository = Repository.open(store, self.key)
        state = open_state(repository, report.manifest, check_row=check_row)
        assert tuple(state.rows()) == NEW.stored
        assert tuple(state.log()) == NEW.logged


@pytest.fixture
def fast() -> Iterator[Path]:
    """A folder in memory: what is tested here is the order of writes, not the disk."""
    folder = fast_folder("backups")
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", BEFORE)
@pytest.mark.parametrize(
    ("target", "key"),
    [("local", None), ("memory", None), ("memory", KEY)],
    ids=["local", "memory", "encrypted"],
)
def test_cut_off_anywhere(
    target: str, kind: str, late: bool, key: UserKey | None, fast: Path
) -> None:
    """The n-th request and all behind it fail, for every n; once it fails before, once after."""
    trial = Trial(target, kind, key, fast)
    store, clock, _ = trial.prepare("counted")
    counting = FailingStore(store)
    report = trial.take_new(counting, clock)
    assert report.kind == ("full" if kind == "first" else kind)
    assert counting.calls > 20
    for fail_at in range(1, counting.calls + 1):
        store, clock, before = trial.prepare(f"{fail_at}")
        committed = set(before)
        try:
            cut_off = trial.take_new(FailingStore(store, fail_at, late=late), clock)
            committed.add(cut_off.manifest)
        except Fails:
            pass
        if committed or list(store.list("manifests/")):
            trial.check(store, clock, committed)

        clock.advance(REPOSITORY_LEASE_MS + REPOSITORY_SKEW_MS)
        again = trial.take_new(store, clock)
        trial.check(store, clock, {*committed, again.manifest}, head=again.manifest)
        trial.check_new(store, again)
        assert list(store.list("leases/")) == []


def killed_at(operation: int, trial: Trial, root: Path, clock: ManualClock) -> bool:
    """Take a backup in a child that dies before its n-th file operation. Whether it died."""

    def work() -> None:
        die_before(operation)
        trial.take_new(open_target(str(root), clock), clock)

    status = in_child(work)
    assert status in (0, KILLED)
    return status == KILLED


@pytest.mark.parametrize("kind", ["full", "incremental", "synthetic full"])
def test_killed_at_every_file_operation(kind: str, fast: Path) -> None:
    """A process killed at any file operation; the next one meets its leftovers."""
    trial = Trial("local", kind, None, fast)
    for operation in range(1, 5_000):
        store, clock, before = trial.prepare(str(operation))
        root = fast / str(operation)
        if not killed_at(operation, trial, root, ManualClock(seed=-operation)):
            break
        trial.check(store, clock, set(before), head=before[-1])

        clock.advance(REPOSITORY_LEASE_MS + REPOSITORY_SKEW_MS)
        again = trial.take_new(store, clock)
        trial.check(store, clock, {*before, again.manifest}, head=again.manifest)
        trial.check_new(store, again)
    assert 60 < operation < 4_999


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
