"""Health, report and alerts run for real: what they show, what they tell, what they keep."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from memtend.optimize.plan import StepName
from memtend.services import open_services
from memtend.store.snapshot import snapshot
from memtend_flows.backup import backup
from memtend_flows.health import health
from memtend_flows.optimize import optimize
from memtend_flows.parameters import Step
from memtend_flows.report import report
from memtend_tasks.address import to_address
from tests.flows.answering import digest
from tests.flows.scratch import DEAD, LIVE, Scratch
from tests.flows.seen import events, pages


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEMTEND_REPORT_URL", str(tmp_path / "reports"))
    monkeypatch.setenv("MEMTEND_REPORT_LINK", "https://memory.example/reports/")
    return tmp_path / "reports"


def test_health_shows_its_score_what_takes_off_it_and_who_is_told(
    scratch: Scratch, reports: Path
) -> None:
    """A store without a backup: an alert opens, and ends when there is one."""
    found = health(scratch.store, scratch.target)
    label = to_address(scratch.store).label
    page = pages(f"health-report-{label}")[0]
    assert f"**Score {found.score} of 100.**" in page
    assert "backup -" in page
    assert "| critical | health.backup |" in page
    assert f"| records | {LIVE + DEAD} |" in page
    assert "health.backup" in pages(f"alerts-{label}")[0]
    assert "https://memory.example/reports/" in pages(f"report-link-{label}")[0]
    opened = events("memtend.alert.opened", f"memtend.store.{label}")
    assert "health.backup" in {event["payload"]["rule"] for event in opened}
    backup(scratch.store, scratch.target)
    better = health(scratch.store, scratch.target)
    assert better.score > found.score
    assert events("memtend.alert.resolved", f"memtend.store.{label}")
    with open_services(scratch.store) as services:
        [scores] = services.figure_history("memtend_health_score").values()
        assert [score for _, score in scores] == [found.score, better.score]


def test_the_report_is_one_file_for_each_store(scratch: Scratch, reports: Path) -> None:
    written = report(scratch.store, scratch.target)
    label = to_address(scratch.store).label
    [file] = reports.iterdir()
    assert file.name == f"{label}.html"
    assert file.stat().st_size == written.bytes
    assert str(file) in pages(f"report-{label}")[0]
    assert f"reports/{label}.html" in pages(f"report-link-{label}")[0]


def test_an_optimization_weighs_its_steps_and_changes_no_record(scratch: Scratch) -> None:
    with sqlite3.connect(scratch.store) as connection:
        connection.execute("ANALYZE")  # by somebody else: it leads the planner astray
    connection.close()
    before = contents(scratch.store)
    assert optimize(scratch.store).model_dump()["planned"] == 1
    label = to_address(scratch.store).label
    plan = pages(f"optimize-plan-{label}")[0]
    assert "**1 of 6** steps are worth it" in plan
    assert "| statistics | yes |" in plan
    assert "| garbage | no |" in plan
    report = optimize(scratch.store, reviewed=digest(scratch, "optimize"), dry_run=False)
    assert report.applied
    assert "| statistics |" in pages(f"optimize-report-{label}")[0]
    assert optimize(scratch.store, step=Step.STATISTICS, dry_run=False).planned == 0
    assert contents(scratch.store) == before
    assert [one.value for one in Step] == ["routine", *StepName]


def contents(store: str) -> list[object]:
    with open_services(store) as services, snapshot(services.store) as view:
        return list(view.rows())
