"""kill -9 before a file operation of backup, archive, restore, erasure: nothing is half there.

The short form takes 30 operations of each script, evenly; the long form (--every-point) takes all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import EVERY_POINT, run_driver
from tests.crash.steps import UPKEEP

POINTS = 30


@pytest.mark.parametrize("script", UPKEEP)
def test_killed_at_a_file_operation(script: str, request: pytest.FixtureRequest) -> None:
    """Of opening, working and closing."""
    every = request.config.getoption("--every-point", False)
    report = run_driver("points", script, "kill", EVERY_POINT if every else POINTS)
    assert report["violations"] == []
    assert report["outcomes"] == {"killed": report["tried"]}
    assert report["tried"] == (report["points"] if every else min(report["points"], POINTS))
    assert report["points"] > 50
