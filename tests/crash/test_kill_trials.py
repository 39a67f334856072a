"""kill -9 while a time to live goes on trial and is undone: rules and trial are new, or as before.

The short form takes some operations, evenly; the long form (--every-point) all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import EVERY_POINT, run_driver

POINTS = 10


def test_killed_at_a_file_operation(request: pytest.FixtureRequest) -> None:
    """Of writing both policy files, the transaction, and closing."""
    every = request.config.getoption("--every-point", False)
    report = run_driver("points", "trials", "kill", EVERY_POINT if every else POINTS)
    assert report["violations"] == []
    assert set(report["outcomes"]) == {"killed"}
    assert report["points"] > 30
