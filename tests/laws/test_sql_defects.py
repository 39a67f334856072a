"""The histories on real stores bite: they find defects in the code of the store (9.3).

A seed that has found a defect is tried first, or this would take minutes. When none of the known
ones finds it any more, because steps were added or their weights changed, all others are tried.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from memtend.errors import MemtendError
from tests.crash.shim import fast_folder
from tests.laws.scripts import fails, script
from tests.laws.sql_defects import PLANTED, Plant
from tests.laws.sql_stores import SqliteStores, sqlite_stores
from tests.laws.sql_world import SQL_WEIGHTS, check_on

FOUND_WITHIN = 5_000
LENGTHS = (10, 40)
KNOWN = (0, 5, 10, 11, 15, 17, 18, 48, 105, 110, 178)


@pytest.fixture(scope="module")
def stores() -> Iterator[SqliteStores]:
    with sqlite_stores(fast_folder("defects"), 3) as made:
        yield made


def is_found(stores: SqliteStores, seed: int) -> bool:
    steps = script(seed, 3, SQL_WEIGHTS, LENGTHS)
    try:
        return fails(steps, lambda steps: check_on(stores, steps, 3))
    except (MemtendError, AssertionError):
        return True  # it does not even run to its end


def test_known_seeds_find_nothing_in_the_store_as_it_is(stores: SqliteStores) -> None:
    assert not any(is_found(stores, seed) for seed in KNOWN)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_planted_defect_is_found(
    stores: SqliteStores, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert any(is_found(stores, seed) for seed in (*KNOWN, *range(FOUND_WITHIN)))
