"""What a run leaves for people and for automations: artifacts and events.

Neither ever holds a stored value or an address with credentials: names, reasons and counts only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.events import emit_event
from pydantic import BaseModel

from memtend.limits import PUBLISHED_DECISIONS_MAX
from memtend.model.plan import Plan, PlanRef
from memtend_tasks.address import Address
from memtend_tasks.escaping import Markdown, code, paragraphs
from memtend_tasks.figures import figures, table
from memtend_tasks.planpage import decisions, details, headline
from memtend_tasks.plans import read_plan

BACKUP_COMPLETED = "memtend.backup.completed"
DRILL_COMPLETED = "memtend.drill.completed"
DRILL_FAILED = "memtend.drill.failed"
EXPORT_COMPLETED = "memtend.export.completed"
IMPORT_COMPLETED = "memtend.import.completed"
MIGRATION_COMPLETED = "memtend.migration.completed"
MIGRATION_FAILED = "memtend.migration.failed"
RESTORE_COMPLETED = "memtend.restore.completed"
STORE_UNHEALTHY = "memtend.store.unhealthy"
SYNC_ATTENTION = "memtend.sync.attention"


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
    if rows := decisions(plan):
        create_table_artifact(rows, key=f"{plan.operation}-decisions-{address.label}")
    return Published(plan, cast("UUID", page))


def publish_page(address: Address, title: str, lines: Sequence[str], *models: BaseModel) -> UUID:
    """Show reports: headline sentences, then the figures of each model."""
    parts = [Markdown(f"# {title}"), code(address.shown), *lines]
    for model in models:
        rows = figures(model)
        parts += [Markdown(f"## {rows[0][1].title()}"), table(("figure", "value"), rows[1:])]
    key = f"{title.lower().replace(' ', '-')}-{address.label}"
    return cast("UUID", create_markdown_artifact(paragraphs(parts), key=key, description=title))


def announce(event: str, address: Address, payload: Mapping[str, object]) -> None:
    """Tell automations. The resource is the store, so that they can work per store."""
    emit_event(
        event,
        resource={
            "prefect.resource.id": f"memtend.store.{address.label}",
            "prefect.resource.name": address.label,
        },
        payload=dict(payload),
    )
