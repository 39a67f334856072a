"""Compaction removes nothing that a backup which is still there needs, however old it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.archive.report import CompactReport
from memtend.clock import ManualClock
from memtend.services import Services
from tests.fixtures.archives import DAY_MS, archive_everything, cold, fill, serving, shown


@pytest.fixture
def served(tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    url = str(tmp_path / "store.db")
    with serving(url, str(tmp_path / "a"), clock, backup_url=str(tmp_path / "b")) as services:
        yield services


def compacted_for_months(services: Services, clock: ManualClock) -> CompactReport:
    services.compact_archive()
    clock.advance(46 * DAY_MS)
    return services.compact_archive()


def test_what_an_old_backup_names_stays(served: Services, clock: ManualClock) -> None:
    values = fill(served, 3)
    archive_everything(served)
    served.take_backup()
    served.pin_backup("before")
    clock.advance(1_000)
    served.recall("**")
    kept = compacted_for_months(served, clock)
    assert (kept.removed, kept.waiting) == (0, 1)
    [decision] = served.plan_compact().decisions
    assert "the backup of" in decision.reason
    served.apply_restore(served.plan_restore())
    assert shown(served) == values
    assert served.verify_archive().ok


def test_what_no_backup_names_goes(served: Services, clock: ManualClock) -> None:
    fill(served, 3)
    served.take_backup()
    clock.advance(1_000)
    archive_everything(served)
    served.recall("**")
    clock.advance(1_000)
    assert compacted_for_months(served, clock).removed == 1


def test_everything_stays_while_backups_cannot_be_read(
    served: Services, clock: ManualClock, tmp_path: Path
) -> None:
    fill(served, 3)
    archive_everything(served)
    served.take_backup()
    clock.advance(1_000)
    served.recall("**")
    [manifest] = (tmp_path / "b/manifests").iterdir()
    manifest.write_bytes(b"damaged")
    assert compacted_for_months(served, clock).removed == 0
    [decision] = served.plan_compact().decisions
    assert "a backup may name it" in decision.reason


def test_a_restore_starts_the_time_anew(served: Services, clock: ManualClock) -> None:
    """What was listed as unused before, came back, and was backed up again, is not old."""
    values = fill(served, 3)
    archive_everything(served)
    served.take_backup()
    clock.advance(1_000)
    served.recall("**")
    served.compact_archive()
    clock.advance(20 * DAY_MS)
    served.apply_restore(served.plan_restore())
    assert cold(served) == 3
    served.take_backup(full=True)
    clock.advance(1_000)
    served.recall("**")
    clock.advance(26 * DAY_MS)
    manifests = [one.manifest for one in served.backups().backups]
    assert served.compact_archive().removed == 0
    served.apply_restore(served.plan_restore(manifest=manifests[0]))
    assert shown(served) == values
