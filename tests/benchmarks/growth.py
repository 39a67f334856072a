"""What must not grow with the store: statistics, and the quota check of a put.

Our own store against our own store, ten and more times larger, in the same rounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from memtend.memory import Memory
from memtend.model.record import Labels
from tests.benchmarks.data import item
from tests.benchmarks.harness import Case, Inputs, Row, Side, each, expect, measure
from tests.benchmarks.stores import Stores

NOISE = 1.25
LABELS = Labels(agent="planner", session="run-1")


def rows(small: Stores, large: Stores) -> Iterator[Row]:
    against = f"memtend at {small.size:,} records"
    yield from _stats(small, large, against)
    yield from _quota(small, large, against)


def _stats(small: Stores, large: Stores, against: str) -> list[Row]:
    def check(_inputs: Inputs, found: Any) -> None:
        for stats in found:
            counted = sum(share.records for share in stats.namespaces)
            expect(counted, stats.records, "records of all namespaces")

    case = Case("stats", large.size, lambda _: range(20), check, rounds=41)
    return measure(
        case,
        Side("memtend", each(lambda _: large.memory.stats())),
        [
            Side(against, each(lambda _: small.memory.stats()), NOISE),
            Side("raw sqlite3 count(*)", each(lambda _: _count(large)), take=1),
        ],
    )


def _count(stores: Stores) -> Any:
    sql = "SELECT ns, count(*), sum(length(value)) FROM record GROUP BY ns"
    found = stores.raw.connection.execute(sql).fetchall()
    return _Counted(sum(row[1] for row in found), found)


class _Counted:
    """Raw totals in the shape the check wants."""

    def __init__(self, records: int, found: list[tuple[str, int, int]]) -> None:
        self.records = records
        self.namespaces = [_Share(row[1]) for row in found]


class _Share:
    def __init__(self, records: int) -> None:
        self.records = records


def _quota(small: Stores, large: Stores, against: str) -> list[Row]:
    """A put under an agent's and a session's quota, always the same key: only the check differs."""

    def inputs(turn: int) -> Inputs:
        return [item(1, version=turn * 100 + n) for n in range(50)]

    def work(memory: Memory) -> Any:
        return each(lambda one: memory.put("bench/quota", "hot", one.value, labels=LABELS))

    def check(memory: Memory) -> Any:
        def read(items: Inputs, _answer: Any) -> None:
            expect(memory.get("bench/quota", "hot"), items[-1].value, "quota")

        return read

    case = Case("put with quotas, normal", large.size, inputs, check(large.normal), rounds=61)
    others = [Side(against, work(small.normal), NOISE, check=check(small.normal))]
    return measure(case, Side("memtend", work(large.normal)), others)
