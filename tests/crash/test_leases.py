"""Real processes race for one lease and are stopped in the middle of it.

The short form is what CI can wait for; `--soak-seconds` makes it longer.
"""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import pytest

from memtend.memory import Memory
from tests.fixtures.lease_race import pause_one, race

PROCESSES = 6


def test_six_processes_that_are_stopped_at_random(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """No stale write comes in, no token is granted twice, no acknowledged increment is lost."""
    seconds = request.config.getoption("--soak-seconds", 8) + 2
    url = f"sqlite:///{tmp_path}/store.db"
    with Memory.open(url) as memory:
        outcome = race([url] * PROCESSES, seconds, partial(pause_one, random.Random(4), memory))
    outcome.check()
    assert outcome.unknown == 0
