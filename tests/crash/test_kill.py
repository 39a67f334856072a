"""kill -9 before every single file operation: nothing acknowledged is missing, nothing is half.

Every operation of opening, working and closing is a point; none is left out.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import run_driver
from tests.crash.steps import SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS)
def test_killed_at_every_file_operation(script: str) -> None:
    report = run_driver("points", script, "kill", 1)
    assert report["violations"] == []
    assert report["outcomes"] == {"killed": report["points"]}
    assert report["points"] > 50


def test_killed_in_the_middle_of_writes(request: pytest.FixtureRequest) -> None:
    """Half of the bytes are on the disk. Each third operation; every one by --every-point."""
    every = 1 if request.config.getoption("--every-point", False) else 3
    report = run_driver("points", "put_many", "torn", every)
    assert report["violations"] == []
    assert report["outcomes"] == {"killed": report["tried"]}
