"""A file operation of backup, archive, restore, erasure fails: a typed error, then it works.

The short form takes 30 operations of each script, evenly; the long form (--every-point) takes all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import EVERY_POINT, run_driver
from tests.crash.steps import UPKEEP

POINTS = 30


@pytest.mark.parametrize("act", ["eio", "enospc"])
@pytest.mark.parametrize("script", UPKEEP)
def test_one_operation_fails(script: str, act: str, request: pytest.FixtureRequest) -> None:
    every = request.config.getoption("--every-point", False)
    report = run_driver("points", script, act, EVERY_POINT if every else POINTS)
    assert report["violations"] == []
    assert set(report["outcomes"]) == {"raised", "quiet"}
    assert sum(report["outcomes"].values()) == report["tried"]
    assert report["tried"] == (report["points"] if every else min(report["points"], POINTS))
