"""Power cuts: with durability `full` an acknowledged write survives, with `normal` it may not.

Neither ever damages the store. The second test is what makes the first one worth anything: on the
same disks the weaker promise does lose writes.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import run_driver


def test_full_loses_nothing(request: pytest.FixtureRequest) -> None:
    states = request.config.getoption("--power-cuts", 1_000)
    report = run_driver("powercut", "full", states, 1)
    assert (report["lost"], report["damaged"]) == (0, [])
    assert report["states"] == states
    assert report["acknowledged"] > 100


def test_normal_loses_writes_but_damages_nothing() -> None:
    report = run_driver("powercut", "normal", 200, 1)
    assert report["damaged"] == []
    assert report["lost"] > 0
