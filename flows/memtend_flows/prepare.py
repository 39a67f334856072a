"""Before anything runs on a store: it is made if it is missing, and older versions are told.

`MEMTEND_MIGRATE` says what becomes of them: `check` tells what is pending, `auto` migrates it with
backup and rehearsal, `off` looks at nothing. A store of an older schema cannot be served as it is.
"""

from __future__ import annotations

from rich.console import Console

from memtend.clock import SystemClock
from memtend.errors import StoreMissing
from memtend.migrate.report import Pending
from memtend.services import open_services
from memtend.serving.upgrading import apply_schema, plan_schema, schema_state
from memtend.settings import Settings
from memtend_tasks.sentence import sentence


def prepare(store: str, talk: Console) -> int:
    """How many records the store has. Raises `StoreOutdated` where its schema stays older."""
    settings = Settings()
    if settings.migrate == "auto" and _is_older(store):
        clock = SystemClock()
        done = apply_schema(plan_schema(store, settings, clock), settings, clock, url=store)
        talk.print(f"[green]✓[/] {sentence(done)}")
    with open_services(store) as services:
        found = services.migrate_at_start()
        if isinstance(found, Pending):
            if found:
                talk.print(f"[yellow]![/] {sentence(found)}")
                talk.print("  Look at the flow `migrate`, or run `memtend migrate plan`.")
        elif found is not None:
            talk.print(f"[green]✓[/] {sentence(found)}")
        return services.facts().records


def _is_older(store: str) -> bool:
    try:
        return bool(schema_state(store).pending)
    except StoreMissing:
        return False
