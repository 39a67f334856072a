"""kill -9 in a prune and its undo, and in an optimization: each record is here or comes back, once.

The short form takes some operations, evenly; the long form (--every-point) all.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import EVERY_POINT, run_driver
from tests.crash.steps import PRUNES

POINTS = 10


@pytest.mark.parametrize("script", PRUNES)
def test_killed_at_a_file_operation(script: str, request: pytest.FixtureRequest) -> None:
    """Of writing, archiving, deleting, merging, bringing back and closing."""
    every = request.config.getoption("--every-point", False)
    report = run_driver("points", script, "kill", EVERY_POINT if every else POINTS)
    assert report["violations"] == []
    assert set(report["outcomes"]) == {"killed"}
    assert report["points"] > 50
