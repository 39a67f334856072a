"""What a run leaves for people and for automations: artifacts and events.

Neither ever holds a stored value or an address with credentials: names, reasons and counts only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.events import emit_event
from pydantic import BaseModel

from memtend.clock import SystemClock
from memtend.limits import PUBLISHED_DECISIONS_MAX
from memtend.model.plan import Plan, PlanRef
from memtend.plans import load_plan
from memtend_tasks.address import Address
from memtend_tasks.figures import figures, size, table

_NAMESPACES_SHOWN = 20

BACKUP_COMPLETED = "memtend.backup.completed"
DRILL_COMPLETED = "memtend.drill.completed"
DRILL_FAILED = "memtend.drill.failed"
RESTORE_COMPLETED = "memtend.restore.completed"
STORE_UNHEALTHY = "memtend.store.unhealthy"


def publish_plan(address: Address, ref: PlanRef) -> Plan:
    """Show what a plan would do: a summary, and its decisions one by one."""
    plan = load_plan(ref, SystemClock(), Plan)
    key = f"{plan.operation}-plan-{address.label}"
    create_markdown_artifact(_plan_page(address, plan, ref), key=key, description=ref.sha256)
    rows = [
        {**d.model_dump(mode="json", exclude={"size_bytes", "seq"}), "size": size(d.size_bytes)}
        for d in plan.decisions[:PUBLISHED_DECISIONS_MAX]
    ]
    if rows:
        create_table_artifact(rows, key=f"{plan.operation}-decisions-{address.label}")
    return plan


def publish_page(address: Address, title: str, lines: Sequence[str], *models: BaseModel) -> None:
    """Show reports: headline sentences, then the figures of each model."""
    parts = [f"# {title}", f"`{address.shown}`", *lines]
    for model in models:
        rows = figures(model)
        parts += [f"## {rows[0][1].title()}", table(("figure", "value"), rows[1:])]
    key = f"{title.lower().replace(' ', '-')}-{address.label}"
    create_markdown_artifact("\n\n".join(parts), key=key, description=title)


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


def _plan_page(address: Address, plan: Plan, ref: PlanRef) -> str:
    deletes = plan.to_delete()
    share, freed = f"{plan.delete_share:.1%}", size(sum(d.size_bytes for d in deletes))
    spaces = Counter(decision.namespace for decision in deletes).most_common(_NAMESPACES_SHOWN)
    parts = [
        f"# {plan.operation.title()} plan",
        f"`{address.shown}`",
        f"Deletes **{len(deletes):,} of {plan.total:,}** records ({share}), {freed}.",
        table(("namespace", "records to delete"), [(name, f"{n:,}") for name, n in spaces])
        if spaces
        else "There is nothing to do.",
        f"Reviewed plan: `{ref.sha256}`. Exactly this plan is applied, or nothing.",
    ]
    if len(plan.decisions) > PUBLISHED_DECISIONS_MAX:
        parts.append(f"The table of decisions shows the first {PUBLISHED_DECISIONS_MAX}.")
    return "\n\n".join(parts)
