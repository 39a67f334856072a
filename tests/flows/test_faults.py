"""Flows that meet trouble: they say so, they say what to do, and nothing is done twice."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from prefect import State

from memtend.limits import SWEEP_ROWS_FREE
from memtend.memory import Memory
from memtend.model.names import MAINTENANCE
from memtend.model.plan import PlanRef
from memtend.store import leases
from memtend_flows.backup import backup
from memtend_flows.health import health
from memtend_flows.sweep import sweep
from memtend_flows.tend import tend
from memtend_flows.verify import verify
from memtend_tasks.address import Address, to_address
from memtend_tasks.publish import BACKUP_COMPLETED, STORE_UNHEALTHY, Published, publish_plan
from tests.flows.scratch import DEAD, LIVE, Scratch, fill, records
from tests.flows.seen import events, task_attempts

SHORT_MS, LONG_MS = 5_000, 900_000


def test_a_refused_plan_fails_with_its_hint_and_changes_nothing(scratch: Scratch) -> None:
    """The brake: more than a quarter of the store, and more than a handful."""
    fill(scratch.store, live=0, dead=SWEEP_ROWS_FREE + 1)
    before = records(scratch.store)
    state: State[Any] = sweep(scratch.store, dry_run=False, return_state=True)
    assert state.is_failed()
    assert "DeletesTooMuch" in str(state.message)
    assert "HINT: Read the plan" in str(state.message)
    assert records(scratch.store) == before


@pytest.mark.usefixtures("impatient")
def test_a_failed_cycle_is_repeated_without_doubling(scratch: Scratch) -> None:
    """A file where the backups should go: sweep still runs; afterwards one run makes it whole."""
    target = Path(scratch.target)
    target.write_text("in the way")
    state: State[Any] = tend(scratch.store, scratch.target, dry_run=False, return_state=True)
    assert state.is_failed()
    assert "backup" in str(state.message)
    assert records(scratch.store) == LIVE
    target.unlink()
    done = tend(scratch.store, scratch.target, dry_run=False)
    assert done["sweep"].model_dump()["deleted"] == 0
    assert records(scratch.store) == LIVE


def test_a_store_that_is_not_there_is_not_made(prefect: None, tmp_path: Path) -> None:
    """A slip of the pen in a form makes no empty store."""
    state: State[Any] = health(str(tmp_path / "no.db"), str(tmp_path), return_state=True)
    assert state.is_failed()
    assert "HINT: Create it with `memtend init`" in str(state.message)
    assert not (tmp_path / "no.db").exists()


def test_a_held_lease_is_waited_for(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease of a dead worker runs out, and that costs no attempt."""

    def publish_and_hold(address: Address, ref: PlanRef) -> Published:
        with Memory.open(scratch.store) as memory:
            leases.acquire(memory.store, MAINTENANCE, "a worker that died", SHORT_MS)
        return publish_plan(address, ref)

    # Taken as late as can be: however slow the machine, the attempt meets it.
    monkeypatch.setattr("memtend_flows.sweep.publish_plan", publish_and_hold)
    assert sweep(scratch.store, dry_run=False).deleted == DEAD
    assert task_attempts("apply sweep plan", scratch.store) == 1


def test_a_lease_of_somebody_who_goes_on_is_told_and_not_waited_for_again(
    scratch: Scratch,
) -> None:
    with Memory.open(scratch.store) as memory:
        leases.acquire(memory.store, MAINTENANCE, "a worker that lives", LONG_MS)
    state: State[Any] = sweep(scratch.store, dry_run=False, return_state=True)
    assert "a worker that lives" in str(state.message)
    assert task_attempts("apply sweep plan", scratch.store) == 1


def test_a_refusal_is_not_retried(scratch: Scratch) -> None:
    fill(scratch.store, live=0, dead=SWEEP_ROWS_FREE + 1)
    sweep(scratch.store, dry_run=False, return_state=True)
    assert task_attempts("apply sweep plan", scratch.store) == 1


def test_damage_in_the_store_fails_and_is_announced(scratch: Scratch) -> None:
    with sqlite3.connect(scratch.store) as connection:
        connection.execute("UPDATE sibling SET value = x'00' WHERE rowid = 7")
    connection.close()
    state: State[Any] = verify(scratch.store, return_state=True)
    assert state.is_failed()
    assert "NotWhole" in str(state.message)
    assert events(STORE_UNHEALTHY, resource(scratch))


def test_damage_in_an_older_backup_fails_but_the_new_one_counts(scratch: Scratch) -> None:
    backup(scratch.store, scratch.target)
    spoil(scratch.target)
    sweep(scratch.store, dry_run=False)
    state: State[Any] = backup(scratch.store, scratch.target, return_state=True)
    assert state.is_failed()
    assert "NotWhole" in str(state.message)
    kinds = [event["payload"]["kind"] for event in events(BACKUP_COMPLETED, resource(scratch), 2)]
    assert kinds == ["full", "full"], "nothing builds on what is damaged"


def test_a_store_without_a_backup_is_unhealthy(scratch: Scratch) -> None:
    assert not health(scratch.store, scratch.target).healthy
    assert events(STORE_UNHEALTHY, resource(scratch))


def resource(scratch: Scratch) -> str:
    return f"memtend.store.{to_address(scratch.store).label}"


def spoil(target: str) -> None:
    """Cut the last byte off every object."""
    for path in (Path(target) / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(path.read_bytes()[:-1])
