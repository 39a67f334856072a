"""A password in a Secret block stays there: through a whole cycle, and through a failing run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prefect import State
from prefect.blocks.system import Secret

from memtend_flows.health import health
from memtend_flows.sweep import sweep
from memtend_flows.tend import tend
from tests.flows.scratch import fill
from tests.flows.seen import eventually, everything

CANARY = "c4n4ry-pa55w0rd"


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMTEND_PLANS_URL", str(tmp_path / "plans"))
    monkeypatch.setenv("MEMTEND_ARCHIVE_URL", str(tmp_path / "archive"))


def keep(name: str, url: str) -> None:
    Secret(value=url).save(name, overwrite=True)


def test_a_whole_cycle_tells_nothing(
    prefect: None, plans: None, postgres_url: str, tmp_path: Path
) -> None:
    url = postgres_url.replace("memtend@", f"memtend:{CANARY}@")
    fill(url)
    keep("memtend-store-cycle", url)
    tend("cycle", str(tmp_path / "backups"), dry_run=False)
    told = eventually(lambda: _when_told("tend cycle"))
    assert "tend cycle" in told
    assert CANARY not in told


def test_a_failing_run_tells_nothing(prefect: None, plans: None, tmp_path: Path) -> None:
    """Nobody listens there; driver, core and Prefect all report the failure."""
    keep("memtend-store-deaf", f"postgresql://ada:{CANARY}@127.0.0.1:1/none")
    state: State[Any] = health("deaf", str(tmp_path), return_state=True)
    assert state.is_failed()
    told = eventually(lambda: _when_told("health deaf"))
    assert "StoreUnavailable" in told
    assert CANARY not in told


def test_an_unknown_name_says_which_block_is_missing(prefect: None) -> None:
    state: State[Any] = sweep("nobody", return_state=True)
    assert "memtend-store-nobody" in str(state.message)


def _when_told(run: str) -> str:
    """Everything, once the log of the run has arrived: logs are sent in batches."""
    told = everything()
    return told if "Finished in state" in told and run in told else ""
