"""The archive over every engine and every kind of target: what is archived reads as before."""

from __future__ import annotations

import os

import pytest

from memtend.clock import ManualClock
from memtend.codec.address import Address
from memtend.drafting import Put
from memtend.errors import ArchiveForeign, NoArchive
from memtend.limits import SWEEP_MARGIN_MS
from memtend.memory import Memory
from memtend.model.query import Cold, Query
from memtend.model.record import Labels, Trust
from memtend.services import Services
from tests.fixtures.archives import (
    DAY_MS,
    NS,
    archive_everything,
    cold,
    fill,
    plan_everything,
    serving,
    shown,
    value,
)


def test_every_read_sees_through_to_the_archive(services: Services) -> None:
    values = fill(services)
    before = services.memory.read(NS, "k003")
    report = archive_everything(services)
    assert (report.written, report.changed_since, report.refused) == (20, 0, 0)
    memory = services.memory
    assert cold(services) == 20
    assert memory.get(NS, "k003") == values["k003"]
    assert memory.get_many(NS, ["k001", "k002"]) == {k: values[k] for k in ("k001", "k002")}
    assert shown(services) == values
    assert {key: one for _, key, one in memory.tagged("t")} == values
    after = memory.read(NS, "k003")
    assert before is not None
    assert after == before.model_copy(update={"archived": True})
    assert memory.siblings(NS, "k003") == [after]
    assert {r.key: r.value for r in memory.search(Query(namespace=NS))} == values
    assert services.verify_archive().ok


def test_archiving_again_finds_nothing(services: Services) -> None:
    fill(services)
    first = archive_everything(services)
    second = archive_everything(services)
    assert (first.run, second.run, second.planned) == (1, 0, 0)
    assert [one.run for one in services.archive_runs()] == [1]


def test_what_changed_since_the_plan_is_left_alone(services: Services) -> None:
    fill(services)
    plan = plan_everything(services)
    services.memory.put(NS, "k000", "newer")
    services.memory.delete(NS, "k001")
    report = services.apply_archive(plan)
    assert (report.written, report.changed_since) == (18, 2)
    assert services.memory.get(NS, "k000") == "newer"
    assert services.memory.get(NS, "k001") is None


def test_what_stays_whatever_the_rules_say(services: Services, clock: ManualClock) -> None:
    """Pinned, quarantined, counters, sets, siblings, small values, what ends soon."""
    memory, long = services.memory, value(1)
    memory.put(NS, "pinned", long, labels=Labels(pinned=True))
    memory.put(NS, "quarantined", long, labels=Labels(trust=Trust.QUARANTINED))
    memory.increment(NS, "counter")
    memory.add(NS, "set", "x" * 500)
    memory.put(NS, "siblings", long)
    memory.put(NS, "siblings", value(2), ctx={})
    memory.put(NS, "small", "x" * 100)
    memory.put(NS, "short", long, ttl_ms=6 * DAY_MS)
    memory.put(NS, "long", long, ttl_ms=8 * DAY_MS)
    assert [one.key for one in plan_everything(services).decisions] == ["long"]


def test_a_stub_expires_and_is_swept(services: Services, clock: ManualClock) -> None:
    services.memory.put(NS, "k", value(1), ttl_ms=30 * DAY_MS)
    archive_everything(services)
    clock.advance(30 * DAY_MS)
    assert services.memory.get(NS, "k") is None
    assert services.memory.search(Query(namespace=NS)) == []
    clock.advance(SWEEP_MARGIN_MS)
    assert services.apply_sweep(services.plan_sweep()).deleted == 1
    assert cold(services) == 0


def test_a_stub_is_replaced_deleted_and_quarantined_like_any_other(services: Services) -> None:
    fill(services, 4)
    archive_everything(services)
    memory = services.memory
    dot = memory.put(NS, "k000", "new")
    assert memory.delete(NS, "k001")
    assert memory.update(NS, "k002", lambda old: old["n"] + 1) == 3
    assert (memory.get(NS, "k000"), memory.get(NS, "k001"), memory.get(NS, "k002")) == (
        "new", None, 3,
    )  # fmt: skip
    record = memory.read(NS, "k000")
    assert record is not None
    assert record.dot == dot
    assert record.labels.tags == ("t",)
    memory.put(NS, "k003", "beside", ctx={})
    assert len(memory.siblings(NS, "k003")) == 2
    assert cold(services) == 1


def test_search_asks_the_archive_last(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels are at hand without it; only values that are wanted are read."""
    values = fill(services, 6)
    archive_everything(services)
    services.memory.put(NS, "hot", {"n": 1}, labels=Labels(kind="fact"))
    asked: list[str] = []
    source = services.store.archive
    assert source is not None
    text = source.text

    def counted(address: Address, what: str) -> bytes:
        asked.append(what)
        return text(address, what)

    monkeypatch.setattr(source, "text", counted)
    search = services.memory.search
    assert search(Query(namespace=NS, kind="other")) == []
    assert [r.key for r in search(Query(namespace=NS, cold=Cold.SKIP))] == ["hot"]
    found = search(Query(namespace=NS, tag="t", importance_min=0.1, cold=Cold.LABELS))
    assert [(r.key, r.value, r.archived) for r in found] == [(k, None, True) for k in values]
    assert asked == []
    read = search(Query(namespace=NS, tag="t", limit=2))
    assert {r.key: r.value for r in read} == {k: values[k] for k in ("k000", "k001")}
    assert len(asked) == 2
    by_value = search(Query(namespace=NS, fields={"n": 4}, cold=Cold.LABELS))
    assert [(r.key, r.value) for r in by_value] == [("k004", values["k004"])]


def test_totals_are_truthful(services: Services) -> None:
    """What is said to be saved is what the rows and the archive really take."""
    fill(services, 30)
    services.memory.put(NS, "warm", "again and again " * 200)
    before = services.memory.stats()
    report = archive_everything(services)
    stats = services.memory.stats()
    here = before.bytes - sum(t.bytes for t in before.tiers if t.name == "warm")
    assert stats.archived.before_bytes == here == report.before_bytes
    assert stats.archived.stub_bytes == report.stub_bytes
    vault = services._vault()
    objects = sum(info.size for info in vault.store.list("objects/"))
    assert stats.archived.archive_bytes == objects == report.archive_bytes
    assert stats.bytes == before.bytes - report.before_bytes + report.stub_bytes
    assert [tier.name for tier in stats.tiers] == ["hot", "warm", "cold"]
    assert sum(tier.records for tier in stats.tiers) == stats.records == 31
    assert sum(tier.bytes for tier in stats.tiers) == stats.bytes
    services.recall("**")
    after = services.memory.stats()
    assert after.archived.records == after.archived.before_bytes == 0
    assert after.bytes == before.bytes


def test_another_stores_archive_is_refused(
    services: Services, archive_url: str, clock: ManualClock
) -> None:
    fill(services, 3)
    with pytest.raises(NoArchive):
        services.archive_runs()
    archive_everything(services)
    with serving("sqlite://", archive_url, clock) as other:
        fill(other, 3)
        with pytest.raises(ArchiveForeign, match="belongs to store"):
            archive_everything(other)
        assert shown(other) == {f"k{n:03d}": value(n) for n in range(3)}


def test_a_store_opened_again_finds_its_archive(
    lasting_url: str, archive_url: str, clock: ManualClock
) -> None:
    """By its own setting: whoever opens it next need not know the address."""
    with serving(lasting_url, archive_url, clock) as services:
        values = fill(services, 3)
        archive_everything(services)
    with Memory.open(lasting_url, clock=clock) as memory:
        assert dict(memory.scan(NS)) == values
        memory.put_many([Put(NS, "k000", 1)])
        assert memory.get(NS, "k000") == 1


def test_a_forked_child_reads_the_archive(
    lasting_url: str, archive_url: str, clock: ManualClock
) -> None:
    with serving(lasting_url, archive_url, clock) as services:
        values = fill(services, 3)
        archive_everything(services)
        assert services.memory.get(NS, "k000") == values["k000"]
        child = os.fork()
        if child == 0:
            os._exit(0 if services.memory.get(NS, "k001") == values["k001"] else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
