"""Histories on PostgreSQL, alone and together with SQLite files (9.2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.crash.shim import fast_folder
from tests.fixtures.postgres import PostgresServer
from tests.laws.sql_postgres import postgres_stores
from tests.laws.sql_world import run_on

HISTORIES = {(3, True): 650, (2, False): 250, (3, False): 60, (5, True): 40}
LENGTHS = (5, 16)


@pytest.mark.parametrize(("replicas", "mixed"), HISTORIES)
def test_a_thousand_histories(
    postgres_server: PostgresServer, replicas: int, mixed: bool, seeds: Callable[[int], range]
) -> None:
    with postgres_stores(postgres_server, fast_folder("laws"), replicas, mixed=mixed) as stores:
        run_on(stores, seeds(HISTORIES[replicas, mixed]), replicas, LENGTHS)
