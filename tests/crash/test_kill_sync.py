"""kill -9 and failures in replication: a delta is in whole or not at all, and then comes again.

The short form takes some operations of each script, evenly; the long form (--every-point) all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import EVERY_POINT, run_driver
from tests.crash.steps import SYNCS

POINTS = {"kill": 30, "torn": 15, "eio": 12, "enospc": 12}
TRIED = [(script, act) for script in SYNCS for act in ("kill", "eio")]
TRIED += [("apply", "torn"), ("apply", "enospc")]
OUTCOMES = {"kill": {"killed"}, "torn": {"killed"}}


@pytest.mark.parametrize(("script", "act"), TRIED)
def test_hit_at_a_file_operation(script: str, act: str, request: pytest.FixtureRequest) -> None:
    every = request.config.getoption("--every-point", False)
    report = run_driver("points", script, act, EVERY_POINT if every else POINTS[act])
    assert report["violations"] == []
    assert set(report["outcomes"]) <= OUTCOMES.get(act, {"raised", "quiet"})
    assert report["tried"] == sum(report["outcomes"].values()) >= POINTS[act]
