"""One Prefect test server per session, and a scratch store per test."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from memtend.limits import SERVER_START_S_MAX, TASK_RETRIES
from memtend_flows.home import prefect_environment
from tests.flows.scratch import Scratch, fill

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

# The server writes down what tests wait for every few seconds; here every second. Below one second
# it never rests.
_PROMPT = {
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.2",
}
_HOME = tempfile.TemporaryDirectory(prefix="memtend-prefect-")
# Before anything imports Prefect.
os.environ.update(prefect_environment(Path(_HOME.name), {}) | _PROMPT)


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    with prefect_test_harness(server_startup_timeout=int(SERVER_START_S_MAX)):
        yield


@pytest.fixture(autouse=True)
def no_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of runs in this process, where Prefect waits for the end of each: nobody listens here."""
    from memtend_flows import decorator  # noqa: PLC0415 — only where the harness is

    monkeypatch.setattr(decorator, "HEARTBEAT_S", None)


@pytest.fixture
def scratch(prefect: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    monkeypatch.setenv("MEMTEND_PLANS_URL", str(tmp_path / "plans"))
    monkeypatch.setenv("MEMTEND_REPORT_URL", str(tmp_path / "reports"))
    monkeypatch.setenv("MEMTEND_MODELS_URL", str(tmp_path / "models"))
    place = Scratch(str(tmp_path / "memory.db"), str(tmp_path / "backups"))
    fill(place.store)
    monkeypatch.setenv("MEMTEND_ARCHIVE_URL", str(tmp_path / "archive"))
    return place


@pytest.fixture
def automated(prefect: None) -> Iterator[SyncPrefectClient]:
    """A client of the server, on which no automation of ours is left afterwards."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 — only where the harness is

    from memtend_flows.automating import all_automations  # noqa: PLC0415
    from memtend_flows.automations import MARK  # noqa: PLC0415

    with get_client(sync_client=True) as client:
        yield client
        for made in all_automations(client):
            if MARK in made.tags:
                client.delete_automation(made.id)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks are retried as often as ever, and at once: for tests of what comes after that."""
    from prefect import Task  # noqa: PLC0415 — only where the harness is

    modules = [module for name, module in sys.modules.items() if name.startswith("memtend_tasks.")]
    tasks = [one for module in modules for one in vars(module).values() if isinstance(one, Task)]
    for task in tasks:
        monkeypatch.setattr(task, "retry_delay_seconds", [0.1] * TASK_RETRIES)
