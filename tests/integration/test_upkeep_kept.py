"""Small tables of upkeep and learning: what travels with a backup, what a restore leaves be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from memtend.clock import ManualClock
from memtend.services import open_services
from memtend.serving.fresh import apply_fresh, plan_fresh
from memtend.settings import Settings
from memtend.store import upkeep
from memtend.store.store import Store

HOUR = ManualClock().now_ms() // 3_600_000
ROWS: dict[str, list[tuple[Any, ...]]] = {
    "access_log": [(-(2**60), 65_536, 5, 1, 900, 4)],
    "alert": [("a1", "disk", "store", "error", "open", "{}", 1, 2, None)],
    "ghost": [("notes", -(2**60), "unused", "p" * 64, 5, 0, None)],
    "model": [
        ("m1", "build", "strategy", "active", 5, 6, None, "0.1.0", 0, 9, 1, 2, "[]", "", "{}"),
    ],
    "metric": [("records", 7, 3.25), ("records", 8, 4.0)],
    "pruning": [("p" * 64, 5, 1, 900, 3, None, "{}")],
    "regret": [("unused", "notes", 1, 0, 0)],
    "silence": [("s1", "disk", 99, "{}")],
    "trial": [("t1", "notes", "running", "{}", 5, None)],
}


def fill(store: Store) -> None:
    with store.engine.write() as tx:
        for table, rows in ROWS.items():
            upkeep.save(tx, table, rows)
        for _ in range(2):
            tx.run("save_latency", (HOUR, "get", "hot", 80, 10))


def found(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.engine.snapshot() as reader:
        held = upkeep.held(reader)
    return {table: [tuple(row) for row in rows] for table, rows in held.items()}


def test_a_restore_leaves_it_be(store_url: str, clock: ManualClock, tmp_path: Path) -> None:
    settings = Settings(backup_url=f"{tmp_path}/backups")
    with open_services(store_url, settings=settings, clock=clock) as services:
        services.memory.put("notes", "k", 1)
        services.take_backup()
        fill(services.store)
        services.memory.flush()
        before = found(services.store)
        assert (HOUR, "get", "hot", 80, 20) in before["latency"]
        services.apply_restore(services.plan_restore())
        assert found(services.store) == before
        assert services.verify_store().ok


def test_what_people_were_told_travels(
    lasting_url: str, clock: ManualClock, tmp_path: Path
) -> None:
    settings = Settings(backup_url=f"{tmp_path}/backups")
    with open_services(f"{tmp_path}/first.db", settings=settings, clock=clock) as services:
        services.memory.put("notes", "k", 1)
        fill(services.store)
        services.take_backup()
    apply_fresh(plan_fresh(settings, clock), lasting_url, settings, clock)
    with open_services(lasting_url, settings=settings, clock=clock) as services:
        held = found(services.store)
        assert {table for table, rows in held.items() if rows} == set(upkeep.TRAVELLING)
        for table in upkeep.TRAVELLING:
            assert [row[:-1] for row in held[table]] == ROWS[table]
        assert services.verify_store().ok


def test_a_changed_row_is_damage(store_url: str, clock: ManualClock) -> None:
    with open_services(store_url, clock=clock) as services:
        fill(services.store)
        with services.store.engine.write() as tx:
            tx.run("save_regret", ("unused", "notes", 1, 1, 1, 7))
        [finding] = services.verify_store().findings
        assert finding.where == "regret"
