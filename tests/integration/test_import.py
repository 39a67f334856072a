"""Importing into a store: whole, once, updated when the source changes, and never over others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.migrate.detect import KINDS, read_source
from memtend.migrate.importing import ImportPlan
from memtend.migrate.items import ImportItem
from memtend.model.policy import Policy, Reading
from memtend.plans import load_plan, save_plan
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.verify import verify_store
from tests.fixtures.stores import set_policies

GOLDEN = Path(__file__).parents[1] / "golden/legacy"
LATER_MS = 1_795_000_000_000


@pytest.fixture
def services(store_url: str, tmp_path: Path) -> Iterator[Services]:
    settings = Settings(plans_url=str(tmp_path / "plans"))
    with open_services(store_url, clock=ManualClock(LATER_MS), settings=settings) as opened:
        yield opened
        report = verify_store(opened.store)
        assert report.ok, report.findings


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / "lifecycle", tmp_path / "source"))


def tree_hash(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in files}


def change(source: Path, name: str, **fields: object) -> None:
    path = source / ".claude-flow/memory" / name
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_the_lifecycle_sample(services: Services, source: Path) -> None:
    plan = services.plan_import(str(source))
    assert services.memory.stats().records == 0
    report = services.apply_import(plan)
    assert (report.planned, report.written, report.refused) == (plan.total, plan.total, 0)
    memory = services.memory
    assert memory.get("plainkey", "plainkey") is not None
    siblings = [
        record.namespace
        for namespace in memory.stats().namespaces
        for key, _ in memory.scan(namespace.name)
        for record in memory.siblings(namespace.name, key)
        if record.conflicts
    ]
    assert len(siblings) == 3
    record = memory.read("plainkey", "plainkey")
    assert record is not None
    lineage = record.labels.extra["import"]
    assert lineage["path"] == ".claude-flow/memory/plainkey.json"
    assert (lineage["kind"], lineage["id"], lineage["run"]) == ("lifecycle", "plainkey", plan.run)


SAMPLES = sorted(
    one.name
    for one in GOLDEN.iterdir()
    if one.is_dir() and any(reader.looks_like(one) for reader in KINDS.values())
)


@pytest.mark.parametrize("name", SAMPLES)
def test_importing_twice_changes_nothing(services: Services, name: str) -> None:
    """Neither does it change the source."""
    root = GOLDEN / name
    hashes = tree_hash(root)
    first = services.apply_import(services.plan_import(str(root)))
    before = services.store.meta()
    again = services.plan_import(str(root))
    assert again.writes == 0
    report = services.apply_import(again)
    assert (report.written, report.unchanged) == (0, first.written + first.unchanged)
    assert services.store.meta() == before._replace(lease_epoch=services.store.meta().lease_epoch)
    assert tree_hash(root) == hashes


def test_a_plan_is_saved_and_applied_twice_and_writes_once(
    services: Services, source: Path
) -> None:
    ref = save_plan(services.plan_import(str(source)), services.settings.plans_url, services.clock)
    plan = load_plan(ref, services.clock, ImportPlan)
    first = services.apply_import(plan)
    counted = services.memory.get("metrics/tasks", "count")
    again = services.apply_import(plan)
    assert services.memory.get("metrics/tasks", "count") == counted
    assert (again.written, again.unchanged) == (0, first.written)


def test_a_changed_source_updates_and_counts_the_difference(
    services: Services, source: Path
) -> None:
    counters = Policy(pattern="metrics/**", reading=Reading.COUNTER)
    set_policies(services.memory, counters)
    services.apply_import(services.plan_import(str(source)))
    count = services.memory.get("metrics/tasks", "count")
    services.memory.increment("metrics/tasks", "count", 100)
    for more in (5, 0, 5, 0):  # forth and back: each time only what the source says now
        change(source, "metrics_tasks_count.json", value=count + more)
        plan = services.plan_import(str(source))
        assert (plan.writes, services.apply_import(plan).written) == (1, 1)
        assert services.memory.get("metrics/tasks", "count") == count + 100 + more
    change(source, "plainkey.json", value="changed")
    assert services.apply_import(services.plan_import(str(source))).written == 1
    assert services.memory.get("plainkey", "plainkey") == "changed"


def test_what_changed_in_the_source_since_the_review_is_not_written(
    services: Services, source: Path
) -> None:
    plan = services.plan_import(str(source))
    change(source, "plainkey.json", value="changed")
    report = services.apply_import(plan)
    assert (report.written, report.changed_since) == (plan.writes - 1, 1)
    assert services.memory.get("plainkey", "plainkey") is None


def test_what_somebody_wrote_or_changed_is_kept(services: Services, source: Path) -> None:
    services.memory.put("plainkey", "plainkey", "mine")
    plan = services.plan_import(str(source))
    assert plan.refused == 1
    report = services.apply_import(plan)
    assert (report.refused, report.written) == (1, plan.total - 1)
    services.memory.delete("plainkey", "plainkey")
    [item] = [one for one in items(source) if one.source.path.endswith("swarm_shared_tasks.json")]
    services.memory.put(item.namespace, item.key, "edited")
    change(source, "swarm_shared_tasks.json", value="changed")
    plan = services.plan_import(str(source))
    assert sorted(one.reason for one in plan.refusals) == [
        "it was deleted here, and the source has not changed since",
        "the source has changed, but the record was changed here",
    ]
    assert services.apply_import(plan).refused == 2
    assert services.memory.get(item.namespace, item.key) == "edited"


def items(source: Path) -> list[ImportItem]:
    return [one for one in read_source(source) if isinstance(one, ImportItem)]


def test_what_somebody_writes_while_it_is_imported_is_kept(
    services: Services, source: Path
) -> None:
    plan = services.plan_import(str(source))
    services.memory.put("plainkey", "plainkey", "between plan and deed")
    report = services.apply_import(plan)
    assert (report.refused, report.written) == (1, plan.writes - 1)
    assert services.memory.get("plainkey", "plainkey") == "between plan and deed"
    assert services.memory.siblings("plainkey", "plainkey")[0].conflicts == 0


def test_what_cannot_be_read_is_copied_and_listed(
    services: Services, source: Path, tmp_path: Path
) -> None:
    assert services.apply_import(services.plan_import(str(source))).quarantine_url is None
    (source / ".claude-flow/memory/bad.json").write_bytes(b"\xff not json")
    plan = services.plan_import(str(source))
    for url in (None, str(tmp_path / "bad"), str(tmp_path / "bad")):
        report = services.apply_import(plan, quarantine_url=url)
        assert (report.quarantined, report.refused) == (1, 0)
        folder = Path(report.quarantine_url or "")
        assert folder == tmp_path / (url or f"plans/quarantine-{plan.run}")
        [found] = json.loads((folder / "index-1.json").read_text())["found"]
        assert found["path"].endswith("bad.json")
        assert (folder / found["sha256"]).read_bytes() == b"\xff not json"
        assert not list(folder.glob("index-1-*"))
    assert any("quarantined" in note and "bad.json" in note for note in report.notes)


def test_a_counter_that_has_expired_here_comes_again_with_its_whole_total(
    services: Services, source: Path
) -> None:
    clock = services.clock
    assert isinstance(clock, ManualClock)
    set_policies(
        services.memory, Policy(pattern="metrics/**", reading=Reading.COUNTER, ttl_ms=1_000)
    )
    file = "metrics_tasks_count.json"
    change(source, file, value=10, timestamp=clock.now_ms() / 1_000)
    services.apply_import(services.plan_import(str(source)))
    clock.advance(5_000)
    assert services.memory.get("metrics/tasks", "count") is None
    change(source, file, value=12, timestamp=clock.now_ms() / 1_000)
    services.apply_import(services.plan_import(str(source)))
    assert services.memory.get("metrics/tasks", "count") == 12
