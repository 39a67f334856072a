"""An optimization as people read it: step by step, what it would save and what it did. Pure."""

from __future__ import annotations

from memtend.optimize.plan import OptimizePlan
from memtend.optimize.report import OptimizeReport
from memtend_tasks.escaping import Markdown, prose
from memtend_tasks.figures import size, table, to_span


def optimize_headline(plan: OptimizePlan) -> str:
    """How many steps are worth it, and what they would save."""
    steps = plan.to_do()
    saves = sum(step.saves_bytes for step in steps)
    about = f" and would save about {size(saves)}" if saves else ""
    return f"**{len(steps):,} of {len(plan.steps):,}** steps are worth it{about}."


def optimize_details(plan: OptimizePlan) -> list[str]:
    rows = [
        (
            step.name,
            "yes" if step.worth else "no",
            Markdown(prose(step.reason)),
            f"{step.rows:,}" if step.rows else "",
            size(step.saves_bytes) if step.saves_bytes else "",
        )
        for step in plan.steps
    ]
    return [table(("step", "worth it", "why", "rows", "would save"), rows)]


def optimize_lines(report: OptimizeReport) -> list[str]:
    """What each step did; one that was not brought to its end stopped none of the others."""
    rows = [
        (
            step.name,
            f"{step.rows:,}",
            size(step.saved_bytes),
            to_span(step.seconds),
            f"{step.longest_lock_ms:,.1f} ms",
            Markdown(prose("; ".join([*([step.error] if step.error else []), *step.notes]))),
        )
        for step in report.steps
    ]
    kept = f"Rows that could not be read were kept in `{report.kept_in}`." if report.kept_in else ""
    head = ("step", "rows", "saved", "took", "longest lock", "notes")
    return [table(head, rows), kept] if rows else [kept]
