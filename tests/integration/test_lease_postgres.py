"""Leases on PostgreSQL when a client is cut off: its late writes arrive and are refused."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import psycopg
import pytest

from memtend.errors import StaleLease, StoreUnavailable
from memtend.memory import Memory
from tests.fixtures.cutoff import Line
from tests.fixtures.lease_race import NS, RESOURCE, TTL_MS, pause_one, race
from tests.fixtures.postgres import PostgresServer

SECONDS = 6
CUT_S_MAX = 0.6


@pytest.fixture
def line(postgres_server: PostgresServer) -> Iterator[Line]:
    with Line(postgres_server.host, postgres_server.port) as made:
        yield made


def through(line: Line, url: str, server: PostgresServer) -> str:
    return url.replace(f":{server.port}/", f":{line.port}/")


def test_the_write_of_a_client_that_was_cut_off_comes_too_late(
    postgres_url: str, postgres_server: PostgresServer, line: Line
) -> None:
    refused: list[StaleLease] = []
    url = through(line, postgres_url, postgres_server)
    with Memory.open(url) as cut_off, Memory.open(postgres_url) as other:
        late = cut_off.leases.acquire(RESOURCE, TTL_MS)
        cut_off.put(NS, "k", "first", lease=late)
        line.cut()

        def write() -> None:
            try:
                cut_off.put(NS, "k", "late", lease=late)
            except StaleLease as error:
                refused.append(error)

        writer = Thread(target=write)
        writer.start()
        with other.lease(RESOURCE) as lease:
            assert lease.fence > late.fence
            other.put(NS, "k", "second", lease=lease)
            line.heal()
            writer.join(30)
        assert other.get(NS, "k") == "second"
    assert len(refused) == 1


def test_a_session_that_the_server_ended(postgres_url: str) -> None:
    """The lease does not hang on the connection: it goes on over the next one."""
    with Memory.open(postgres_url) as memory:
        lease = memory.leases.acquire(RESOURCE, 60_000)
        end_sessions(postgres_url)
        with pytest.raises(StoreUnavailable):
            memory.put(NS, "k", 0, lease=lease)
        memory.put(NS, "k", 1, lease=lease)
        assert memory.get(NS, "k") == 1
        assert memory.leases.release(lease)


def end_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_processes_that_are_stopped_cut_off_and_thrown_out(
    postgres_url: str, postgres_server: PostgresServer, line: Line
) -> None:
    dice, memory = random.Random(5), Memory.open(postgres_url)

    def disturb(processes: list[subprocess.Popen[bytes]]) -> None:
        match dice.randrange(3):
            case 0:
                with suppress(StoreUnavailable):  # it was thrown out, too
                    pause_one(dice, memory, processes)
            case 1:
                line.cut()
                time.sleep(dice.random() * CUT_S_MAX)
                line.heal()
            case _:
                end_sessions(postgres_url)
                time.sleep(0.1)

    urls = [postgres_url] * 3 + [through(line, postgres_url, postgres_server)]
    with memory:
        race(urls, SECONDS, disturb).check()
