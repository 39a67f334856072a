"""Restoring parts of the open store: as new writes, which every peer learns of (CRDT_SPEC 8.3)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from memtend.backup.moment import by_path, name_of
from memtend.backup.reassert import Again, Reassertion, opener
from memtend.backup.restore import ACTOR, RestoreReport, notes_of
from memtend.backup.restore_plan import Change, Mode, RestorePlan, Scope
from memtend.clock import to_datetime
from memtend.errors import KindMismatch
from memtend.limits import REPORT_NAMES_MAX
from memtend.model.plan import Action, Decision
from memtend.store import writes
from memtend.store.snapshot import snapshot

if TYPE_CHECKING:
    from memtend.backup.choosing import Choice
    from memtend.backup.wished import Wished
    from memtend.guard import Cleared
    from memtend.model.dot import Dot
    from memtend.serving.base import Serving
    from memtend.store.snapshot import Snapshot

_BATCH = 500


def plan_reassert(
    serving: Serving,
    choice: Choice,
    wished: Wished,
    view: Snapshot,
    url: str,
    moment_ms: int | None,
    scope: Scope,
) -> RestorePlan:
    """What would be written again. Records that only the live store has are not touched."""
    facts, now_ms = serving.facts(), serving.clock.now_ms()
    comparison = _comparison(serving, wished, scope)
    counts: dict[str, Counter[str]] = {}
    decisions: list[Decision] = []
    total: Counter[str] = Counter()
    for again in comparison.over(wished.paths(), by_path(view.rows())):
        what = "added" if again.new else "changed"
        total[what] += 1
        count = counts.setdefault(again.path[0], Counter())
        count[what] += 1
        count["added_bytes"] += again.size
        if len(decisions) < REPORT_NAMES_MAX:
            decisions.append(_decision(again))
    wished.check()
    manifest = choice.manifest
    return RestorePlan(
        store_id=facts.store_id,
        made_at=to_datetime(now_ms),
        basis=facts.seq,
        total=facts.records,
        decisions=tuple(decisions),
        truncated=total.total() > len(decisions),
        url=url,
        manifest=str(choice.name),
        exact=wished.exact,
        chain=tuple(str(name) for name, _ in wished.chosen.chain),
        why_this=choice.why,
        at=manifest.at,
        to=to_datetime(moment_ms) if moment_ms is not None else None,
        then=wished.later.what if wished.later else None,
        mode=Mode.REASSERT,
        scope=scope,
        foreign=choice.foreign,
        replace_other=True,
        rows=comparison.rows,
        bytes=sum(count["added_bytes"] for count in counts.values()),
        read_bytes=sum(r.stored_bytes for _, one in wished.chosen.chain for r in one.segments),
        added=total["added"],
        changed=total["changed"],
        unchanged=comparison.unchanged,
        namespaces=tuple(Change(namespace=name, **count) for name, count in counts.items()),
        uncertain=wished.uncertain.count,
        uncertain_names=tuple(wished.uncertain.names),
        erased=wished.erased,
        expired=comparison.expired,
        archived=comparison.archived,
        notes=notes_of(choice, wished, moment_ms, facts),
    )


def apply_reassert(serving: Serving, cleared: Cleared, wished: Wished) -> RestoreReport:
    """Write what differs now. Safe to repeat: what is the same by then is left alone."""
    plan = cleared.plan
    assert isinstance(plan, RestorePlan)
    store, clock = serving.store, serving.clock
    began = clock.monotonic_ns()
    comparison = _comparison(serving, wished, plan.scope)
    again: list[Again] = []
    refused: list[str] = []
    written = 0
    with snapshot(store) as view:
        for one in comparison.over(wished.paths(), by_path(view.rows())):
            again.append(one)
            if len(again) == _BATCH:
                written += _write(serving, again, cleared, refused)
                again = []
        written += _write(serving, again, cleared, refused)
    wished.check()
    with store.change(ACTOR, lease=cleared.lease) as (change, _):
        said = ", ".join(f"{k} {v}" for k, v in plan.scope.model_dump(exclude_none=True).items())
        change.note(ACTOR, f"{written} records of {plan.manifest} again ({said or 'all'})")
    meta = store.meta()
    return RestoreReport(
        url=plan.url,
        store=store.url,
        manifest=plan.manifest,
        mode=plan.mode.value,
        rows=comparison.rows,
        written=written,
        unchanged=comparison.unchanged,
        exact=wished.exact,
        uncertain=wished.uncertain.count,
        erased=wished.erased,
        replica=store.own_replica(),
        epoch=meta.epoch,
        lease_epoch=meta.lease_epoch,
        seconds=(clock.monotonic_ns() - began) / 1e9,
        notes=(*plan.notes, *refused[:REPORT_NAMES_MAX]),
    )


def _comparison(serving: Serving, wished: Wished, scope: Scope) -> Reassertion:
    theirs = opener(wished.side())
    return Reassertion(scope, serving.clock.now_ms(), theirs, serving.store.text_of)


def _write(serving: Serving, again: list[Again], cleared: Cleared, refused: list[str]) -> int:
    """One transaction for plain values and set elements; counters one by one."""
    memory, store = serving.memory, serving.store
    drafts = [draft for one in again for draft in one.drafts]

    def attempt() -> list[Dot]:
        return writes.write(
            store,
            drafts,
            actor=ACTOR,
            quotas=memory.config.file.quotas,
            config=memory.config.version,
            action=ACTOR,
            lease=cleared.lease,
        )

    if drafts:
        memory.config.under_current(attempt)
    written = sum(bool(one.drafts) for one in again)
    for one in again:
        if one.by:
            try:
                memory.increment(one.path[0], one.path[1], one.by)
                written += 1
            except KindMismatch as error:
                refused.append(f"{name_of(one.path)}: {error}")
    return written


def _decision(again: Again) -> Decision:
    namespace, key, _ = again.path
    new = again.new
    return Decision(
        action=Action.IMPORT if new else Action.UPDATE,
        namespace=namespace,
        key=key,
        seq=again.seq,
        reason="only in the backup" if new else "differs from the backup",
        size_bytes=again.size,
    )
