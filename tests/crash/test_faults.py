"""A file operation of a write fails: the error has a type, nothing acknowledged is lost.

The short form takes 15 operations of each script, evenly; the long form (--every-point) takes all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import EVERY_POINT, run_driver
from tests.crash.steps import WRITES

POINTS = 15


@pytest.mark.parametrize("act", ["eio", "enospc"])
@pytest.mark.parametrize("script", WRITES)
def test_one_operation_fails(script: str, act: str, request: pytest.FixtureRequest) -> None:
    every = request.config.getoption("--every-point", False)
    report = run_driver("points", script, act, EVERY_POINT if every else POINTS)
    assert report["violations"] == []
    assert set(report["outcomes"]) == {"raised", "quiet"}
    assert sum(report["outcomes"].values()) == report["tried"]
    assert report["tried"] == (report["points"] if every else min(report["points"], POINTS))


def test_a_sync_that_failed_is_never_acknowledged() -> None:
    """Every operation of single puts, so that each sync that a put waits for is among them."""
    report = run_driver("points", "put", "eio", EVERY_POINT)
    assert report["violations"] == []
    assert report["hit"]["sync"] >= 5
