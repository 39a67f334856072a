"""A password in a Secret block stays there: through a whole cycle, and through a failing run."""

from __future__ import annotations

from pathlib import Path
from traceback import TracebackException
from typing import Any

import pytest
from prefect import State
from prefect.blocks.system import Secret

from memtend_flows.backup import backup
from memtend_flows.drill import drill
from memtend_flows.health import health
from memtend_flows.restore import restore
from memtend_flows.rotate import rotate
from memtend_flows.sweep import sweep
from memtend_flows.tend import tend
from memtend_flows.verify_backups import verify_backups
from memtend_tasks.address import to_address
from tests.fixtures.s3 import S3Server
from tests.flows.scratch import Scratch, fill
from tests.flows.seen import eventually, everything, is_logged

CANARY = "c4n4ry-pa55w0rd"


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMTEND_PLANS_URL", str(tmp_path / "plans"))
    monkeypatch.setenv("MEMTEND_ARCHIVE_URL", str(tmp_path / "archive"))
    monkeypatch.setenv("MEMTEND_REPORT_URL", str(tmp_path / "reports"))


def keep(name: str, url: str) -> None:
    Secret(value=url).save(name, overwrite=True)


def test_a_whole_cycle_tells_nothing(
    prefect: None, plans: None, postgres_url: str, tmp_path: Path
) -> None:
    url = postgres_url.replace("memtend@", f"memtend:{CANARY}@")
    fill(url)
    keep("memtend-store-cycle", url)
    tend("cycle", str(tmp_path / "backups"), dry_run=False)
    told = told_of("tend cycle")
    assert "tend cycle" in told
    assert CANARY not in told


@pytest.mark.usefixtures("impatient")
def test_a_failing_run_tells_nothing(prefect: None, plans: None, tmp_path: Path) -> None:
    """Nobody listens there; driver, core and Prefect all report the failure."""
    keep("memtend-store-deaf", f"postgresql://ada:{CANARY}@127.0.0.1:1/none")
    state: State[Any] = health("deaf", str(tmp_path), return_state=True)
    assert state.is_failed()
    told = told_of("health deaf")
    assert "StoreUnavailable" in told
    assert CANARY not in told


def test_the_key_of_the_backups_tells_nothing(scratch: Scratch, tmp_path: Path) -> None:
    """In a block beside the target's: backed up, restored and rotated, and nobody reads it."""
    keep("memtend-backup-vault", scratch.target)
    keep("memtend-key-vault", f"{CANARY}-of-the-vault")
    assert backup(scratch.store, "vault").encrypted
    assert drill(scratch.store, "vault").ok
    assert verify_backups(scratch.store, "vault").ok
    restore(scratch.store, "vault")
    rotate(scratch.store, "vault", dry_run=False)
    told = told_of(f"rotate {to_address(scratch.store).label}")
    assert "rotate" in told
    assert CANARY not in told
    assert not _files_with(CANARY, tmp_path)


def test_a_wrong_key_is_refused_and_tells_nothing(scratch: Scratch, tmp_path: Path) -> None:
    keep("memtend-backup-vault", scratch.target)
    keep("memtend-key-vault", f"{CANARY}-that-fits")
    backup(scratch.store, "vault")
    keep("memtend-key-vault", f"{CANARY}-of-another-door")
    refused: list[State[Any]] = [
        flow(scratch.store, "vault", return_state=True)
        for flow in (backup, drill, verify_backups, restore, rotate)
    ]
    assert all("BackupKeyRefused" in str(state.message) for state in refused)
    assert CANARY not in "".join(map(_traceback, refused))
    told = told_of(f"rotate {to_address(scratch.store).label}")
    assert "BackupKeyRefused" in told
    assert CANARY not in told


def test_the_credentials_of_a_bucket_tell_nothing(
    scratch: Scratch, s3_url: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On real S3: with the right ones, and with others that the server refuses."""
    done = tend(scratch.store, s3_url, f"{s3_url}-archive", dry_run=False)
    assert list(done)[-1] == "report"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    refused: State[Any] = backup(scratch.store, s3_url, return_state=True)
    assert refused.is_failed()
    assert CANARY not in _traceback(refused)
    told = told_of(f"tend {to_address(scratch.store).label}")
    assert "TargetDenied" in told
    assert CANARY not in told
    assert s3_server.secret_key not in told


def test_an_unknown_name_says_which_block_is_missing(prefect: None) -> None:
    state: State[Any] = sweep("nobody", return_state=True)
    assert "memtend-store-nobody" in str(state.message)


def told_of(run: str) -> str:
    """Everything, once the log of the run has arrived: logs are sent in batches."""
    assert eventually(lambda: is_logged(run)), f"no log of {run}"
    return everything()


def _traceback(state: State[Any]) -> str:
    """All that Python prints of what ended a run, causes included."""
    fault = state.result(raise_on_failure=False)
    assert isinstance(fault, BaseException)
    whole = TracebackException.from_exception(fault)
    return "".join(whole.format())


def _files_with(secret: str, folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if secret.encode() in path.read_bytes()]
