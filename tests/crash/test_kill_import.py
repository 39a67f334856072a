"""kill -9 and failures in an import: done again, nothing is missing and nothing is there twice.

The short form takes some file operations, evenly; the long form (--every-point) takes all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import EVERY_POINT, run_driver

POINTS = {"kill": 25, "torn": 8, "eio": 8}
OUTCOMES = {"kill": {"killed"}, "torn": {"killed"}}


@pytest.mark.parametrize("act", POINTS)
def test_an_import_is_hit_and_repeated(act: str, request: pytest.FixtureRequest) -> None:
    every = request.config.getoption("--every-point", False)
    report = run_driver("imports", act, EVERY_POINT if every else POINTS[act])
    assert report["violations"] == []
    assert set(report["outcomes"]) <= OUTCOMES.get(act, {"raised", "quiet"})
    assert report["tried"] == sum(report["outcomes"].values()) >= POINTS[act]
