"""kill -9 while models are fitted, put in use, taken back and dropped: none is in use without its
files, of a scenario never two, and the audit trail tells of each step once it has happened.

The short form takes some operations, evenly; the long form (--every-point) all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import EVERY_POINT, run_driver

POINTS = 10


def test_killed_at_a_file_operation(request: pytest.FixtureRequest) -> None:
    every = request.config.getoption("--every-point", False)
    report = run_driver("points", "models", "kill", EVERY_POINT if every else POINTS)
    assert report["violations"] == []
    assert set(report["outcomes"]) == {"killed"}
    assert report["points"] > 50
