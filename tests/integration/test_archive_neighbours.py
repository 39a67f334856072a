"""Stores side by side: no store reads, clears away or erases what is in another one's archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import ArchiveForeign, NoArchive
from memtend.model.subject import Subject, SubjectKind
from memtend.services import open_services
from memtend.settings import Settings
from tests.fixtures.archives import archive_everything, cold, fill, serving, shown


def test_stores_side_by_side_each_have_their_folder(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        with open_services(f"{name}.db", settings=Settings(), clock=clock) as services:
            values = fill(services, 3)
            done = archive_everything(services)
            assert done.url == str(tmp_path / "memtend-archive" / services.facts().store_id)
            assert shown(services) == values
            assert services.verify_archive().stubs == 3
            services.recall("**")
            assert cold(services) == 0


@pytest.fixture
def shared(tmp_path: Path, clock: ManualClock) -> str:
    """An archive of another store, named by a setting that this one has too."""
    url = str(tmp_path / "archive")
    with serving(str(tmp_path / "other.db"), url, clock) as other:
        fill(other, 3)
        archive_everything(other)
    return url


def test_the_archive_of_another_store_is_not_ours(
    tmp_path: Path, shared: str, clock: ManualClock
) -> None:
    with serving(str(tmp_path / "mine.db"), shared, clock) as mine:
        for deed in (mine.archive_runs, mine.verify_archive, mine.plan_compact):
            with pytest.raises(NoArchive):
                deed()
        with pytest.raises(NoArchive):
            mine.reindex_archive(adopt=False)
        fill(mine, 1)
        with pytest.raises(ArchiveForeign, match="belongs to store"):
            archive_everything(mine)
        assert cold(mine) == 0


def test_erasing_here_leaves_what_another_store_has_archived(
    tmp_path: Path, shared: str, clock: ManualClock
) -> None:
    with serving(str(tmp_path / "mine.db"), shared, clock) as mine:
        fill(mine, 1)
        report = mine.apply_erase(mine.plan_erase(Subject(kind=SubjectKind.AGENT, name="ada")))
        assert (report.deleted, report.archive_entries) == (1, 0)
        assert report.evidence.residue == 0
    with serving(str(tmp_path / "other.db"), shared, clock) as other:
        assert other.verify_archive().ok
        assert len(shown(other)) == 3
