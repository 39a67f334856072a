"""Verification of chains, and in pieces: sampled, limited in time, gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.backup import Repository, VerifyReport, verify_repository
from memtend.backup.manifest import BackupKind, Manifest
from memtend.backup.pins import pin
from memtend.backup.progress import FOLDER
from memtend.backup.repository import object_name
from memtend.backup.sums import state_sums
from memtend.clock import ManualClock
from memtend.codec.crypto import UserKey
from memtend.errors import BackupKeyRefused, TargetDenied
from memtend.model.stored import LogRow, StoredRow
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import FailingStore, MadeSnapshot, check_row, row, sum_of
from tests.fixtures.rotations import Series, manifest_of, named


class Ticking(ManualClock):
    """A clock on which every look at elapsed time takes a second."""

    def monotonic_ns(self) -> int:
        self.advance(1_000)
        return super().monotonic_ns()


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def store(tmp_path: Path, clock: Ticking) -> ObjectStore:
    return open_target(str(tmp_path / "target"), clock)


@pytest.fixture
def series(store: ObjectStore, clock: Ticking, monkeypatch: pytest.MonkeyPatch) -> Series:
    """Two stores; a chain of three."""
    monkeypatch.setattr("memtend.backup.cut.cut.__kwdefaults__", {"target": 1_000, "cap": 20_000})
    made = Series(store, clock)
    made.full(1, store_id="6" * 32)
    base = made.full(2)
    dead = row("n", "dead", b"1")
    first = made.increment(base, dead, row("n", "a", b"2"))
    made.increment(first, row("n", "a", b"3"), gone=(dead,))
    return made


def verified(series: Series, **how: object) -> VerifyReport:
    given = {"check_row": check_row, "deep": True, "head": series.names[-1]} | how
    return verify_repository(series.store, series.clock, **given)  # type: ignore[arg-type]


def kinds(report: VerifyReport) -> list[str]:
    return [one.kind.value for one in report.findings if one.damage]


def forged(series: Series, name: str, **changes: object) -> str:
    """A manifest like `name`, put after all others with other words in it."""
    repository = Repository.open(series.store)
    last = repository.manifests()[-1]
    fields = {"number": last.number + 1, "parent": str(last)} | changes
    return str(repository.put_manifest(manifest_of(series.store, name).model_copy(update=fields)))


def test_a_chain_is_whole(series: Series) -> None:
    report = verified(series)
    assert (report.findings, report.whole) == ((), tuple(series.names))
    assert report.complete
    assert report.checked == report.objects
    assert report.oldest_check_at is not None


def test_rows_that_are_no_state_are_found(series: Series) -> None:
    """Each object is what it should be, and yet together they are another state."""
    base, newest = series.names[1], series.names[3]
    repository = Repository.open(series.store)
    last = manifest_of(series.store, newest)
    lacking = tuple(ref for ref in last.segments if ref.table != "log")
    head = forged(series, newest, segments=lacking, log_rows=0)
    report = verified(series, head=head)
    assert kinds(report) == ["state sum wrong"]
    assert report.whole == tuple(series.names)
    wrong = forged(series, base, state_sum="0" * 32)
    assert "state sum wrong" in kinds(verified(series, head=wrong))
    assert len(repository.manifests()) == 6


@pytest.mark.parametrize(
    "changes",
    [
        {"seq_after": 1},
        {"audit_after": 1},
        {"base": None},
        {"kind": BackupKind.FULL},
        {"store": "replica"},
    ],
    ids=str,
)
def test_an_increment_that_does_not_continue_its_base_is_found(
    series: Series, changes: dict[str, object]
) -> None:
    if changes == {"store": "replica"}:
        facts = manifest_of(series.store, series.names[3]).store
        changes = {"store": facts.model_copy(update={"replica": "c" * 32})}
    head = forged(series, series.names[3], **changes)
    report = verified(series, head=head)
    assert "lineage wrong" in kinds(report)
    assert report.whole == tuple(series.names)


def test_what_builds_on_a_damaged_backup_is_not_whole(series: Series) -> None:
    middle = manifest_of(series.store, series.names[2])
    series.store.delete(object_name(middle.segments[0].object))
    for deep in (False, True):
        report = verified(series, deep=deep)
        assert kinds(report) == ["object missing"]
        assert report.whole == tuple(series.names[:2])


def test_what_builds_on_a_lost_backup_is_not_whole(series: Series) -> None:
    series.store.delete(series.names[2])
    report = verified(series)
    assert set(kinds(report)) == {"manifest missing"}
    assert report.whole == tuple(series.names[:2])


def test_a_pin_of_a_lost_backup_and_a_foreign_pin_are_found(
    series: Series, clock: ManualClock
) -> None:
    repository = Repository.open(series.store)
    made = pin(repository, clock, "p", named(series.names[3]))
    assert verified(series).ok
    foreign = made.model_copy(update={"name": "q", "repo_id": "f" * 32})
    series.store.put_if_absent("pins/q", foreign.pack())
    assert kinds(verified(series)) == ["pin damaged"]
    series.store.delete(series.names[3])
    assert kinds(verified(series, head=None)) == ["manifest missing", "pin damaged"]


def test_an_encrypted_repository_needs_its_key(tmp_path: Path, clock: Ticking) -> None:
    key = UserKey("cd" * 32)
    made = Series(open_target(str(tmp_path / "target"), clock), clock, key)
    made.increment(made.full(1), row("n", "a", b"1"))
    assert verified(made, key=key).whole == tuple(made.names)
    for wrong in (None, UserKey("ef" * 32)):
        for deep in (False, True):
            with pytest.raises(BackupKeyRefused):
                verified(made, key=wrong, deep=deep)


def test_pieces_add_up_to_a_cycle(series: Series) -> None:
    """Each run reads one object at least; the last says when the first one was."""
    objects = verified(series).objects
    first = verified(series, max_seconds=1.0)
    assert (first.checked, first.remaining, first.complete) == (1, objects - 1, False)
    runs = [first]
    while not runs[-1].complete:
        runs.append(verified(series, max_seconds=1.0, resume=True))
        assert runs[-1].ok
    assert [one.checked for one in runs] == [1] * objects
    assert runs[-1].oldest_check_at is not None
    assert first.started_at < runs[-1].oldest_check_at < runs[1].started_at
    assert len(list(series.store.list(FOLDER))) == 1
    again = verified(series, resume=True)
    assert (again.checked, again.complete) == (objects, True)


def test_new_backups_join_a_cycle(series: Series) -> None:
    verified(series, max_seconds=0.001)
    series.increment(series.names[-1], row("n", "z", b"9"))
    rest = verified(series, resume=True)
    assert rest.complete
    assert rest.checked == rest.objects - 1


def test_no_run_is_silent_about_damage_that_an_earlier_one_found(
    series: Series, tmp_path: Path
) -> None:
    """And damage that was healed is forgotten."""
    ref = manifest_of(series.store, series.names[3]).segments[0]
    path = tmp_path / "target" / object_name(ref.object)
    sound = path.read_bytes()
    path.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
    assert not verified(series, max_seconds=99_999.0).ok
    for seconds in (0.001, 0.001, 99_999.0):
        report = verified(series, max_seconds=seconds, resume=True)
        assert kinds(report) == ["object damaged"]
        assert series.names[3] not in report.whole
    path.write_bytes(sound)
    while not (report := verified(series, resume=True)).complete:
        pass
    assert verified(series, resume=True).ok


def test_lost_progress_costs_time_only(series: Series) -> None:
    verified(series, max_seconds=0.001)
    (info,) = series.store.list(FOLDER)
    series.store.delete(info.name)
    series.store.put_if_absent(info.name, b"torn")
    report = verified(series, resume=True)
    assert report.complete
    assert report.checked == report.objects


def test_a_target_that_takes_no_progress_is_verified_all_the_same(series: Series) -> None:
    class ReadOnly(FailingStore):
        def put_if_absent(self, name: str, data: bytes) -> bool:
            raise TargetDenied(url=self.url, why="test")

    report = verify_repository(
        ReadOnly(series.store), series.clock, check_row=check_row, deep=True, resume=True
    )
    assert report.ok
    assert "could not be kept" in report.notes[0]


def test_a_sample_is_drawn_anew_each_time(series: Series) -> None:
    objects = verified(series).objects
    half = verified(series, sample=0.5)
    assert half.checked == (objects + 1) // 2
    assert not half.complete
    seen = set()
    for _ in range(60):
        seen.add(verified(series, sample=0.01).read_bytes)
    assert len(seen) > 1


paths = st.sampled_from(["a", "b", "c", "d"])
steps = st.lists(
    st.tuples(st.dictionaries(paths, st.binary(max_size=3), max_size=4), st.sets(paths)),
    min_size=1,
    max_size=6,
)


@given(steps)
@settings(deadline=None)
def test_sums_follow_the_state(history: list[tuple[dict[str, bytes], set[str]]]) -> None:
    """One merge gives the sum of the state after each layer, whatever layers write and delete."""
    state: dict[str, StoredRow] = {}
    layers, expected = [], []
    for number, (written, deleted) in enumerate(history):
        rows = {key: row("n", key, value, n=number + 1) for key, value in written.items()}
        gone = (deleted & state.keys()) - rows.keys() if number else set()
        log = [LogRow("n", key, "", "b" * 32, number, 1, 1, "deleted") for key in sorted(gone)]
        state = {k: v for k, v in state.items() if k not in gone} | rows
        layers.append(MadeSnapshot(tuple(sorted(rows.values())), tuple(log)))
        expected.append(int.from_bytes(sum_of(state.values()), "big"))
    assert state_sums(layers) == expected


def test_the_sums_of_a_chain_are_those_of_its_manifests(series: Series) -> None:
    found: list[Manifest] = [manifest_of(series.store, name) for name in series.names]
    assert [one.state_sum for one in found] == [
        sum_of(series.states[name].values()).hex() for name in series.names
    ]
