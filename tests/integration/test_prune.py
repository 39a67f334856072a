"""Pruning beside everything else: approval, erasure, the archive's index, replicas, damage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import NoArchive, PlanForeign, PlanUnknown, PruneForgotten, PruneUnapproved
from memtend.limits import ARCHIVE_KEEP_MS
from memtend.limits_upkeep import GHOST_KEEP_MS
from memtend.model.policyfile import PolicyFile
from memtend.model.record import Labels
from memtend.model.subject import Subject
from memtend.plans import load_plan, save_plan
from memtend.prune.plan import PrunePlan
from memtend.services import Services
from tests.fixtures.archives import DAY_MS, archive_everything, serving, value
from tests.fixtures.pruning import plan_of, pruning, whole
from tests.fixtures.stores import run_sql
from tests.fixtures.syncing import agree, party

NS = "notes/old"


@pytest.fixture
def services(tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    with pruning("sqlite://", tmp_path, clock) as opened:
        yield opened


def fill(services: Services, count: int, namespace: str = NS) -> list[str]:
    labels = Labels(kind="pattern", agent="ada", tags=("t",))
    services.memory.put_many([Put(namespace, f"k{n:04}", value(n), labels) for n in range(count)])
    return [f"{namespace}/k{n:04}" for n in range(count)]


def test_more_than_a_share_of_a_day_needs_approval(services: Services, clock: ManualClock) -> None:
    """Of few records ten, of many one percent; what went within a day counts, unless it is back."""
    paths = fill(services, 2_000) + fill(services, 30, "few")
    assert services.prune_excess(plan_of(services, *paths[:20], *paths[2_000:2_010])) == ()
    for taken in (paths[:21], paths[2_000:2_011]):
        plan = plan_of(services, *taken)
        with pytest.raises(PruneUnapproved) as caught:
            services.apply_prune(plan)
        [excess] = services.prune_excess(plan)
        assert caught.value.facts == excess.model_dump()
        assert (excess.planned, excess.allowed) == (len(taken), len(taken) - 1)
    first = services.apply_prune(plan_of(services, *paths[:15]))
    with pytest.raises(PruneUnapproved):
        services.apply_prune(plan_of(services, *paths[15:21]))
    assert services.apply_prune(plan_of(services, *paths[15:20])).deleted == 5
    assert services.apply_prune(plan_of(services, *paths[20:30]), approved=True).deleted == 10
    assert [one.approved for one in services.prunings()].count(True) == 1
    services.undo_prune(first.plan)
    assert services.apply_prune(plan_of(services, *paths[:5])).deleted == 5
    clock.advance(DAY_MS + 1)
    assert services.apply_prune(plan_of(services, *paths[30:49])).deleted == 19


def test_ten_records_are_free_in_few_namespaces_only(services: Services) -> None:
    """Ten here and ten there would be the whole store; several small plans are one large one."""
    paths = [fill(services, 10, f"agents/{n:02}") for n in range(11)]
    every = [path for some in paths for path in some]
    with pytest.raises(PruneUnapproved):
        services.apply_prune(plan_of(services, *every))
    assert services.apply_prune(plan_of(services, *every[:100])).deleted == 100
    with pytest.raises(PruneUnapproved):
        services.apply_prune(plan_of(services, every[100]))
    assert services.apply_prune(plan_of(services, every[100]), approved=True).deleted == 1


def test_the_guard_goes_by_the_store_and_not_by_what_a_plan_says(services: Services) -> None:
    fill(services, 2_000, "large")
    plan = plan_of(services, *fill(services, 11, "small"))
    moved = [one.model_copy(update={"namespace": "large"}) for one in plan.decisions]
    with pytest.raises(PruneUnapproved):
        services.apply_prune(plan.model_copy(update={"decisions": tuple(moved)}))


def test_what_was_reviewed_is_what_is_undone(services: Services) -> None:
    """The digest of a saved plan is the one by which it is taken back."""
    plan = plan_of(services, *fill(services, 3))
    ref = save_plan(plan, services.settings.plans_url, services.clock)
    report = services.apply_prune(load_plan(ref, services.clock, PrunePlan))
    assert report.plan == ref.sha256
    assert services.undo_prune(ref.sha256).written == 3


def test_what_is_left_of_a_plan_needs_no_new_approval(services: Services) -> None:
    plan = plan_of(services, *fill(services, 8))
    services.memory.put(NS, "k0000", "changed")
    assert services.apply_prune(plan).deleted == 7
    assert services.prune_excess(plan) == ()
    assert services.apply_prune(plan).deleted == 0


def test_an_empty_plan_makes_no_archive(services: Services, tmp_path: Path) -> None:
    fill(services, 3)
    assert services.apply_prune(plan_of(services)).deleted == 0
    assert services.prunings() == []
    assert not (tmp_path / "archive").exists()
    with pytest.raises(PlanUnknown):
        services.undo_prune("0" * 64)


def test_a_plan_of_another_store_is_refused(services: Services) -> None:
    plan = plan_of(services, *fill(services, 3))
    with pytest.raises(PlanForeign):
        services.apply_prune(plan.model_copy(update={"store_id": "another"}))


def test_a_plan_is_found_by_the_beginning_of_its_digest(services: Services) -> None:
    report = services.apply_prune(plan_of(services, *fill(services, 3)))
    with pytest.raises(PlanUnknown):
        services.undo_prune(report.plan[:7])
    assert services.undo_prune(report.plan[:8]).written == 3


def test_it_is_forgotten_when_the_archive_lets_go(services: Services, clock: ManualClock) -> None:
    report = services.apply_prune(plan_of(services, *fill(services, 3)))
    services.compact_archive()
    clock.advance(ARCHIVE_KEEP_MS - 1)
    assert services.compact_archive().removed == 0
    clock.advance(1)
    assert services.compact_archive().removed == 1
    with pytest.raises(PruneForgotten):
        services.undo_prune(report.plan)


def test_ghosts_stay_for_their_time(services: Services, clock: ManualClock) -> None:
    services.apply_prune(plan_of(services, *fill(services, 3)))
    clock.advance(GHOST_KEEP_MS)
    services.apply_prune(plan_of(services))
    assert services.memory.get(NS, "k0001") is None
    assert [one.missed for one in services.regrets()] == [1]
    clock.advance(1)
    services.apply_sweep(services.plan_sweep())
    assert services.memory.get(NS, "k0002") is None
    assert [one.missed for one in services.regrets()] == [1]


def test_what_was_missed_and_came_back_is_shielded(services: Services, clock: ManualClock) -> None:
    paths = fill(services, 2)
    report = services.apply_prune(plan_of(services, *paths))
    assert services.memory.get(NS, "k0000") is None
    services.undo_prune(report.plan)
    clock.advance(400 * DAY_MS)
    plan = services.plan_prune(["time"])
    assert [one.key for one in plan.decisions] == ["k0001"]
    assert plan.shielded == {"missed-before": 1}


def test_the_index_of_the_archive_brings_nothing_pruned_back(
    services: Services, clock: ManualClock, tmp_path: Path
) -> None:
    """Not here, and not into a store that knows nothing of the prune."""
    paths = fill(services, 6)
    archive_everything(services)
    services.apply_prune(plan_of(services, *paths[:4]))
    assert services.reindex_archive().written == 0
    with serving("sqlite://", str(tmp_path / "archive"), clock) as fresh:
        assert fresh.reindex_archive().written == 2
        assert list(whole(fresh.memory, NS)) == ["k0004", "k0005"]


@pytest.mark.parametrize("what", ["record", "namespace", "agent"])
def test_what_is_erased_leaves_no_ghost_and_never_returns(services: Services, what: str) -> None:
    report = services.apply_prune(plan_of(services, *fill(services, 3)))
    subject = {
        "record": Subject.of_record(NS, "k0001"),
        "namespace": Subject.of_namespace("notes"),
        "agent": Subject.of_agent("ada"),
    }[what]
    erased = services.apply_erase(services.plan_erase(subject))
    assert erased.residue == 0, erased
    left = {"record": 2, "namespace": 0, "agent": 0}[what]
    assert run_sql(services.memory, "SELECT count(*) FROM ghost") == [(left,)]
    assert services.memory.get(NS, "k0001") is None
    assert [one.missed for one in services.regrets()] == ([0] if left else [])
    if what == "namespace":
        assert services.prunings()[0].namespaces == {}
    if left:
        assert services.undo_prune(report.plan).written == left
    else:
        with pytest.raises(PruneForgotten):
            services.undo_prune(report.plan)
    assert "k0001" not in whole(services.memory, NS)


def test_a_damaged_record_is_not_pruned(services: Services) -> None:
    paths = fill(services, 3)
    plan = plan_of(services, *paths)
    run_sql(services.memory, "UPDATE sibling SET value = X'00' WHERE key = 'k0001'")
    report = services.apply_prune(plan)
    assert (report.deleted, report.refused, report.changed_since) == (2, 1, 0)
    assert report.unreadable[0].startswith(f"{NS}/k0001")


def test_hundreds_of_copies_are_merged_in_steps(services: Services) -> None:
    labels = Labels(success_count=1)
    services.memory.put_many([Put(NS, f"c{n:03}", value(7), labels) for n in range(600)])
    before = whole(services.memory, NS)
    plan = plan_of(services, into={f"{NS}/c{n:03}": f"{NS}/c000" for n in range(1, 600)})
    report = services.apply_prune(plan, approved=True)
    assert (report.merged, report.changed_since) == (599, 0)
    kept = services.memory.read(NS, "c000")
    assert kept is not None
    assert kept.labels.success_count == 600
    assert services.undo_prune(report.plan).written == 599
    assert whole(services.memory, NS) == before
    assert services.verify_store().ok


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_merges_are_parted_in_any_order(services: Services, order: tuple[int, int]) -> None:
    """A later prune merges more into the same record; whichever is undone first, the sum stays."""
    memory, counts = services.memory, {"a": 2, "b": 3, "c": 3}
    for key in "ab":
        memory.put(NS, key, value(7), labels=Labels(success_count=counts[key]))
    first = services.apply_prune(plan_of(services, into={f"{NS}/b": f"{NS}/a"}))
    memory.put(NS, "c", value(7), labels=Labels(success_count=3))
    second = services.apply_prune(plan_of(services, into={f"{NS}/c": f"{NS}/a"}))
    plans = (first.plan, second.plan)
    for plan in (plans[number] for number in order):
        services.undo_prune(plan)
        found = whole(memory, NS).values()
        assert sum(one["labels"]["success_count"] for one in found) == 8
    assert {k: one["labels"]["success_count"] for k, one in whole(memory, NS).items()} == counts
    assert services.verify_store().ok


def test_counts_are_taken_off_what_was_written_since(services: Services) -> None:
    memory = services.memory
    for key, count in (("a", 2), ("b", 3)):
        memory.put(NS, key, value(7), labels=Labels(success_count=count))
    report = services.apply_prune(plan_of(services, into={f"{NS}/b": f"{NS}/a"}))
    memory.put(NS, "a", "other", labels=Labels(success_count=6))  # one more than both
    services.undo_prune(report.plan)
    after = whole(memory, NS)
    assert [after[key]["labels"]["success_count"] for key in "ab"] == [3, 3]
    assert [after[key]["value"] for key in "ab"] == ["other", value(7)]


def test_a_rule_of_the_policy_file_finds_copies(services: Services, clock: ManualClock) -> None:
    services.memory.put_many([Put(NS, f"c{n}", value(7)) for n in range(3)])
    file = PolicyFile(pruning={"settle_ms": 0, "strategies": ("redundancy",)})
    services.memory.config.set_policies(file, "operator")
    plan = services.plan_prune()
    assert [(one.rule, one.key) for one in plan.decisions] == [
        ("redundancy.exact", "c1"), ("redundancy.exact", "c2"),
    ]  # fmt: skip
    assert services.apply_prune(plan).merged == 2
    assert services.plan_prune().decisions == ()


def test_peers_hear_of_a_prune_and_of_its_undo(
    services: Services, clock: ManualClock, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    with pruning(url, tmp_path, clock) as a, party(f"{tmp_path}/b.db", clock, tmp_path) as b:
        paths = fill(a, 5)
        a.sync(b.store.url)
        before = whole(b.memory, NS)
        report = a.apply_prune(plan_of(a, *paths[:4]))
        b.memory.put(NS, "k0000", "meanwhile")
        a.sync(b.store.url)
        agree([a, b])
        assert sorted(whole(b.memory, NS)) == ["k0000", "k0004"]
        undone = a.undo_prune(report.plan)
        assert (undone.written, undone.unchanged) == (3, 1)
        a.sync(b.store.url)
        agree([a, b])
        after = whole(b.memory, NS)
        assert after.pop("k0000")["value"] == "meanwhile"
        before.pop("k0000")
        assert after == before


def test_there_is_nothing_to_undo_without_an_archive(services: Services) -> None:
    fill(services, 1)
    with pytest.raises(PlanUnknown):
        services.undo_prune("a" * 64)
    with pytest.raises(NoArchive):
        services.archive_runs()
