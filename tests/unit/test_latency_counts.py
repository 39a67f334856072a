"""Latencies as they are counted: sampled, weighed, by the tier of what was met."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from memtend.clock import ManualClock
from memtend.limits_upkeep import LATENCY_READ_EVERY, LATENCY_WRITE_EVERY
from memtend.metrics.figure import value_of
from memtend.model.query import Query
from memtend.services import Services, open_services
from memtend.store import sql_metrics
from memtend.store.latencies import cache_reads
from memtend.store.sql import sqlite_statements


@pytest.fixture
def services(clock: ManualClock) -> Iterator[Services]:
    with open_services("sqlite://", clock=clock) as opened:
        yield opened


def counts(services: Services) -> dict[tuple[str, str], int]:
    services.memory.flush()
    return {(one.op, one.tier): one.operations for one in services.latencies()}


def test_a_sampled_read_stands_for_those_that_were_not(services: Services) -> None:
    memory = services.memory
    memory.put("a", "k", 1)
    for _ in range(3 * LATENCY_READ_EVERY):
        memory.get("a", "k")
    assert counts(services)["get", "hot"] == 3 * LATENCY_READ_EVERY


def test_a_sampled_write_does_too_and_the_rest_is_counted_each_time(services: Services) -> None:
    memory = services.memory
    for n in range(2 * LATENCY_WRITE_EVERY):
        memory.put("a", f"k{n}", n)
    memory.scan("a")
    memory.get_many("a", ["k1"])
    memory.read("a", "k1")
    memory.tagged("x")
    memory.search(Query(namespace="a"))
    memory.delete("a", "k1")
    found = counts(services)
    assert found["put", "hot"] == 2 * LATENCY_WRITE_EVERY
    assert {op: found[op, "hot"] for op in ("scan", "get_many", "read", "tagged", "search")} == {
        "scan": 1, "get_many": 1, "read": 1, "tagged": 1, "search": 1,
    }  # fmt: skip
    assert found["delete", "hot"] == 1


def test_a_compressed_value_is_warm(services: Services) -> None:
    services.memory.put("a", "k", "many words " * 1_000)
    services.memory.read("a", "k")
    assert counts(services)["read", "warm"] == 1


def test_the_time_is_what_the_clock_says(services: Services, clock: ManualClock) -> None:
    with services.store.latencies.timing("test"):
        clock.advance(40)
    services.memory.flush()
    [one] = services.latencies()
    assert one.p50_ms == pytest.approx(40, rel=0.2)


def test_what_raises_is_not_counted(services: Services) -> None:
    with pytest.raises(ZeroDivisionError), services.store.latencies.timing("test"):
        _ = 1 // 0
    assert counts(services) == {}


def test_a_forked_child_leaves_the_counts_to_its_parent(services: Services) -> None:
    latencies = services.store.latencies
    latencies.note("get", 0, 1_000)
    child = os.fork()
    if child == 0:
        os._exit(int(latencies.is_filled))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert latencies.is_filled


def test_a_writer_writes_latencies_once_a_minute(services: Services, clock: ManualClock) -> None:
    memory = services.memory
    memory.delete("a", "nothing")
    assert services.latencies() == ()
    clock.advance(61_000)
    memory.put_many([])
    memory.delete("a", "nothing")
    assert services.latencies() != ()


def test_hits_and_misses_of_caches_are_no_operations(services: Services) -> None:
    latencies = services.store.latencies
    for hit in (True, True, True, False):
        latencies.cached("archive", hit=hit)
    assert counts(services) == {}
    now_ms = services.clock.now_ms()
    assert cache_reads(services.store.engine, now_ms) == {"archive": (3, 1)}
    found = services.figures()
    assert value_of(found, "memtend_cache_hit_share", cache="archive") == 0.75
    assert value_of(found, "memtend_cache_reads_day", cache="archive") == 4


@pytest.mark.parametrize("name", sorted(sql_metrics.STATEMENTS))
def test_no_figure_reads_all_records(services: Services, name: str) -> None:
    """SQLite searches records by an index, or does not look at them."""
    text = sqlite_statements()[name].replace("?", "0")
    plan = [row[3] for row in services.store.engine.script(f"EXPLAIN QUERY PLAN {text}")]
    assert not any(step.startswith("SCAN sibling") for step in plan)
