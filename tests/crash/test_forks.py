"""A forked child keeps what it was acknowledged, also when its parent closes the store first."""

from __future__ import annotations

import pytest

from tests.crash.shim import run_driver

ROUNDS = 10


@pytest.mark.parametrize("way", ["shared", "own", "race"])
def test_the_parent_closes_under_its_child(way: str) -> None:
    report = run_driver("forks", way, ROUNDS, preload=False)
    assert (report["lost"], report["damage"]) == (0, 0)
    if way == "race":  # the parent may be faster: then the child is told, and nothing was written
        assert report["acknowledged"] >= ROUNDS
    else:
        assert (report["refused"], report["acknowledged"]) == (0, ROUNDS * 21)
