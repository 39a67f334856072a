"""Changing the key of an encrypted archive: afterwards the new one reads it, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import BackupKeyRefused, InvalidSettings
from memtend.services import open_services
from memtend.settings import Settings
from tests.fixtures.archives import NS, archive_everything, cold, fill, shown

OLD, NEW = "1" * 64, "2" * 64


def keyed(folder: Path, **keys: str) -> Settings:
    return Settings(archive_url=str(folder / "archive"), **keys)  # type: ignore[arg-type]


def test_the_new_key_reads_what_the_old_one_wrote(tmp_path: Path, clock: ManualClock) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    both = keyed(tmp_path, backup_key=OLD, backup_new_key=NEW)
    with open_services(url, settings=both, clock=clock) as services:
        values = fill(services)
        archive_everything(services)
        assert services.rekey_archive() == 1
    with open_services(url, settings=keyed(tmp_path, backup_key=NEW), clock=clock) as fresh:
        assert fresh.verify_archive().ok
        fresh.recall(NS)
        assert cold(fresh) == 0
        assert shown(fresh) == values
    old = keyed(tmp_path, backup_key=OLD)
    with open_services(url, settings=old, clock=clock) as late, pytest.raises(BackupKeyRefused):
        late.verify_archive()


def test_what_cannot_be_rekeyed_says_why(tmp_path: Path, clock: ManualClock) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    with open_services(url, settings=keyed(tmp_path), clock=clock) as services:
        fill(services)
        archive_everything(services)
        with pytest.raises(InvalidSettings):
            services.rekey_archive()
    plain = keyed(tmp_path, backup_key=OLD, backup_new_key=NEW)
    with (
        open_services(url, settings=plain, clock=clock) as services,
        pytest.raises(BackupKeyRefused, match="not encrypted"),
    ):
        services.rekey_archive()
