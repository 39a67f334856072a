"""Totals and quotas: kept in every write, equal to a recount, never a scan."""

from __future__ import annotations

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import QuotaExceeded
from memtend.limits import SWEEP_MARGIN_MS
from memtend.memory import Memory
from memtend.model.policyfile import Quotas
from memtend.model.record import Labels
from memtend.store.expiry import drop_expired, expired
from memtend.store.sql import STATEMENTS
from tests.fixtures.stores import run_sql, set_policies

NS = "agent/a"
OF_A = Labels(agent="a", session="s")


def used(memory: Memory) -> int:
    return memory.stats().bytes


def test_totals_follow_every_change(memory: Memory, clock: ManualClock) -> None:
    memory.put(NS, "k", "x" * 500, labels=OF_A)
    memory.put("other", "k", 1)
    stats = memory.stats()
    assert [(s.name, s.records) for s in stats.namespaces] == [(NS, 1), ("other", 1)]
    assert [(s.name, s.records) for s in (*stats.agents, *stats.sessions)] == [("a", 1), ("s", 1)]
    assert stats.bytes == sum(share.bytes for share in stats.namespaces)
    assert stats.agents[0].bytes == stats.sessions[0].bytes == stats.namespaces[0].bytes
    assert stats.file_bytes > 0
    memory.put(NS, "k", 1, labels=Labels(agent="b"))
    stats = memory.stats()
    assert [(s.name, s.records) for s in (*stats.agents, *stats.sessions)] == [("b", 1)]
    memory.delete(NS, "k")
    memory.put("other", "k", 1, ttl_ms=1)
    clock.advance(1 + SWEEP_MARGIN_MS)
    drop_expired(memory.store, [row.seq for row in expired(memory.store, 9)], actor="t")
    stats = memory.stats()
    assert (stats.records, stats.bytes, stats.namespaces, stats.agents) == (0, 0, (), ())


def test_reading_totals_scans_no_records(memory: Memory) -> None:
    """Neither totals nor a quota check look at the table of records."""
    explain = "EXPLAIN QUERY PLAN" if memory.store.engine.kind == "sqlite" else "EXPLAIN"
    for name in ("meta", "tallies", "tally_of"):
        statement = STATEMENTS[name].replace("?", "'x'")
        plan = " ".join(str(row) for row in run_sql(memory, f"{explain} {statement}"))
        assert "sibling" not in plan


@pytest.mark.parametrize("scope", ["agent", "session", "store"])
def test_a_quota_holds_to_the_byte(memory: Memory, scope: str) -> None:
    memory.put(NS, "a", "x" * 300, labels=OF_A)
    memory.put(NS, "b", "y" * 300, labels=OF_A)
    both = used(memory)
    memory.delete(NS, "b")
    set_policies(memory, quotas=Quotas(**{f"{scope}_bytes": both}))
    memory.put(NS, "b", "y" * 300, labels=OF_A)
    assert used(memory) == both
    with pytest.raises(QuotaExceeded, match=scope):
        memory.put(NS, "b", "y" * 301, labels=OF_A)
    with pytest.raises(QuotaExceeded):
        memory.put_many([Put(NS, "a", 1), Put(NS, "b", 1), Put(NS, "c", "z" * 600, OF_A)])
    assert memory.get(NS, "b") == "y" * 300
    assert used(memory) == both
    memory.put(NS, "b", "y", labels=OF_A)
    assert used(memory) < both


def test_a_quota_counts_labels_that_are_kept(memory: Memory) -> None:
    memory.put(NS, "k", 1, labels=OF_A)
    set_policies(memory, quotas=Quotas(agent_bytes=used(memory)))
    with pytest.raises(QuotaExceeded, match="agent"):
        memory.put(NS, "k", "x" * 100)
    memory.put("other", "k", "x" * 100)


def test_a_store_over_its_quota_can_still_shrink(memory: Memory) -> None:
    memory.put(NS, "k", "x" * 500)
    set_policies(memory, quotas=Quotas(store_bytes=100))
    with pytest.raises(QuotaExceeded):
        memory.put(NS, "new", 1)
    memory.put(NS, "k", "x" * 400)
    memory.delete(NS, "k")
    memory.put(NS, "new", 1)


def test_pressure_is_reported_before_it_hurts(memory: Memory) -> None:
    memory.put(NS, "k", "x" * 500, labels=OF_A)
    size = used(memory)
    set_policies(memory, quotas=Quotas(agent_bytes=size, session_bytes=size * 10, store_bytes=size))
    assert [(p.scope, p.share) for p in memory.stats().pressure] == [("agent", 1), ("store", 1)]
    set_policies(memory, quotas=Quotas(session_bytes=size * 5 // 4))
    assert [p.scope for p in memory.stats().pressure] == ["session"]
    set_policies(memory, quotas=Quotas(session_bytes=size * 5 // 4 + 2))
    assert memory.stats().pressure == ()
