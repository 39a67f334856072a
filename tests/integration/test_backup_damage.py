"""Deep verification finds every kind of damage, wherever it is, and raises on none."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from memtend.backup import Repository, VerifyReport, take_full, verify_repository
from memtend.clock import ManualClock
from memtend.errors import MemtendError, TargetDenied, TargetUnavailable
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import FailingStore, MadeSnapshot, check_row, made_snapshot, row

SEED = 20_260
CASES = 500


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three backups with several segments each, some shared."""
    monkeypatch.setattr("memtend.backup.cut.cut.__kwdefaults__", {"target": 4_000, "cap": 20_000})
    clock = ManualClock()
    store = open_target(str(tmp_path / "sound"), clock)
    snapshot = made_snapshot(40, value_bytes=300)
    for extra in range(3):
        more = tuple(row("zz", f"extra/{n}", b"x" * 100) for n in range(extra))
        take_full(
            MadeSnapshot(snapshot.stored + more, snapshot.logged), store, clock, check_row=check_row
        )
    return tmp_path / "sound"


def verified(where: Path, head: str) -> VerifyReport:
    store = open_target(str(where), ManualClock())
    return verify_repository(store, ManualClock(), check_row=check_row, deep=True, head=head)


def head_of(where: Path) -> str:
    return str(Repository.open(open_target(str(where), ManualClock())).manifests()[-1])


def files_of(where: Path) -> list[Path]:
    return sorted(path for path in where.rglob("*") if path.is_file())


def damage(dice: random.Random, where: Path) -> str:
    """One random damage that changes something. What it was."""
    files = files_of(where)
    path = dice.choice(files)
    data = bytearray(path.read_bytes())
    kind = dice.choice(["flip", "truncate", "extend", "zero", "delete", "swap", "roll back"])
    if kind == "flip":
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    elif kind == "truncate":
        del data[dice.randrange(len(data)) :]
    elif kind == "extend":
        data += dice.randbytes(dice.randint(1, 50))
    elif kind == "zero":
        at = dice.randrange(len(data))
        length = dice.randint(1, 64)
        data[at : at + length] = bytes(len(data[at : at + length]))
        if data == path.read_bytes():  # zeros over zeros
            data[at] = 1
    elif kind == "swap":
        other = dice.choice([one for one in files if one != path])
        path.write_bytes(other.read_bytes())
        other.write_bytes(data)
        return f"swap {path.name} {other.name}"
    elif kind == "roll back":
        newest = sorted((where / "manifests").iterdir())[-dice.randint(1, 2) :]
        for one in newest:
            one.unlink()
        return f"roll back {len(newest)}"
    path.unlink() if kind == "delete" else path.write_bytes(data)
    return f"{kind} {path.name}"


def test_every_damage_is_found(repository: Path, tmp_path: Path) -> None:
    head = head_of(repository)
    sound = verified(repository, head)
    assert sound.ok
    assert len(sound.whole) == 3
    assert sound.objects > 5
    dice = random.Random(SEED)
    missed = []
    for _ in range(CASES):
        copy = tmp_path / "copy"
        shutil.copytree(repository, copy)
        what = damage(dice, copy)
        if verified(copy, head).ok:
            missed.append(what)
        shutil.rmtree(copy)
    assert missed == []


class Partial(FailingStore):
    """A target that refuses some objects, or does not answer for them."""

    def __init__(self, inner: ObjectStore, error: type[MemtendError], refused: int) -> None:
        super().__init__(inner)
        self._error, self._left = error, refused

    def get(self, name: str, limit: int = 2**27) -> bytes:
        if name.startswith("objects/") and self._left:
            self._left -= 1
            raise self._error(url=self.url, why="test")
        return super().get(name, limit)


@pytest.mark.parametrize("error", [TargetDenied, TargetUnavailable])
def test_an_object_that_cannot_be_read_is_a_finding(
    repository: Path, error: type[MemtendError]
) -> None:
    store = Partial(open_target(str(repository), ManualClock()), error, 1)
    report = verify_repository(store, ManualClock(), check_row=check_row, deep=True)
    assert [one.kind.value for one in report.findings] == ["object unreadable"]
    assert not report.ok


def test_a_target_that_is_gone_is_an_error(repository: Path) -> None:
    store = Partial(open_target(str(repository), ManualClock()), TargetUnavailable, 99)
    with pytest.raises(TargetUnavailable):
        verify_repository(store, ManualClock(), check_row=check_row, deep=True)


def test_two_manifests_of_one_number_are_said_and_both_usable(repository: Path) -> None:
    repo = Repository.open(open_target(str(repository), ManualClock()))
    newest = repo.get_manifest(repo.manifests()[-1])
    fork = repo.put_manifest(newest.model_copy(update={"why": "the same, later"}))
    report = verified(repository, str(fork))
    assert [one.kind.value for one in report.findings] == ["manifest fork"]
    assert report.ok
    assert len(report.whole) == 4


def test_a_row_that_does_not_match_its_hash_is_found(repository: Path) -> None:
    """As if the store had been damaged before the backup, and nobody had looked."""
    bad = row("zzz", "k", b"v")._replace(value=b"w")
    store = open_target(str(repository), ManualClock())
    taken = take_full(
        MadeSnapshot((bad,)), store, ManualClock(), check_row=lambda _: True, head=None
    )
    report = verified(repository, taken.manifest)
    assert [one.kind.value for one in report.findings if one.damage] == ["row damaged"]
    assert len(report.whole) == 3


def test_what_no_backup_names_is_garbage_not_damage(repository: Path) -> None:
    source = next(path for path in files_of(repository / "objects"))
    for name in ("ab" * 32, "not-a-hash"):
        (repository / "objects" / name).write_bytes(source.read_bytes())
    report = verified(repository, head_of(repository))
    assert report.ok
    assert report.garbage_count == 2
    assert {one.damage for one in report.findings} == {False}


def test_a_manifest_of_another_repository_is_found(repository: Path, tmp_path: Path) -> None:
    clock = ManualClock(seed=9)
    other = open_target(str(tmp_path / "other"), clock)
    foreign = take_full(made_snapshot(5), other, clock, check_row=check_row)
    head = head_of(repository)
    shutil.copy(tmp_path / "other" / foreign.manifest, repository / foreign.manifest)
    report = verified(repository, head)
    assert [one.name for one in report.findings if one.damage] == [foreign.manifest]
    assert len(report.whole) == 3


def test_an_honest_object_of_the_wrong_rows_is_found(repository: Path) -> None:
    """Every hash fits, and yet a manifest names the wrong rows: counts and root tell."""
    store = open_target(str(repository), ManualClock())
    repo = Repository.open(store)
    newest = repo.get_manifest(repo.manifests()[-1])
    lacking = newest.model_copy(
        update={"segments": newest.segments[1:], "number": 4, "parent": head_of(repository)}
    )
    rootless = newest.model_copy(
        update={"root": "0" * 64, "number": 5, "parent": str(repo.put_manifest(lacking))}
    )
    bad = newest.segments[0].model_copy(update={"rows": 999})
    miscounted = newest.model_copy(
        update={
            "segments": (bad, *newest.segments[1:]),
            "number": 6,
            "parent": str(repo.put_manifest(rootless)),
        }
    )
    name = repo.put_manifest(miscounted)

    report = verified(repository, str(name))

    kinds = [one.kind.value for one in report.findings if one.damage]
    assert sorted(kinds) == ["count wrong", "count wrong", "root wrong", "root wrong"]
    assert len(report.whole) == 3
