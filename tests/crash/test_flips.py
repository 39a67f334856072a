"""Single flipped bits in a store file: every effect is found by verify, and no read is wrong."""

from __future__ import annotations

import pytest

from tests.crash.shim import run_driver

SEED = 1


def test_flipped_bits(request: pytest.FixtureRequest) -> None:
    """The short form flips 100 bits; --flips 2000 is the long one. Deterministic by the seed."""
    flips = request.config.getoption("--flips", 100)
    report = run_driver("flips", flips, SEED, preload=False)
    print(f"seed {SEED}: {report['outcomes']} {report['wrong']}")
    outcomes = report["outcomes"]
    assert outcomes.get("missed by verify", 0) == 0, report["examples"]
    assert outcomes.get("wrong reads", 0) == 0, report["examples"]
    assert outcomes["found"] > flips / 4
