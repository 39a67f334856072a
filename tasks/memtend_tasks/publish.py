"""What a run leaves for people and for automations: artifacts and events.

Neither ever holds a stored value or an address with credentials: names, reasons and counts only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.events import emit_event
from pydantic import BaseModel

from memtend.limits import PUBLISHED_DECISIONS_MAX
from memtend.model.plan import Plan, PlanRef
from memtend_tasks.address import Address
from memtend_tasks.escaping import Markdown, code, inert, paragraphs
from memtend_tasks.figures import figures, table
from memtend_tasks.planpage import decisions, details, headline
from memtend_tasks.plans import read_plan

ALERT_LOWERED = "memtend.alert.lowered"
ALERT_OPENED = "memtend.alert.opened"
ALERT_RAISED = "memtend.alert.raised"
ALERT_REMINDED = "memtend.alert.reminded"
ALERT_RESOLVED = "memtend.alert.resolved"
ALERT_TEST = "memtend.alert.test"
BACKUP_COMPLETED = "memtend.backup.completed"
DRILL_COMPLETED = "memtend.drill.completed"
DRILL_FAILED = "memtend.drill.failed"
EXPORT_COMPLETED = "memtend.export.completed"
IMPORT_COMPLETED = "memtend.import.completed"
LEARN_DRIFT = "memtend.learn.drift"
LEARN_PROMOTED = "memtend.learn.promoted"
LEARN_REFUSED = "memtend.learn.refused"
MIGRATION_COMPLETED = "memtend.migration.completed"
MIGRATION_FAILED = "memtend.migration.failed"
PRUNE_COMPLETED = "memtend.prune.completed"
RESTORE_COMPLETED = "memtend.restore.completed"
RUN_REFUSED = "memtend.run.refused"
STORE_DAMAGED = "memtend.store.damaged"
STORE_UNHEALTHY = "memtend.store.unhealthy"
TRIAL_ROLLED_BACK = "memtend.learn.trial.rolled-back"
SYNC_ATTENTION = "memtend.sync.attention"

LEVEL = "memtend.alert.level"
"""A label of the resource: automations match labels, and not what a payload says."""
TEST = "test"
"""The level of an alert that somebody sent to see who hears it."""


class Published(NamedTuple):
    """A plan as it is at rest, and the artifact that shows it."""

    plan: Plan
    page: UUID


def publish_plan(address: Address, ref: PlanRef) -> Published:
    """Show what a plan would do: a summary, and its decisions one by one."""
    plan = read_plan(ref)
    parts = [
        Markdown(f"# {plan.operation.title()} plan"),
        code(address.shown),
        headline(plan),
        *details(plan),
        f"Reviewed plan: `{ref.sha256}`. Exactly this plan is applied, or nothing.",
    ]
    if len(plan.decisions) > PUBLISHED_DECISIONS_MAX:
        parts.append(f"The table of decisions shows the first {PUBLISHED_DECISIONS_MAX}.")
    key = f"{plan.operation}-plan-{address.label}"
    page = create_markdown_artifact(paragraphs(parts), key=key, description=ref.sha256)
    publish_rows(address, f"{plan.operation}-decisions", decisions(plan))
    return Published(plan, cast("UUID", page))


def publish_page(address: Address, title: str, lines: Sequence[str], *models: BaseModel) -> UUID:
    """Show reports: headline sentences, then the figures of each model."""
    parts = [Markdown(f"# {title}"), code(address.shown), *lines]
    for model in models:
        rows = figures(model)
        parts += [Markdown(f"## {rows[0][1].title()}"), table(("figure", "value"), rows[1:])]
    key = f"{title.lower().replace(' ', '-')}-{address.label}"
    return cast("UUID", create_markdown_artifact(paragraphs(parts), key=key, description=title))


def publish_link(address: Address, name: str, link: str, text: str) -> None:
    """Show where something is to be opened."""
    create_link_artifact(link, text, key=f"{name}-link-{address.label}", description=text)


def publish_rows(address: Address, name: str, rows: list[dict[str, str]]) -> None:
    """Show a table by itself, where it has rows."""
    if rows:
        cells = [{column: inert(text) for column, text in row.items()} for row in rows]
        create_table_artifact(cells, key=f"{name}-{address.label}")


def progress(address: Address, name: str, steps: int) -> Callable[[str], None]:
    """Show how far a run of several steps has come. Each call of what is returned is one done."""
    key = f"{name}-progress-{address.label}"
    page = cast("UUID", create_progress_artifact(0.0, key=key, description="begun"))
    done = 0

    def step(what: str) -> None:
        nonlocal done
        done += 1
        update_progress_artifact(page, 100.0 * done / steps, description=f"{what} is done")

    return step


def announce(
    event: str, address: Address, payload: Mapping[str, object], level: str | None = None
) -> None:
    """Tell automations. The resource is the store, so that they can work per store."""
    emit_event(event, resource=resource(address.label, level), payload=dict(payload))


def resource(label: str, level: str | None = None) -> dict[str, str]:
    """A store, as events know it; of an alert, with its level."""
    found = {"prefect.resource.id": f"memtend.store.{label}", "prefect.resource.name": label}
    return found if level is None else found | {LEVEL: level}
