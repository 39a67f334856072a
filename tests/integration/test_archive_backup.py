"""Backups hold stubs, and what a restore brings back still finds its values."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.limits import ARCHIVE_KEEP_MS
from memtend.model.subject import Subject
from tests.fixtures.archives import NS, archive_everything, fill, serving, shown


@pytest.fixture
def urls(lasting_url: str, tmp_path: Path) -> tuple[str, str, str]:
    """Of a store, its archive, its backups."""
    return lasting_url, str(tmp_path / "archive"), str(tmp_path / "backups")


def test_restored_stubs_find_their_values(urls: tuple[str, str, str], clock: ManualClock) -> None:
    """Even when all was recalled, deleted and compacted since, for as long as is promised."""
    store_url, archive_url, backups = urls
    with serving(store_url, archive_url, clock, backup_url=backups) as services:
        values = fill(services, 12)
        services.take_backup()
        archive_everything(services)
        services.take_backup()
        services.recall("**")
        for key in values:
            services.memory.delete(NS, key)
        services.compact_archive()
        clock.advance(ARCHIVE_KEEP_MS - 1_000)
        services.compact_archive()
        services.apply_restore(services.plan_restore())
    with serving(store_url, archive_url, clock, backup_url=backups) as services:
        assert services.memory.stats().archived.records == 12
        assert shown(services) == values
        assert services.verify_store().ok
        assert services.verify_archive().ok
        services.compact_archive()
        clock.advance(ARCHIVE_KEEP_MS)
        services.compact_archive()
        assert shown(services) == values


def test_what_was_erased_does_not_come_back_from_the_archive(
    urls: tuple[str, str, str], clock: ManualClock
) -> None:
    """Neither by rebuilding the index nor by a restore; its neighbours do."""
    store_url, archive_url, backups = urls
    with serving(store_url, archive_url, clock, backup_url=backups) as services:
        values = fill(services, 6)
        archive_everything(services)
        services.take_backup()
        clock.advance(1_000)
        report = services.apply_erase(services.plan_erase(Subject.of_record(NS, "k003")))
        assert (report.archive_entries, report.residue) == (1, 0)
        del values["k003"]
        assert shown(services) == values
        assert services.reindex_archive().written == 0
        services.apply_restore(services.plan_restore())
    with serving(store_url, archive_url, clock, backup_url=backups) as services:
        assert shown(services) == values
        assert services.memory.get(NS, "k003") is None
        assert services.verify_archive().ok
        for _ in range(2):  # the object that holds them now is named through the one that is gone
            services.compact_archive()
            clock.advance(ARCHIVE_KEEP_MS)
            assert shown(services) == values
        assert services.undo_archive(1).written == 5
        assert shown(services) == values
