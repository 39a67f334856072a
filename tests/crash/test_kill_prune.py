"""kill -9 and failures in a prune and its undo: each record is here, or comes back, once.

The short form takes some operations, evenly; the long form (--every-point) all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import EVERY_POINT, run_driver
from tests.crash.steps import PRUNES

POINTS = {"kill": 10, "eio": 3}
OUTCOMES = {"kill": {"killed"}}


@pytest.mark.parametrize("script", PRUNES)
@pytest.mark.parametrize("act", POINTS)
def test_hit_at_a_file_operation(script: str, act: str, request: pytest.FixtureRequest) -> None:
    """Of writing, archiving, deleting, merging, bringing back and closing."""
    every = request.config.getoption("--every-point", False)
    report = run_driver("points", script, act, EVERY_POINT if every else POINTS[act])
    assert report["violations"] == []
    assert set(report["outcomes"]) <= OUTCOMES.get(act, {"raised", "quiet"})
    assert report["points"] > 50
