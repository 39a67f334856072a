"""What an increment builds on: the newest whole backup of the same history, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.backup.report import BackupReport
from memtend.clock import ManualClock
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.fixtures.changing import check_against_store
from tests.fixtures.stores import blob, run_sql


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def services(tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    """A store with enough in it that increments stay small beside it."""
    with opened(tmp_path, "store", clock) as found:
        yield found


def opened(folder: Path, name: str, clock: ManualClock):  # type: ignore[no-untyped-def]
    url = f"sqlite:///{folder}/{name}.db"
    return open_services(url, settings=Settings(backup_url=str(folder / "b")), clock=clock)


def fill(services: Services) -> BackupReport:
    for n in range(60):
        services.memory.put("notes", f"n{n:02d}", {"n": n, "text": "long " * 20})
    return services.take_backup()


def backups_of(services: Services) -> Path:
    return Path(services.settings.backup_url)


def test_an_increment_says_what_it_is(services: Services, clock: ManualClock) -> None:
    first = fill(services)
    services.memory.put("notes", "n00", "new")
    services.memory.delete("notes", "n01")
    clock.advance(5_000)
    second = services.take_backup(why="before the move")
    assert (first.kind, first.base, first.seq_after) == ("full", None, 0)
    assert (second.kind, second.base, second.parent) == ("incremental", *[first.manifest] * 2)
    assert (second.rows, second.log_rows, second.records, second.depth) == (1, 1, 59, 1)
    assert (second.seq_after, second.seq) == (first.seq, first.seq + 2)
    assert (second.who, second.why, second.label) == ("owner", "before the move", "sqlite store.db")
    assert second.written_bytes < first.written_bytes
    assert second.root is None
    check_against_store(services, second, clock)


@pytest.mark.parametrize("damage", ["truncated", "missing", "manifest", "manifest missing"])
def test_a_parent_that_is_not_whole_is_followed_by_a_full(
    services: Services, clock: ManualClock, damage: str
) -> None:
    fill(services)
    services.memory.put("notes", "n00", "new")
    parent = services.take_backup()
    name = parent.manifest if damage.startswith("manifest") else _objects(services)[0]
    path = backups_of(services) / name
    path.unlink() if damage.endswith("missing") else path.write_bytes(path.read_bytes()[:-1])
    services.memory.put("notes", "n00", "newer")

    report = services.take_backup()

    if damage == "manifest missing":  # the one before it is whole and of the same history
        assert (report.kind, report.depth) == ("incremental", 1)
        assert parent.manifest in report.notes[0]
    else:
        assert report.kind == "full"
        assert "the newest backup" in report.notes[0]
    check_against_store(services, report, clock)
    services.memory.put("notes", "n00", "newest")
    assert services.take_backup().kind == "incremental"


def _objects(services: Services) -> list[str]:
    root = backups_of(services)
    return sorted(str(one.relative_to(root)) for one in (root / "objects").rglob("*/*"))


def test_two_stores_in_one_target_each_continue_their_own(
    services: Services, tmp_path: Path, clock: ManualClock
) -> None:
    fill(services)
    with opened(tmp_path, "other", clock) as other:
        fill(other)
        services.memory.put("notes", "n00", "new")
        report = services.take_backup()
        assert report.kind == "incremental"
        check_against_store(services, report, clock)
        other.memory.put("notes", "n00", "other")
        report = other.take_backup()
        assert report.kind == "incremental"
        check_against_store(other, report, clock)
        assert services.verify_backup().ok


@pytest.mark.parametrize("writes", [0, 1, 9], ids=["older", "as old", "gone on"])
def test_a_store_that_was_set_back_is_not_continued(
    tmp_path: Path, clock: ManualClock, writes: int
) -> None:
    """An older copy in the same file: the same ids, and another history."""
    with opened(tmp_path, "store", clock) as services:
        fill(services)
    old = (tmp_path / "store.db").read_bytes()
    with opened(tmp_path, "store", clock) as services:
        for n in range(3):
            services.memory.put("notes", "n00", f"lost {n}")
        services.take_backup()
    (tmp_path / "store.db").write_bytes(old)
    clock.advance(1)  # the audit trail seals when and where something was written, not what
    with opened(tmp_path, "store", clock) as services:
        for n in range(writes):
            services.memory.put("notes", "n00", f"other {n}")
        report = services.take_backup()
        assert report.kind == "full"
        assert any("the store" in note for note in report.notes)
        check_against_store(services, report, clock)
        assert services.verify_backup().ok


def test_a_copy_of_the_store_begins_anew(tmp_path: Path, clock: ManualClock) -> None:
    with opened(tmp_path, "store", clock) as services:
        fill(services)
    shutil.copy(tmp_path / "store.db", tmp_path / "copy.db")
    shutil.copy(tmp_path / "store.db.key", tmp_path / "copy.db.key")
    with opened(tmp_path, "copy", clock) as copy:
        copy.memory.put("notes", "n00", "new")
        report = copy.take_backup()
        assert report.kind == "full"
        assert "restored or copied" in report.notes[0]


def test_a_damaged_row_is_left_out_named_and_never_built_upon(
    services: Services, clock: ManualClock
) -> None:
    fill(services)
    services.memory.put("notes", "n07", "as it was")
    flaw = blob(services.memory, b'"as it is!"')
    run_sql(services.memory, f"UPDATE sibling SET value = {flaw} WHERE key = 'n07'")

    for why in ("n07 is damaged in the store", "lacks rows that the store could not read"):
        report = services.take_backup()
        assert (report.kind, report.damaged, report.records) == ("full", ("notes/n07",), 59)
        assert why in report.notes[0]
        services.memory.put("notes", "n08", why)
    services.memory.delete("notes", "n07")
    mended = services.take_backup()
    assert (mended.kind, mended.damaged_rows) == ("full", 0)
    check_against_store(services, mended, clock)
    services.memory.put("notes", "n08", "new")
    assert services.take_backup().kind == "incremental"


def test_damage_that_came_later_does_not_hide_what_an_earlier_backup_has(
    services: Services,
) -> None:
    """An increment does not read the row again: the good one stays in the chain."""
    fill(services)
    flaw = blob(services.memory, b"damaged")
    run_sql(services.memory, f"UPDATE sibling SET value = {flaw} WHERE key = 'n07'")
    services.memory.put("notes", "n08", "new")
    report = services.take_backup()
    assert (report.kind, report.damaged_rows, report.records) == ("incremental", 0, 60)
    assert services.verify_backup().ok


@pytest.mark.parametrize("column", ["flags", "exp", "body", "value", "hash"])
def test_a_value_of_another_type_in_the_file_is_a_damaged_row(
    services: Services, column: str
) -> None:
    """A flipped bit can make text of bytes: that row is left out, and the others are backed up."""
    services.memory.put("notes", "sound", 1)
    services.memory.put("notes", "bent", 1)
    run_sql(services.memory, f"UPDATE sibling SET {column} = 'text' WHERE key = 'bent'")
    report = services.take_backup()
    assert (report.records, report.damaged) == (1, ("notes/bent",))
    assert services.verify_backup().ok
