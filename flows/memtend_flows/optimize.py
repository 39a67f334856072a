"""The optimization: smaller values, fresh statistics, space given back."""

from memtend.model.plan import Report
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Reviewed, Step, Store
from memtend_tasks.errors import StepsFailed
from memtend_tasks.opened import store_address
from memtend_tasks.optimize import apply_optimize_plan, make_optimize_plan
from memtend_tasks.optimizepage import optimize_lines
from memtend_tasks.planpage import touched
from memtend_tasks.plans import find_plan
from memtend_tasks.publish import publish_page, publish_plan
from memtend_tasks.sentence import sentence
from memtend_tasks.turn import store_turn


@memory_flow
def optimize(
    store: Store = "default",
    step: Step = Step.ROUTINE,
    reviewed: Reviewed = "",
    dry_run: bool = True,
) -> Report:
    """Make the store smaller and faster without changing what it says. Previews unless `dry_run`
    is false.

    Each step is judged first, by figures and samples, and done only where it is worth it. Records
    that say the same are only reported: `prune` takes them away.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        step: One step, or the routine, which takes nothing away and holds up nobody. damaged sets
            rows aside that cannot be read; rewrite needs the store for itself for a while.
        reviewed: The digest of a plan that you looked at: exactly that plan. Empty: a new one.
        dry_run: Show which steps are worth it and what they would save, and do none.
    """
    address = store_address(store)
    found = find_plan(store, "optimize", reviewed) if reviewed else None
    ref = found or make_optimize_plan(store, None if step is Step.ROUTINE else step.value)
    plan, _ = publish_plan(address, ref)
    if dry_run or not touched(plan):
        return Report(operation="optimize", applied=not dry_run, planned=touched(plan))
    with store_turn(address.label):
        report = apply_optimize_plan(store, ref)
    lines = [sentence(report), *optimize_lines(report), *report.notes]
    publish_page(address, "Optimize report", lines, report)
    if failed := [f"optimize {one.name}" for one in report.steps if one.error]:
        raise StepsFailed(failed=", ".join(failed), store=address.label)
    return report
