"""Flows run for real: on a Prefect server, against a store on disk."""

from __future__ import annotations

from memtend.memory import Memory
from memtend.store.snapshot import snapshot
from memtend_flows.backup import backup
from memtend_flows.health import health
from memtend_flows.sweep import sweep
from memtend_flows.tend import tend
from memtend_flows.verify import verify
from memtend_tasks.address import to_address
from memtend_tasks.publish import BACKUP_COMPLETED
from tests.flows.scratch import DEAD, LIVE, Scratch, records
from tests.flows.seen import events, pages, run_names

STEPS = [
    "backup", "archive", "sweep", "prune", "optimize", "verify", "drill", "older versions",
    "trials", "rotate", "health", "report",
]  # fmt: skip


def content(store: str) -> list[object]:
    with Memory.open(store, create=False) as memory, snapshot(memory.store) as view:
        return list(view.rows())


def test_a_dry_run_shows_the_plan_and_changes_nothing(scratch: Scratch) -> None:
    before = content(scratch.store)
    report = sweep(scratch.store)
    assert not report.applied
    assert report.planned == DEAD
    assert content(scratch.store) == before
    page = pages(f"sweep-plan-{to_address(scratch.store).label}")[0]
    assert f"Deletes **{DEAD:,} of {LIVE + DEAD:,}** records" in page


def test_a_sweep_deletes_what_its_plan_names(scratch: Scratch) -> None:
    report = sweep(scratch.store, dry_run=False)
    assert (report.applied, report.deleted) == (True, DEAD)
    assert records(scratch.store) == LIVE
    label = to_address(scratch.store).label
    decisions = pages(f"sweep-decisions-{label}")[0]
    assert all(f'"d{n}"' in decisions for n in range(DEAD))
    assert pages(f"sweep-report-{label}")


def test_a_second_sweep_finds_nothing(scratch: Scratch) -> None:
    sweep(scratch.store, dry_run=False)
    assert sweep(scratch.store, dry_run=False).deleted == 0
    assert records(scratch.store) == LIVE


def test_a_backup_is_read_back_and_announced(scratch: Scratch) -> None:
    backup(scratch.store, scratch.target, "test")
    label = to_address(scratch.store).label
    assert pages(f"backup-report-{label}")
    assert events(BACKUP_COMPLETED, f"memtend.store.{label}")


def test_verify_and_health_change_nothing(scratch: Scratch) -> None:
    before = content(scratch.store)
    verify(scratch.store)
    health(scratch.store, scratch.target)
    assert content(scratch.store) == before


def test_the_cycle_runs_whole(scratch: Scratch) -> None:
    done = tend(scratch.store, scratch.target, dry_run=False)
    assert list(done) == STEPS
    assert records(scratch.store) == LIVE
    label = to_address(scratch.store).label
    assert "| prune | Completed |" in pages(f"tend-report-{label}")[0]
    assert float(pages(f"tend-progress-{label}")[0]) == 100


def test_a_run_is_named_after_what_it_does(scratch: Scratch) -> None:
    sweep(scratch.store)
    sweep(scratch.store, dry_run=False)
    label = to_address(scratch.store).label
    assert run_names() >= {f"sweep {label}", f"sweep {label} (dry run)"}
