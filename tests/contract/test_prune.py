"""Pruning on every engine: archived first, gone with a ghost, back exactly as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.explain import explain
from memtend.model.plan import Action
from memtend.model.record import Labels
from memtend.services import Services
from tests.fixtures.archives import DAY_MS, archive_everything, cold, value
from tests.fixtures.pruning import EXACT, RULE, plan_of, pruning, whole

NS = "notes/old"


@pytest.fixture
def services(store_url: str, tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    """Whole at the end, whatever was done."""
    with pruning(store_url, tmp_path, clock) as opened:
        yield opened
        opened.memory.flush()
        report = opened.verify_store()
        assert report.ok, report.findings


def fill(services: Services, count: int = 6) -> list[str]:
    """Records of every sort that may be pruned; their paths."""
    labels = Labels(
        kind="pattern", agent="ada", session="s", tags=("a", "b"), importance=0.1, confidence=0.2,
        success_count=1, failure_count=9, extra={"from": "here"},
    )  # fmt: skip
    puts = [Put(NS, f"k{n}", value(n), labels) for n in range(count - 2)]
    long = "worth compressing, " * 200
    puts += [Put(NS, "long", long, labels), Put(NS, "ends", 1, labels, 60 * DAY_MS)]
    services.memory.put_many(puts)
    return [f"{NS}/{put.key}" for put in puts]


def test_what_is_pruned_comes_back_exactly(services: Services, clock: ManualClock) -> None:
    paths, memory = fill(services), services.memory
    archive_everything(services)
    memory.put(NS, "k1", "hot again")
    memory.put(NS, "stays", "beside")
    before, stats = whole(memory, NS), memory.stats()
    assert cold(services) > 0
    for one in before.values():
        one["archived"] = False  # what comes back is here
    clock.advance(DAY_MS)
    report = services.apply_prune(plan_of(services, *paths))
    assert (report.deleted, report.changed_since, report.refused) == (6, 0, 0)
    assert list(whole(memory, NS)) == ["stays"]
    assert memory.stats().records == 1
    clock.advance(DAY_MS)
    undone = services.undo_prune(report.plan)
    assert (undone.written, undone.unchanged) == (6, 0)
    assert whole(memory, NS) == before
    assert {key for _, key, _ in memory.tagged("a")} == set(before) - {"stays"}
    assert memory.stats().agents[0].records == stats.agents[0].records
    undone_at = services.prunings()[0].undone_at
    assert undone_at is not None
    clock.advance(DAY_MS)
    assert services.undo_prune(report.plan).written == 0
    assert services.prunings()[0].undone_at == undone_at


def test_a_plan_applied_twice_is_applied_once(services: Services) -> None:
    plan = plan_of(services, *fill(services)[:3])
    first, second = services.apply_prune(plan), services.apply_prune(plan)
    assert (first.deleted, second.deleted, second.changed_since) == (3, 0, 3)
    [one] = services.prunings()
    assert (one.plan, one.records, one.rules) == (first.plan, 3, {RULE: 3})
    assert one.namespaces == {NS: 3}
    assert [(r.rule, r.pruned, r.missed) for r in services.regrets()] == [(RULE, 3, 0)]


def test_what_changed_since_the_plan_stays(services: Services, clock: ManualClock) -> None:
    """Written, deleted, disputed, read; and what only one of two plans could take."""
    paths, memory = fill(services, 8), services.memory
    plan = plan_of(services, *paths)
    clock.advance(1)
    memory.put(NS, "k0", "newer")
    memory.delete(NS, "k1")
    memory.put(NS, "k2", "beside", ctx={})
    assert memory.get(NS, "k3") == value(3)
    report = services.apply_prune(plan)
    assert (report.deleted, report.changed_since) == (4, 4)
    assert sorted(key for key, _ in memory.scan(NS)) == ["k0", "k2", "k3"]


def test_records_that_say_the_same_are_merged_and_parted(services: Services) -> None:
    memory = services.memory
    memory.put(NS, "a", value(1), labels=Labels(tags=("x",), success_count=2, importance=0.3))
    memory.put(NS, "b", value(1), labels=Labels(tags=("y",), success_count=3, importance=0.6))
    memory.put(NS, "c", value(1), labels=Labels(tags=("z",), success_count=4))
    assert [memory.get(NS, key)["n"] for key in "aabc"] == [1, 1, 1, 1]
    before = whole(memory, NS)
    plan = plan_of(services, into={f"{NS}/b": f"{NS}/a", f"{NS}/c": f"{NS}/a"})
    report = services.apply_prune(plan)
    assert (report.deleted, report.merged) == (2, 2)
    services.apply_prune(plan)
    kept = memory.read(NS, "a")
    assert kept is not None
    assert (kept.labels.tags, kept.labels.success_count) == (("x", "y", "z"), 9)
    assert (kept.labels.importance, kept.access_count) == (0.6, 4)
    assert services.regrets()[0].rule == EXACT
    undone = services.undo_prune(report.plan)
    assert (undone.written, undone.parted) == (2, 1)
    assert whole(memory, NS) == before


def test_undo_leaves_what_somebody_did_since(services: Services, clock: ManualClock) -> None:
    paths, memory = fill(services), services.memory
    memory.put(NS, "m", "same"), memory.put(NS, "n", "same")
    into = {f"{NS}/n": f"{NS}/m"}
    report = services.apply_prune(plan_of(services, *paths, into=into))
    memory.put(NS, "k0", "newer")
    memory.put(NS, "k1", "newer")
    memory.delete(NS, "k1")
    memory.put(NS, "k2", "newer", ttl_ms=1_000)
    memory.put(NS, "m", "other")
    clock.advance(60 * DAY_MS)
    services.apply_sweep(services.plan_sweep())
    undone = services.undo_prune(report.plan)
    assert (undone.written, undone.unchanged, undone.expired, undone.parted) == (3, 3, 1, 0)
    assert memory.get(NS, "k0") == "newer"
    assert sorted(key for key, _ in memory.scan(NS)) == ["k0", "k3", "long", "m", "n"]


def test_a_miss_of_what_was_pruned_is_regretted(services: Services, clock: ManualClock) -> None:
    paths, memory = fill(services), services.memory
    report = services.apply_prune(plan_of(services, *paths[:3]))
    clock.advance(60_000)
    for _ in range(3):
        assert memory.get(NS, "k0") is None
    assert memory.get(NS, "never-there") is None
    [regret] = services.regrets()
    assert (regret.pruned, regret.missed, regret.reads) == (3, 1, 3)
    assert regret.share == pytest.approx(1 / 3)
    told = explain(memory, NS, "k0")
    assert told.state == "gone"
    assert told.pruned is not None
    assert (told.pruned.rule, told.pruned.plan, told.pruned.reads) == (RULE, report.plan, 3)
    assert told.endings[0].why == "pruned"
    # What was deleted on purpose since is not missed for having been pruned.
    memory.put(NS, "k1", "again")
    memory.delete(NS, "k1")
    assert memory.get(NS, "k1") is None
    assert services.regrets() == [regret]
    assert explain(memory, NS, "k1").pruned is None


def test_what_is_only_archived_is_recalled(services: Services) -> None:
    paths = fill(services)
    report = services.apply_prune(plan_of(services, *paths[:3], action=Action.ARCHIVE))
    assert (report.deleted, report.archived, cold(services)) == (0, 3, 3)
    assert services.prunings()[0].archived == 3
    assert services.undo_prune(report.plan).recalled == 3
    assert cold(services) == 0
