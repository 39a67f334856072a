"""kill -9 before a file operation of a migration of the schema: the old one whole or the new one.

The short form takes a few operations, evenly; the long form (--every-point) takes all.
"""

from __future__ import annotations

import pytest

from memtend.store import schema
from tests.crash.shim import EVERY_POINT, run_driver
from tests.crash.upgrades import BACK
from tests.fixtures.older import OLDER

POINTS = {"0002": 8, BACK: 6}


@pytest.mark.parametrize("start", POINTS)
def test_killed_at_a_file_operation(start: str, request: pytest.FixtureRequest) -> None:
    every = request.config.getoption("--every-point", False)
    report = run_driver("upgrades", start, EVERY_POINT if every else POINTS[start])
    assert report["violations"] == []
    assert report["outcomes"]["killed"] == report["tried"]
    assert report["outcomes"].keys() <= {"killed", *OLDER, schema.HEAD}
    assert report["points"] > 50
