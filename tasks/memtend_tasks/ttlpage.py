"""Proposed times to live as people read them: which rule, from what to what, and why. Pure."""

from __future__ import annotations

from memtend.clock import to_datetime
from memtend.durations import show_duration
from memtend.learn.tuning.plan import Range, TtlDecision, TtlPlan
from memtend.limits import PUBLISHED_DECISIONS_MAX
from memtend.model.plan import Action
from memtend_tasks.escaping import Markdown
from memtend_tasks.figures import size, table, to_span, to_text

_NOTHING = "Nobody has read or written what a time to live could be learned from."


def ttl_headline(plan: TtlPlan) -> str:
    """How much would change, and on what it rests."""
    changed = plan.to_change()
    return (
        f"Gives **{len(changed):,} of {plan.total:,}** rules another time to live, each tried on "
        f"{plan.canary_share:.0%} of its keys for {show_duration(plan.canary_ms)} first."
    )


def ttl_details(plan: TtlPlan) -> list[str]:
    """The evidence, then every rule with what becomes of it; changes first."""
    if not plan.decisions:
        return [_NOTHING, *plan.notes]
    lines = [_evidence(plan)] if plan.accesses else []
    ordered = sorted(plan.decisions, key=lambda one: one.action is not Action.UPDATE)
    rows = [_row(one) for one in ordered[:PUBLISHED_DECISIONS_MAX]]
    head = ("rule", "now", "proposed", "bytes kept", "reads too late a day", "accesses", "why")
    ends = f"A trial ends by itself where more than {plan.regret_max:.0%} of the reads regret it."
    return [*lines, table(head, rows), ends, *plan.notes]


def ttl_row(one: TtlDecision) -> dict[str, str]:
    """What the table of decisions has beside the columns that every plan has."""
    return {
        "now": _time(one.ttl_now_ms),
        "proposed": _time(one.ttl_ms) if one.action is Action.UPDATE else "",
        "accesses": f"{one.accesses:,}",
    }


def _evidence(plan: TtlPlan) -> Markdown:
    rows = [("accesses seen", f"{plan.accesses:,}"), ("share of the keys", f"{plan.sampled:.2%}")]
    for name, at in (("from", plan.from_ms), ("until", plan.until_ms)):
        if at is not None:
            rows.append((name, to_text("at", to_datetime(at))))
    if plan.break_even_ms is not None:
        what = f"as dear as keeping a record of mean size for {to_span(plan.break_even_ms / 1000)}"
        rows.append(("one read that comes too late is", what))
    return table(("", ""), rows)


def _row(one: TtlDecision) -> tuple[str, ...]:
    changes = one.action is Action.UPDATE
    return (
        one.namespace, _time(one.ttl_now_ms), _time(one.ttl_ms) if changes else "as it is",
        _range(one.bytes, size_change=True) if changes else "",
        _range(one.misses) if changes else "", f"{one.accesses:,}", one.reason,
    )  # fmt: skip


def _time(ms: int | None) -> str:
    return "for ever" if ms is None else show_duration(ms)


def _range(found: Range | None, *, size_change: bool = False) -> str:
    if found is None:
        return "unknown"
    low, value, high = (
        _signed(size(one)) if size_change else f"{one:+,.1f}"
        for one in (found.low, found.value, found.high)
    )
    return f"{value} ({low} to {high})"


def _signed(text: str) -> str:
    return text if text.startswith("-") else f"+{text}"
