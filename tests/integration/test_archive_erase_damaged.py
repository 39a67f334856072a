"""Erasing where the archive cannot be opened or read: nothing by halves, and no false comfort."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from memtend.clock import ManualClock
from memtend.errors import BackupKeyRefused
from memtend.model.subject import Subject, SubjectKind
from tests.fixtures.archives import archive_everything, fill, serving

ADA = Subject(kind=SubjectKind.AGENT, name="ada")


def test_a_wrong_key_stops_the_erasure_before_it_begins(tmp_path: Path, clock: ManualClock) -> None:
    store, archive = str(tmp_path / "store.db"), str(tmp_path / "a")
    with serving(store, archive, clock, backup_key=SecretStr("the right passphrase")) as services:
        fill(services, 3)
        archive_everything(services)
    with serving(store, archive, clock, backup_key=SecretStr("quite another one")) as services:
        with pytest.raises(BackupKeyRefused):
            services.apply_erase(services.plan_erase(ADA))
        assert services.facts().records == 3


def test_damage_in_the_archive_is_a_trace_and_stops_nothing(
    tmp_path: Path, clock: ManualClock
) -> None:
    with serving(str(tmp_path / "store.db"), str(tmp_path / "a"), clock) as services:
        fill(services, 3)
        archive_everything(services)
        [path] = (tmp_path / "a/objects").glob("*/*")
        whole = path.read_bytes()
        path.write_bytes(whole[:40] + b"XXXX" + whole[44:])
        report = services.apply_erase(services.plan_erase(ADA))
        assert (report.deleted, report.archive_entries, report.evidence.residue) == (3, 0, 3)
        path.write_bytes(whole)
        report = services.apply_erase(services.plan_erase(ADA))
        assert (report.archive_entries, report.evidence.residue) == (3, 0)
