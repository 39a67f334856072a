"""A plan as people read it: what it would do in words, and its decisions one by one. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import singledispatch

from memtend.archive.plan import ArchivePlan
from memtend.backup.restore_plan import Mode, RestorePlan
from memtend.backup.rotation_plan import RotationDecision, RotationPlan
from memtend.learn.tuning.plan import TtlDecision, TtlPlan
from memtend.limits import PUBLISHED_DECISIONS_MAX, PUBLISHED_FINDINGS_MAX
from memtend.migrate.importing import ImportPlan
from memtend.migrate.plan import MigrationPlan
from memtend.model.plan import Action, Decision, Plan
from memtend.optimize.plan import OptimizePlan
from memtend.prune.plan import PruneDecision, PrunePlan
from memtend_tasks.escaping import Markdown, code
from memtend_tasks.figures import size, table, to_text
from memtend_tasks.movepage import moved_details, moved_headline, unquoted
from memtend_tasks.optimizepage import optimize_details, optimize_headline
from memtend_tasks.prunepage import prune_details, prune_headline, prune_row
from memtend_tasks.ttlpage import ttl_details, ttl_headline, ttl_row

_NAMESPACES_SHOWN = 20
_NOTHING = "There is nothing to do."
_MODES = {
    Mode.REJOIN: "replicas that go on merge with it, and bring their newer changes back",
    Mode.REASSERT: "what comes back counts as written now, over what peers hold",
    Mode.EVERYBODY: "a new epoch begins: every replica starts again from this state",
}


@singledispatch
def headline(plan: Plan) -> str:
    """What the plan would do, in one sentence."""
    if plan.operation == "recall":
        count, bytes_ = len(plan.decisions), sum(one.size_bytes for one in plan.decisions)
        return f"Recalls **{count:,}** records, {size(bytes_)} in the store."
    drops = plan.to_delete()
    freed = size(sum(drop.size_bytes for drop in drops))
    share = f"{plan.delete_share:.1%}"
    return f"Deletes **{len(drops):,} of {plan.total:,}** records ({share}), {freed}."


@headline.register
def _(plan: RestorePlan) -> str:
    return (
        f"Brings back **{plan.rows:,} records** ({size(plan.bytes)}). Of the keys, "
        f"{plan.added:,} are added, {plan.changed:,} changed, {plan.removed:,} removed, "
        f"{plan.unchanged:,} stay as they are."
    )


@headline.register
def _(plan: RotationPlan) -> str:
    drops = plan.to_delete()
    freed = size(sum(drop.size_bytes for drop in drops))
    return f"Drops **{len(drops):,} of {plan.total:,}** backups, {freed}, in `{plan.url}`."


@headline.register
def _(plan: ArchivePlan) -> str:
    count, bytes_ = len(plan.decisions), sum(one.size_bytes for one in plan.decisions)
    return f"Archives **{count:,} of {plan.total:,}** records, {size(bytes_)} in the store."


@headline.register(ImportPlan)
@headline.register(MigrationPlan)
def _(plan: ImportPlan | MigrationPlan) -> str:
    return moved_headline(plan)


headline.register(PrunePlan, prune_headline)
headline.register(OptimizePlan, optimize_headline)
headline.register(TtlPlan, ttl_headline)


def touched(plan: Plan) -> int:
    """How many records a plan would change, or how many steps it would do; some plans name only the
    first of the records."""
    if isinstance(plan, RestorePlan):
        return plan.added + plan.changed + plan.removed
    if isinstance(plan, ImportPlan):
        return plan.writes
    if isinstance(plan, MigrationPlan):
        return plan.planned
    if isinstance(plan, OptimizePlan):
        return len(plan.to_do())
    return sum(decision.action is not Action.KEEP for decision in plan.decisions)


@singledispatch
def details(plan: Plan) -> list[str]:
    """What stands below the headline: tables and warnings."""
    return _by_namespace(plan)


@details.register
def _(plan: RotationPlan) -> list[str]:
    lines: list[str] = [
        _table(("backup", "kind", "taken", "what", "why"), map(_backup, plan.decisions))
    ]
    if plan.unreadable:
        lines.append(
            f"**{len(plan.unreadable)} manifests cannot be read**: until they are gone or "
            "whole, no object is deleted. `memtend backup verify` names them."
        )
    return lines


@details.register
def _(plan: ArchivePlan) -> list[str]:
    rules = Counter(decision.rule for decision in plan.decisions)
    return [_table(("rule", "records"), _counts(rules)), *_by_namespace(plan)]


@details.register(ImportPlan)
@details.register(MigrationPlan)
def _(plan: ImportPlan | MigrationPlan) -> list[str]:
    return moved_details(plan)


details.register(PrunePlan, prune_details)
details.register(OptimizePlan, optimize_details)
details.register(TtlPlan, ttl_details)


def decisions(plan: Plan) -> list[dict[str, str]]:
    """Rows for a table, the first `PUBLISHED_DECISIONS_MAX`; what is deleted comes first."""
    chosen = sorted(plan.decisions, key=lambda decision: decision.action is not Action.DELETE)
    return [_row(decision) for decision in chosen[:PUBLISHED_DECISIONS_MAX]]


def _row(decision: Decision) -> dict[str, str]:
    if isinstance(decision, RotationDecision):
        names = ("backup", "kind", "taken", "what", "why")
        return dict(zip(names, _backup(decision), strict=True)) | {
            "frees": size(decision.size_bytes) if decision.action is Action.DELETE else ""
        }
    row = {
        "action": decision.action.value,
        "namespace": decision.namespace,
        "key": decision.key,
        "reason": unquoted(decision.reason),
        "size": size(decision.size_bytes),
    }
    if isinstance(decision, TtlDecision):
        row |= ttl_row(decision)
    return row | prune_row(decision) if isinstance(decision, PruneDecision) else row


def _backup(decision: RotationDecision) -> tuple[str, ...]:
    what = "drop" if decision.action is Action.DELETE else "keep"
    return (str(decision.number), decision.kind, _instant(decision.at), what, decision.reason)


def _by_namespace(plan: Plan) -> list[str]:
    spaces = Counter(
        decision.namespace for decision in plan.decisions if decision.action is not Action.KEEP
    )
    return [_table(("namespace", "records"), _counts(spaces))]


@details.register
def _(plan: RestorePlan) -> list[str]:
    facts = [
        ("from", f"{plan.manifest}, taken {_instant(plan.at)}"),
        ("in", plan.url),
        ("because", plan.why_this),
        ("moment asked for", _instant(plan.to)),
        ("exact", ("yes, every record" if plan.exact else "not quite") if plan.to else ""),
        ("later changes from", plan.then or ""),
        ("mode", f"{plan.mode}: {_MODES[plan.mode]}"),
        ("only", _scope(plan)),
        ("to read", size(plan.read_bytes)),
        ("erased since, stays erased", f"{plan.erased:,}" if plan.erased else ""),
        ("expired since", f"{plan.expired:,}" if plan.expired else ""),
        ("archived", f"{plan.archived:,}" if plan.archived else ""),
        ("other replicas known", f"{plan.replicas:,}" if plan.replicas else ""),
    ]
    lines: list[str] = [table(("", ""), [fact for fact in facts if fact[1]])]
    if plan.foreign:
        lines.append("**The backup is of another store.**")
    if plan.uncertain:
        some = ", ".join(map(code, plan.uncertain_names[:PUBLISHED_FINDINGS_MAX]))
        said = (
            f"**{plan.uncertain:,} records** changed again after that moment, and what they held "
            f"then is not known exactly; an earlier version stands in: {some}."
        )
        lines.append(Markdown(said))
    lines += plan.notes
    rows = [
        (one.namespace, f"{one.added:,}", f"{one.changed:,}", f"{one.removed:,}")
        for one in plan.namespaces[:_NAMESPACES_SHOWN]
    ]
    return [*lines, _table(("namespace", "added", "changed", "removed"), rows)]


def _scope(plan: RestorePlan) -> str:
    given = plan.scope.model_dump(exclude_none=True)
    return ", ".join(f"{name} {text}" for name, text in given.items())


def _instant(at: datetime | None) -> str:
    return to_text("at", at) if at else ""


def _counts(counter: Counter[str]) -> list[tuple[str, str]]:
    return [(name, f"{n:,}") for name, n in counter.most_common(_NAMESPACES_SHOWN)]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    found = list(rows)
    return table(head, found[:PUBLISHED_DECISIONS_MAX]) if found else _NOTHING
