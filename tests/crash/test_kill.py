"""kill -9 before every single file operation: nothing acknowledged is missing, nothing is half.

Every operation of opening, working and closing is a point; none is left out. Only of a restore,
which writes the whole store several times, the short form takes each sixth; --every-point all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import run_driver
from tests.crash.steps import SCRIPTS

LONG = {"restore": 6}


@pytest.mark.parametrize("script", SCRIPTS)
def test_killed_at_every_file_operation(script: str, request: pytest.FixtureRequest) -> None:
    every = 1 if request.config.getoption("--every-point", False) else LONG.get(script, 1)
    report = run_driver("points", script, "kill", every)
    assert report["violations"] == []
    assert report["outcomes"] == {"killed": report["tried"]}
    assert report["tried"] >= report["points"] // every
    assert report["points"] > 50


def test_killed_in_the_middle_of_writes(request: pytest.FixtureRequest) -> None:
    """Half of the bytes are on the disk. Each third operation; every one by --every-point."""
    every = 1 if request.config.getoption("--every-point", False) else 3
    report = run_driver("points", "put_many", "torn", every)
    assert report["violations"] == []
    assert report["outcomes"] == {"killed": report["tried"]}
