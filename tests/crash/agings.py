"""Migrations that are interrupted: old values written, moved forward, taken back, moved again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import memtend.migrate.apply
from memtend.drafting import Put
from memtend.model.record import Labels
from memtend.services import Services
from memtend.upcast.family import AML
from tests.fixtures.aging import item

AGED = "aged"
COUNT = 20
# Several slices for a few records: each is a transaction that the crash may come between.
memtend.migrate.apply._FIRST_ROWS = 2  # type: ignore[misc]


def old_values() -> dict[str, Any]:
    return {f"{AGED} i{n}": item(n) for n in range(COUNT)}


def write_old(services: Services) -> None:
    told = Labels(kind="pattern", tags=("red",))
    services.memory.put_many([Put(AGED, f"i{n}", item(n), told) for n in range(COUNT)])


def move(services: Services) -> None:
    plan = services.plan_migration()
    services.rehearse_migration(plan, backups_of(services))
    services.apply_migration(plan)


def take_back(services: Services) -> None:
    runs = [one for one in services.migration_history() if one.state in ("done", "failed")]
    for run in (one for one in runs if "of" not in one.facts):
        plan = services.plan_rollback(run.run)
        if plan.planned:
            services.apply_rollback(plan, backups_of(services))


def backups_of(services: Services) -> str:
    return f"{services.store.engine.path}-backups"


def as_first(value: Any) -> Any:
    """Which version a crash leaves a value in is open; what it says is not."""
    return AML.cast("pattern", value, AML.first).value


def unfinished(services: Services) -> Iterator[str]:
    """What is wrong when everything is said to be moved."""
    for one in services.detect_migrations():
        if one.found != AML.newest:
            yield f"{one.count} values are still {one.found}"
    state = services.migration_history()[0].state
    if state != "done":
        yield f"the last run is {state}"
