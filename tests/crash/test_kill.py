"""kill -9 before a file operation of a write: nothing acknowledged is missing, nothing is half.

The short form takes 30 operations of each script, evenly; the long form (--every-point) takes all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import EVERY_POINT, run_driver
from tests.crash.steps import WRITES

POINTS = 30


@pytest.mark.parametrize("script", WRITES)
def test_killed_at_a_file_operation(script: str, request: pytest.FixtureRequest) -> None:
    """Of opening, working and closing."""
    every = request.config.getoption("--every-point", False)
    report = run_driver("points", script, "kill", EVERY_POINT if every else POINTS)
    assert report["violations"] == []
    assert report["outcomes"] == {"killed": report["tried"]}
    assert report["tried"] == (report["points"] if every else min(report["points"], POINTS))
    assert report["points"] > 50


def test_killed_in_the_middle_of_writes(request: pytest.FixtureRequest) -> None:
    """Half of the bytes are on the disk."""
    every = request.config.getoption("--every-point", False)
    report = run_driver("points", "put_many", "torn", EVERY_POINT if every else POINTS)
    assert report["violations"] == []
    assert report["outcomes"] == {"killed": report["tried"]}
