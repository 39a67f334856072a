"""What a migration keeps: all that a writer said, and all that lies beside the values it moves."""

from __future__ import annotations

from typing import Any

import pytest

from memtend.codec.compress import Codec
from memtend.codec.envelope import codec_of
from memtend.migrate.casting import Move
from memtend.model.pattern import compile_pattern
from memtend.model.policy import Compression, Policy
from memtend.model.policyfile import Quotas
from memtend.model.record import Labels, Trust
from memtend.model.subject import Subject
from memtend.services import Services
from memtend.store import dictionaries
from tests.fixtures.aging import NOW_MS, NS, item, keep, migrated, records, version_at
from tests.fixtures.archives import archive_everything
from tests.fixtures.stores import run_sql, set_policies

PATTERN = Labels(kind="pattern")


def test_times_labels_and_reads(aged: Services) -> None:
    memory, clock = aged.memory, aged.clock
    told: dict[str, Any] = {
        "agent": "ada",
        "session": "s1",
        "tags": ("red", "blue"),
        "pinned": True,
    }
    keep(memory, 1, **told, importance=0.9, confidence=0.3, success_count=4, extra={"own": [1]})
    memory.put(NS, "brief", item(2), labels=PATTERN, ttl_ms=90_000_000)
    for _ in range(3):
        memory.get(NS, "p00001")
    memory.flush()
    clock.advance(3_600_000)  # type: ignore[attr-defined]
    before, stats = records(memory), memory.stats()
    migrated(aged)
    after = records(memory)
    for place, [old] in before.items():
        [new] = after[place]
        extra = {k: v for k, v in new.labels.extra.items() if k != "migrated"}
        labels = new.labels.model_copy(update={"extra": extra})
        same = {"value": old.value, "labels": labels}
        assert new.model_copy(update=same) == old, place
    assert memory.read(NS, "p00001").access_count == 3  # type: ignore[union-attr]
    assert [key for _, key, _ in memory.tagged("red")] == ["p00001"]
    assert memory.stats().records == stats.records


def test_each_sibling_becomes_its_own_new_version(aged: Services) -> None:
    memory = aged.memory
    for number in range(3):
        memory.put(NS, "k", item(number), labels=PATTERN, ctx={})
    shown = memory.get(NS, "k")["id"]
    assert migrated(aged).written == 3
    seen = memory.siblings(NS, "k")
    assert {one.value["id"] for one in seen} == {item(n)["id"] for n in range(3)}
    assert {one.value["version"] for one in seen} == {"2.0.0"}
    assert memory.get(NS, "k")["id"] == shown
    aged.apply_rollback(aged.plan_rollback())
    assert sorted(one.value["id"] for one in memory.siblings(NS, "k")) == sorted(
        item(n)["id"] for n in range(3)
    )


def test_what_has_no_versions_is_not_touched(aged: Services) -> None:
    memory = aged.memory
    memory.increment("counts", "runs", 3, labels=PATTERN)
    memory.add("sets", "colours", "red")
    memory.put("notes", "n", item(1), labels=Labels(kind="note"))
    memory.put(NS, "text", "no item at all", labels=PATTERN)
    keep(memory, 1, version="2.0.0")
    before = run_sql(aged.memory, "SELECT seq, hash FROM sibling ORDER BY seq")
    plan = aged.plan_migration()
    assert plan.planned == 0
    aged.apply_migration(plan, rehearsal=False)
    assert run_sql(aged.memory, "SELECT seq, hash FROM sibling ORDER BY seq") == before


def test_a_quarantined_writer_stays_quarantined(aging: Services) -> None:
    told = PATTERN.model_copy(update={"trust": Trust.QUARANTINED, "writer": "mallory"})
    aging.memory.put(NS, "k", item(1), labels=told)
    assert migrated(aging).written == 1
    assert aging.memory.get(NS, "k") is None
    assert aging.pending_migrations().total == 0


@pytest.mark.parametrize("trained", [False, True])
def test_compressed_values_stay_compressed(aged: Services, trained: bool) -> None:
    """A dictionary for the kind is used when there is one."""
    memory = aged.memory
    set_policies(memory, Policy(pattern="**", compression=Compression(threshold_bytes=64)))
    if trained:
        texts = [str(item(n)).encode() for n in range(100)]
        dictionaries.train(aged.store, "pattern", texts, actor="operator")
        memory.config.refresh(aged.store.meta().config)
    keep(memory, *range(10))
    warm = memory.stats().tiers[1].records
    migrated(aged)
    flags = [row[0] for row in run_sql(memory, "SELECT flags FROM sibling")]
    assert {codec_of(one) for one in flags} == {Codec.ZSTD_DICT if trained else Codec.ZSTD}
    assert (warm, memory.stats().tiers[1].records) == (10, 10)


def test_archived_values_stay_in_the_archive(aging: Services) -> None:
    memory = aging.memory
    keep(memory, *range(4))
    archive_everything(aging)
    keep(memory, 9)
    plan = aging.plan_migration()
    assert (plan.planned, plan.of(Move.ARCHIVED)) == (1, 4)
    aging.rehearse_migration(plan)
    assert aging.apply_migration(plan).archived == 4
    assert version_at(memory, 0) == "1.0.0"
    aging.recall("**")
    assert migrated(aging).written == 4
    assert {version_at(memory, n) for n in (0, 1, 2, 3, 9)} == {"2.0.0"}


def test_a_full_quota_stops_no_migration(aging: Services) -> None:
    """It writes no new data, and half of it would help nobody."""
    keep(aging.memory, *range(5), agent="ada")
    size = aging.store.meta().size
    set_policies(aging.memory, quotas=Quotas(agent_bytes=size, store_bytes=size))
    assert migrated(aging).written == 5
    assert aging.memory.stats().pressure


def test_an_erased_record_takes_its_undo_along(aged: Services) -> None:
    secret = {"nobody may read": "a secret that is long enough to be looked for"}
    aged.memory.put(NS, "k", item(1) | {"extra": "", "variations": 5} | secret, labels=PATTERN)
    keep(aged.memory, 2)
    migrated(aged)
    report = aged.apply_erase(aged.plan_erase(Subject.of_record(NS, "k")))
    assert report.residue == 0
    assert [aged.memory.get(NS, k) is None for k in ("k", "p00002")] == [True, False]
    for column in ("body", "value"):
        found = run_sql(aged.memory, f"SELECT {column} FROM sibling")
        assert not any(b"nobody may read" in bytes(row[0]) for row in found)


def test_a_moment_before_it_is_before_it(aging: Services) -> None:
    """Migrated rows keep their times; a restore to a moment is not taken in by that."""
    clock: Any = aging.clock
    keep(aging.memory, 1)
    aging.take_backup()
    clock.advance(60_000)
    moment = aging.facts().at
    clock.advance(60_000)
    report = migrated(aging)
    clock.advance(60_000)
    aging.take_backup()
    plan = aging.plan_restore(to=moment)
    assert plan.exact, plan.uncertain_names
    aging.apply_restore(plan)
    assert version_at(aging.memory, 1) == "1.0.0"
    [run] = [one for one in aging.migration_history() if one.run == report.run]
    assert run.state == "rolled back"


def test_rolled_back_by_restore(aged: Services) -> None:
    keep(aged.memory, *range(3))
    before = records(aged.memory)
    report = migrated(aged)
    aged.memory.put(NS, "later", 1)
    plan = aged.plan_rollback_restore(report.run)
    assert (plan.manifest, plan.changed, plan.removed) == (report.manifest, 3, 1)
    aged.apply_restore(plan)
    assert records(aged.memory) == before
    assert [one.state for one in aged.migration_history()] == ["rolled back"]


def test_patterns_govern_the_new_bytes(aging: Services) -> None:
    """Policies say how the new text is stored, not how the old one was."""
    keep(aging.memory, 1)
    fine = Policy(pattern=f"{NS}/*", compression=Compression(threshold_bytes=16))
    set_policies(aging.memory, fine)
    assert compile_pattern(fine.pattern).governs(f"{NS}/p00001")
    migrated(aging)
    assert run_sql(aging.memory, "SELECT flags FROM sibling") == [(int(Codec.ZSTD),)]
    assert aging.clock.now_ms() == NOW_MS
