"""Importing into a store: whole, once, updated when the source changes, and never over others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.services import Services, open_services
from memtend.store.verify import verify_store

GOLDEN = Path(__file__).parents[1] / "golden/legacy"
LATER_MS = 1_795_000_000_000


@pytest.fixture
def services(store_url: str) -> Iterator[Services]:
    with open_services(store_url, clock=ManualClock(LATER_MS)) as opened:
        yield opened
        report = verify_store(opened.store)
        assert report.ok, report.findings


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / "lifecycle", tmp_path / "source"))


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


@pytest.mark.parametrize("name", ["lifecycle", "aml-1.0.0", "aml-2.0.0"])
def test_importing_twice_changes_nothing(services: Services, name: str) -> None:
    first = services.apply_import(services.plan_import(str(GOLDEN / name)))
    assert first.written > 0
    before = services.store.meta().seq
    again = services.plan_import(str(GOLDEN / name))
    assert again.to_write() == {}
    report = services.apply_import(again)
    assert (report.written, report.unchanged) == (0, first.planned + first.unchanged)
    assert services.store.meta().seq == before


def test_a_plan_applied_twice_writes_once(services: Services, source: Path) -> None:
    plan = services.plan_import(str(source))
    services.apply_import(plan)
    counted = services.memory.get("metrics/tasks", "count")
    services.apply_import(plan)
    assert services.memory.get("metrics/tasks", "count") == counted


def test_a_changed_source_updates(services: Services, source: Path) -> None:
    services.apply_import(services.plan_import(str(source)))
    folder = source / ".claude-flow/memory"
    [(key, count)] = services.memory.scan("metrics/tasks")
    counter = folder / "metrics_tasks_count.json"
    counter.write_text(json.dumps(json.loads(counter.read_text()) | {"value": count + 5}))
    plain = folder / "plainkey.json"
    plain.write_text(plain.read_text().replace("no namespace", "changed"))
    plan = services.plan_import(str(source))
    assert len(plan.to_write()) == 2
    assert services.apply_import(plan).written == 2
    assert services.memory.get("metrics/tasks", key) == count + 5
    assert "changed" in json.dumps(services.memory.get("plainkey", "plainkey"))


def test_what_somebody_wrote_is_kept(services: Services, source: Path) -> None:
    services.memory.put("plainkey", "plainkey", "mine")
    report = services.apply_import(services.plan_import(str(source)))
    assert services.memory.get("plainkey", "plainkey") == "mine"
    assert report.unchanged == 1


def test_what_cannot_be_read_is_reported(services: Services, source: Path) -> None:
    (source / ".claude-flow/memory/bad.json").write_bytes(b"\xff not json")
    report = services.apply_import(services.plan_import(str(source)))
    assert report.refused == 1
    assert any("quarantined" in note and "bad.json" in note for note in report.notes)
