"""The prune: what is not worth its place goes to the archive, and out of the store."""

from memtend.model.plan import PlanRef, Report
from memtend_flows.approval import ask_for_approval
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Archive, Name, Reviewed, Store, Strategy, Workers
from memtend_flows.planning import plan_together
from memtend_tasks.escaping import paragraphs
from memtend_tasks.opened import store_address
from memtend_tasks.planpage import headline, touched
from memtend_tasks.plans import find_plan
from memtend_tasks.prune import (
    apply_prune_plan,
    begin_prune_plan,
    find_prune_excess,
    make_prune_plan,
)
from memtend_tasks.prunepage import excess_lines, undo_hint
from memtend_tasks.publish import PRUNE_COMPLETED, announce, publish_page, publish_plan
from memtend_tasks.sentence import sentence
from memtend_tasks.turn import store_turn


@memory_flow
def prune(
    store: Store = "default",
    archive_target: Archive = "default",
    strategy: Strategy = Strategy.ALL,
    profile: Name = "",
    reviewed: Reviewed = "",
    ask: bool = True,
    workers: Workers = 0,
    dry_run: bool = True,
) -> Report:
    """Let go of records that are not worth their place. Previews unless `dry_run` is false.

    Values go to the archive first, and `memtend undo` with the digest of the plan brings them back.
    Up to one percent of a namespace goes in a day by itself; of more than that the run waits until
    somebody has approved it in the form that appears on its page, or has named the digest of a
    plan that was read. Pinned, important and often read records stay whatever the rules say.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        archive_target: "default" for MEMTEND_ARCHIVE_URL, or where that is not set for the one
            the store knows; NAME of a Secret block memtend-archive-NAME; or a URL without password.
        strategy: Only this one, or all that the profile has.
        profile: default, aggressive, off, or one of the policy file. Empty: the policy file's.
        reviewed: The digest of a plan that you looked at: exactly that plan. Empty: a new one.
        ask: Wait for a yes when too much would go for one day. Without, that is refused.
        workers: How many processes share the planning, and threads the packing, up to 64; 0: one
            does it. Processes are started from some hundred thousand records on.
        dry_run: Show what would go and by which rule, and prune nothing.
    """
    address = store_address(store)
    found = find_plan(store, "prune", reviewed) if reviewed else None
    only = None if strategy is Strategy.ALL else strategy.value
    ref = found or _plan(store, archive_target, only, profile or None, workers)
    plan, page = publish_plan(address, ref)
    if dry_run or not touched(plan):
        return Report(operation="prune", applied=not dry_run, planned=touched(plan))
    note, approved = "", found is not None
    if ask and not approved and (excess := find_prune_excess(store, ref)):
        text = paragraphs([headline(plan), *excess_lines(excess)])
        note, approved = ask_for_approval(address, "prune", text, page), True
    with store_turn(address.label):
        report = apply_prune_plan(store, archive_target, ref, approved, workers)
    lines = [sentence(report), f"Approved: {note}" if note else "", *report.notes]
    publish_page(address, "Prune report", [*lines, undo_hint(report.plan)], report)
    facts = {"plan", "deleted", "merged", "archived", "bytes_freed", "changed_since", "seconds"}
    announce(PRUNE_COMPLETED, address, report.model_dump(mode="json", include=facts))
    return report


def _plan(
    store: str, archive_target: str, strategy: str | None, profile: str | None, workers: int
) -> PlanRef:
    if workers:
        cut = begin_prune_plan(store, archive_target, strategy, profile, workers)
        return plan_together(store, cut, workers)
    return make_prune_plan(store, archive_target, strategy, profile)
