"""One Prefect test server per session, and a scratch store per test."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.limits import SERVER_START_S_MAX
from memtend_flows.home import prefect_environment
from tests.flows.scratch import Scratch, fill

_HOME = tempfile.TemporaryDirectory(prefix="memtend-prefect-")
os.environ.update(prefect_environment(Path(_HOME.name), {}))  # before anything imports Prefect


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    with prefect_test_harness(server_startup_timeout=int(SERVER_START_S_MAX)):
        yield


@pytest.fixture
def scratch(prefect: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    monkeypatch.setenv("MEMTEND_PLANS_URL", str(tmp_path / "plans"))
    place = Scratch(str(tmp_path / "memory.db"), str(tmp_path / "backups"))
    fill(place.store)
    monkeypatch.setenv("MEMTEND_ARCHIVE_URL", str(tmp_path / "archive"))
    return place
