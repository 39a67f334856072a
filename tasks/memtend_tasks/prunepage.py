"""A prune as people read it: what goes, by which rule, and what a shield kept. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from memtend.model.plan import Action
from memtend.model.pruned import Excess
from memtend.prune.plan import PruneDecision, PrunePlan
from memtend_tasks.escaping import Markdown
from memtend_tasks.figures import size, table

_DEEDS = {Action.DELETE: "deleted", Action.ARCHIVE: "made cold"}
_NAMESPACES_SHOWN = 20
_NOTHING = "Every record is worth its place."


def prune_headline(plan: PrunePlan) -> str:
    """What would go, and what it would free."""
    gone = plan.to_delete()
    cold = len(plan.decisions) - len(gone)
    more = f"; **{cold:,}** more are made cold and read as before" if cold else ""
    return (
        f"Prunes **{len(gone):,} of {plan.total:,}** records ({plan.delete_share:.1%}), "
        f"{size(sum(one.size_bytes for one in gone))}, by the profile `{plan.profile}`{more}."
    )


def prune_details(plan: PrunePlan) -> list[str]:
    """Tables by rule, namespace and shield."""
    if not plan.decisions:
        return [_NOTHING, *_shields(plan), *plan.notes]
    lines: list[str] = [
        "Values go to the archive before they are deleted, and `memtend undo` brings them back.",
        _by_rule(plan),
        _by_namespace(plan),
        *_shields(plan),
    ]
    if plan.target_bytes:
        lines.append(f"Space was short: {size(plan.target_bytes)} had to be freed.")
    return [*lines, *plan.notes]


def prune_row(decision: PruneDecision) -> dict[str, str]:
    """What the table of decisions has beside the columns that every plan has."""
    return {
        "rule": decision.rule,
        "value": "unknown" if decision.score is None else f"{decision.score:.2f}",
        "agent": decision.agent or "",
    }


def undo_hint(digest: str) -> Markdown:
    """The way back, on the page of the report."""
    return Markdown(
        f"`memtend undo {digest}` brings back what was pruned: value, labels, times and TTL, as "
        "long as nobody has written the record since."
    )


def excess_lines(excess: Sequence[Excess]) -> list[str]:
    """Why somebody has to say yes."""
    rows = [
        (
            one.namespace,
            f"{one.planned:,}",
            f"{one.today:,}",
            f"{one.records:,}",
            f"{one.allowed:,}",
        )
        for one in excess[:_NAMESPACES_SHOWN]
    ]
    head = ("namespace", "would go", "went today", "records", "a day without approval")
    return ["That is more than goes in a day without approval:", table(head, rows)]


def _by_rule(plan: PrunePlan) -> Markdown:
    counts: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    for one in plan.decisions:
        deed = "merged into another" if one.merge_into else _DEEDS.get(one.action, one.action)
        counts[one.rule, deed] += 1
        sizes[one.rule, deed] += one.size_bytes
    rows = [
        (rule, deed, f"{n:,}", size(sizes[rule, deed])) for (rule, deed), n in counts.most_common()
    ]
    return table(("rule", "would be", "records", "size"), rows)


def _by_namespace(plan: PrunePlan) -> Markdown:
    spaces = Counter(one.namespace for one in plan.decisions)
    rows = [(name, f"{n:,}") for name, n in spaces.most_common(_NAMESPACES_SHOWN)]
    return table(("namespace", "records"), rows)


def _shields(plan: PrunePlan) -> list[str]:
    if not plan.shielded:
        return []
    rows = [(name, f"{n:,}") for name, n in sorted(plan.shielded.items())]
    return ["A rule named these, and a shield kept them:", table(("shield", "records"), rows)]
