"""A drill from the form: its evidence, its events, and what hangs on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import State

from memtend_flows.backup import backup
from memtend_flows.drill import drill
from memtend_flows.health import health
from memtend_flows.tend import tend
from memtend_tasks.address import to_address
from memtend_tasks.publish import DRILL_COMPLETED, DRILL_FAILED
from tests.flows.scratch import DEAD, LIVE, Scratch
from tests.flows.seen import events, pages


def test_a_drill_publishes_its_evidence(scratch: Scratch) -> None:
    backup(scratch.store, scratch.target)
    report = drill(scratch.store, scratch.target)
    assert report.rows == LIVE + DEAD
    label = to_address(scratch.store).label
    page = pages(f"drill-report-{label}")[0]
    assert all(f"| ✓ | {check.name} |" in page for check in report.checks)
    assert events(DRILL_COMPLETED, f"memtend.store.{label}")
    found = {check.name: check.fact for check in health(scratch.store, scratch.target).checks}
    assert "last good drill" in found["drill"]


def test_a_drill_that_fails_says_what_and_is_announced(scratch: Scratch) -> None:
    backup(scratch.store, scratch.target)
    flip(scratch.target)
    state: State[Any] = drill(scratch.store, scratch.target, return_state=True)
    assert state.is_failed()
    assert "DrillFailed" in str(state.message)
    label = to_address(scratch.store).label
    assert "✗ FAILED" in pages(f"drill-report-{label}")[0]
    assert events(DRILL_FAILED, f"memtend.store.{label}")


def test_no_backup_is_dropped_unless_the_newest_is_proved(scratch: Scratch) -> None:
    """The drill fails, so that the cycle's rotation only previews."""
    backup(scratch.store, scratch.target)
    flip(scratch.target)
    state: State[Any] = tend(scratch.store, scratch.target, dry_run=False, return_state=True)
    assert state.is_failed()
    assert "drill of" in str(state.message)
    page = pages(f"tend-report-{to_address(scratch.store).label}")[0]
    assert "backups would be dropped; nothing was" in page


def flip(target: str) -> None:
    """Change one bit in every object; their sizes stay."""
    for path in (Path(target) / "objects").rglob("*"):
        if path.is_file():
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.chmod(0o600)
            path.write_bytes(bytes(data))
