"""One Prefect test server per session, and a scratch store per test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from memtend_flows.home import prefect_environment

os.environ.update(prefect_environment(Path(os.devnull), {}))
# The harness has a home of its own; the rest must be said before Prefect is imported.
del os.environ["PREFECT_HOME"]

from prefect.testing.utilities import prefect_test_harness  # noqa: E402

from memtend.clock import SystemClock  # noqa: E402
from memtend.drafting import Put  # noqa: E402
from memtend.limits import SERVER_START_S_MAX, SWEEP_MARGIN_MS  # noqa: E402
from memtend.memory import Memory  # noqa: E402

LIVE = 40
DEAD = 8


class Scratch(NamedTuple):
    """A store with `LIVE` records and `DEAD` whose TTL is over, and a place for its backups."""

    store: str
    target: str


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=int(SERVER_START_S_MAX)):
        yield


@pytest.fixture
def scratch(prefect: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    monkeypatch.setenv("MEMTEND_PLANS_URL", str(tmp_path / "plans"))
    place = Scratch(str(tmp_path / "memory.db"), str(tmp_path / "backups"))
    fill(place.store)
    return place


def fill(store: str, live: int = LIVE, dead: int = DEAD) -> None:
    """Write records that live for ever and records that died long enough ago to be swept."""
    ended = SystemClock().now_ms() - 10 * SWEEP_MARGIN_MS
    with Memory.open(store, create=True) as memory:
        memory.put_many(
            [Put("task/alive", f"k{n}", {"n": n}, ttl_ms=0) for n in range(live)]
            + [
                Put("task/dead", f"k{n}", {"n": n}, created_ms=ended - 1, expires_at_ms=ended)
                for n in range(dead)
            ]
        )
