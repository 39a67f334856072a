"""Restore from any target, encrypted or not; credentials and keys are in no plan and no report."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import BackupKeyRefused
from memtend.services import open_services
from memtend.settings import Settings
from tests.fixtures.s3 import S3Server

KEY = "5e" * 32


def target_url(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "s3":
        return str(request.getfixturevalue("s3_url"))
    return f"memory://restore-{folder.name}" if kind == "memory" else f"{folder}/backups"


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("kind", ["folder", "s3", "memory"])
def test_restore(
    kind: str, encrypted: bool, tmp_path: Path, clock: ManualClock, request: pytest.FixtureRequest
) -> None:
    url = target_url(kind, request, tmp_path)
    settings = Settings(backup_url=url, backup_key=KEY if encrypted else None)
    with open_services(f"{tmp_path}/store.db", settings=settings, clock=clock) as services:
        services.memory.put("a", "x", "before")
        services.take_backup()
        services.memory.put("a", "y", "before")
        services.take_backup()
        services.memory.put("a", "x", "after")
        plan = services.plan_restore()
        report = services.apply_restore(plan)
        assert services.memory.get("a", "x") == "before"
        assert services.memory.get("a", "y") == "before"
        drill = services.drill()
        assert drill.ok, drill.checks
        evidence = services.drill_evidence()
        told = [plan.model_dump_json(), report.model_dump_json(), drill.model_dump_json()]
    assert evidence is not None
    secrets = [KEY]
    if kind == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        secrets += [server.access_key, server.secret_key]
    assert not [secret for secret in secrets for text in told if secret in text]


def test_without_the_key(tmp_path: Path, clock: ManualClock) -> None:
    settings = Settings(backup_url=f"{tmp_path}/backups", backup_key=KEY)
    with open_services(f"{tmp_path}/store.db", settings=settings, clock=clock) as services:
        services.memory.put("a", "x", 1)
        services.take_backup()
    keyless = Settings(backup_url=f"{tmp_path}/backups")
    with (
        open_services(f"{tmp_path}/store.db", settings=keyless, clock=clock) as services,
        pytest.raises(BackupKeyRefused),
    ):
        services.plan_restore()
