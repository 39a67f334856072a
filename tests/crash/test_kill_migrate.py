"""kill -9 and failures in a migration: every value is of one version or the other, none is lost or
there twice, and running it again finishes it.

The short form takes some operations, evenly; the long form (--every-point) all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import EVERY_POINT, run_driver
from tests.crash.steps import MIGRATES

POINTS = {"kill": 5, "torn": 2, "eio": 2}
OUTCOMES = {"kill": {"killed"}, "torn": {"killed"}}


@pytest.mark.parametrize("script", MIGRATES)
@pytest.mark.parametrize("act", POINTS)
def test_hit_at_a_file_operation(script: str, act: str, request: pytest.FixtureRequest) -> None:
    """Of writing, backing up, migrating, taking back and closing."""
    every = request.config.getoption("--every-point", False)
    report = run_driver("points", script, act, EVERY_POINT if every else POINTS[act])
    assert report["violations"] == []
    assert set(report["outcomes"]) <= OUTCOMES.get(act, {"raised", "quiet"})
    assert report["points"] > 50
