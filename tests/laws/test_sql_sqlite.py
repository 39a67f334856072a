"""Histories on real SQLite files: stores agree with the model and with each other (9.2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.crash.shim import fast_folder
from tests.laws.sql_stores import sqlite_stores
from tests.laws.sql_world import run_on

HISTORIES = {3: 750, 2: 150, 5: 100}
LENGTHS = (6, 24)


@pytest.mark.parametrize("replicas", HISTORIES)
def test_a_thousand_histories(replicas: int, seeds: Callable[[int], range]) -> None:
    with sqlite_stores(fast_folder("laws"), replicas) as stores:
        run_on(stores, seeds(HISTORIES[replicas]), replicas, LENGTHS)
