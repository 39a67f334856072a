"""The migration: a store of an older version becomes one of this program's, once somebody agrees.

Back up, rehearse on a restored copy, ask, apply, verify. What needs asking about is the plan, and
what the rehearsal made of it.
"""

from memtend.errors import MemtendError, NotWhole
from memtend.migrate.report import MigrationReport
from memtend.model.plan import PlanRef, Report
from memtend_flows.approval import ask_for_approval
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Name, Reviewed, Store, Target, Workers
from memtend_flows.planning import plan_together
from memtend_tasks.address import Address
from memtend_tasks.backup import verify_store
from memtend_tasks.escaping import paragraphs
from memtend_tasks.migrate import (
    apply_migration_plan,
    apply_schema_plan,
    begin_migration_plan,
    make_migration_plan,
    make_schema_plan,
    rehearse_migration_plan,
)
from memtend_tasks.movepage import rehearsal_lines, schema_details, schema_headline
from memtend_tasks.opened import store_address
from memtend_tasks.planpage import headline, touched
from memtend_tasks.plans import find_plan
from memtend_tasks.publish import (
    MIGRATION_COMPLETED,
    MIGRATION_FAILED,
    announce,
    publish_page,
    publish_plan,
)
from memtend_tasks.sentence import sentence
from memtend_tasks.turn import store_turn


@memory_flow
def migrate(
    store: Store = "default",
    target: Target = "default",
    to: Name = "",
    reviewed: Reviewed = "",
    workers: Workers = 0,
    dry_run: bool = True,
) -> Report | MigrationReport:
    """Move the store's schema and its older values forward. Previews unless `dry_run` is false.

    With `dry_run` off, the run takes a backup, carries the plan out on a restored copy of it, and
    waits until somebody has approved both in the form that appears on its page; with the digest of
    a reviewed plan it does not wait. Then it migrates and verifies the store. A store of an older
    schema is asked about first, for its values cannot be planned before. Cut off anywhere, it is
    finished by running it again; `memtend migrate rollback` takes it back.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
            The backup before the migration goes there.
        to: The version of the values, such as 2.0.0. Empty: the newest.
        reviewed: The digest of a plan of values that you looked at: exactly that plan.
        workers: How many processes share the planning, up to 64; 0: this one does it. They are
            started from some hundred thousand records on.
        dry_run: Show what would be migrated, and change nothing.
    """
    address = store_address(store)
    if not _schema_is_ours(address, store, dry_run):
        return Report(operation="migrate", applied=False)
    found = find_plan(store, "migrate", reviewed) if reviewed else None
    ref = found or _plan(store, to, workers)
    plan, page = publish_plan(address, ref)
    if dry_run or not touched(plan):
        return Report(operation="migrate", applied=not dry_run, planned=touched(plan))
    try:
        with store_turn(address.label):
            rehearsal = rehearse_migration_plan(store, target, ref)
    except MemtendError as error:
        raise _told(error, address) from None
    tried = rehearsal_lines(rehearsal)
    publish_page(address, "Migration rehearsal", tried, rehearsal)
    text = paragraphs([headline(plan), *tried])
    note = "" if found else ask_for_approval(address, "migration", text, page)
    try:
        with store_turn(address.label):
            report = apply_migration_plan(store, target, ref)
        verified = verify_store(store)
        if not verified.ok:
            raise NotWhole(what=address.label, damage=verified.damage_count)
    except MemtendError as error:
        raise _told(error, address) from None
    lines = [sentence(report), f"Approved: {note}" if note else "", *report.notes]
    lines.append(f"`memtend migrate rollback {report.run} --apply` takes it back.")
    publish_page(address, "Migration report", lines, report, verified)
    facts = {"run", "family", "wanted", "manifest", "written", "refused", "seconds"}
    announce(MIGRATION_COMPLETED, address, report.model_dump(mode="json", include=facts))
    return report


def _plan(store: str, to: str, workers: int) -> PlanRef:
    if workers:
        return plan_together(store, begin_migration_plan(store, to, workers), workers)
    return make_migration_plan(store, to)


def _schema_is_ours(address: Address, store: str, dry_run: bool) -> bool:
    """Whether values can be planned: the schema is this program's, or was made so by a yes."""
    plan = make_schema_plan(store)
    if plan is None:
        return True
    lines = [schema_headline(plan), *schema_details(plan)]
    page = publish_page(address, "Schema plan", lines)
    if dry_run:
        return False
    ask_for_approval(address, "migration of the schema", lines[0], page)
    try:
        with store_turn(address.label):
            report = apply_schema_plan(store, plan)
    except MemtendError as error:
        raise _told(error, address) from None
    publish_page(address, "Schema report", [sentence(report)], report)
    facts = {"run", "found", "wanted", "rows", "seconds"}
    announce(MIGRATION_COMPLETED, address, report.model_dump(mode="json", include=facts))
    return True


def _told(error: MemtendError, address: Address) -> MemtendError:
    announce(MIGRATION_FAILED, address, {"error": type(error).__name__, "code": error.code})
    return error
