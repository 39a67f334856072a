"""One file operation fails: the error has a type, nothing acknowledged is lost, the next try works.

The short form fails each fifth operation, the long form (--every-point) every one.
"""

from __future__ import annotations

import pytest

from tests.crash.shim import run_driver
from tests.crash.steps import SCRIPTS


@pytest.mark.parametrize("act", ["eio", "enospc"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_one_operation_fails(script: str, act: str, request: pytest.FixtureRequest) -> None:
    every = 1 if request.config.getoption("--every-point", False) else 5
    report = run_driver("points", script, act, every)
    assert report["violations"] == []
    assert set(report["outcomes"]) == {"raised", "quiet"}
    assert sum(report["outcomes"].values()) == report["tried"] >= report["points"] // 5


def test_a_sync_that_failed_is_never_acknowledged() -> None:
    """Every operation of single puts, so that each sync that a put waits for is among them."""
    report = run_driver("points", "put", "eio", 1)
    assert report["violations"] == []
    assert report["hit"]["sync"] >= 5
