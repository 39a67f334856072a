"""Restoring a whole store: plan, build beside, verify, swap, keep the old one.

The order of writes, each of which may be the last one before a kill:

1. lease   nobody else maintains the store meanwhile; it is renewed while the state is built
2. build   a database beside the live one, from checked objects, read back
3. keep    a whole copy of the live store, under its write lock
4. swap    one transaction, under the same lock; from here on the restore has happened
5. remove  what was built beside, and kept stores whose time is over

Up to 4 the live store is as it was and repeating begins anew; after 4 it is the restored one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, BaseModel

from memtend.backup.choosing import Choice, reached
from memtend.backup.rebuild import rebuilt
from memtend.backup.restore_plan import Diff, Mode, RestorePlan, Scope
from memtend.backup.wished import Wished, Witness
from memtend.clock import Clock, to_datetime
from memtend.errors import PlanForeign, RestoreRefused
from memtend.guard import Cleared
from memtend.store.adapting import Deed, look
from memtend.store.beside import beside
from memtend.store.swapping import drop_kept, last_kept, swap

if TYPE_CHECKING:
    from memtend.backup.moment import At, Path
    from memtend.model.facts import Facts
    from memtend.store.store import Store
    from memtend.store.swapping import Swapped

ACTOR = "restore"


class RestoreReport(BaseModel, frozen=True, extra="forbid"):
    """What a restore did. `kept` is what undo would bring back, there until `kept_until`.

    `lost_changes` counts the live store's changes since the backup; all are in the kept store, if
    it was to be kept. Where nothing was written since a restore, undo goes behind that.
    `root` and `state_sum` are those of the rows that were restored.
    """

    operation: str = "restore"
    applied: bool = True
    url: str
    store: str
    manifest: str
    mode: str
    rows: int
    root: str = ""
    state_sum: str = ""
    written: int = 0
    unchanged: int = 0
    exact: bool = True
    uncertain: int = 0
    erased: int = 0
    lost_changes: int = 0
    replica: str = ""
    epoch: int = 0
    lease_epoch: int = 0
    kept: str | None = None
    kept_until: AwareDatetime | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


def plan_whole(
    choice: Choice,
    wished: Wished,
    live: Iterable[tuple[Path, At]],
    facts: Facts | None,
    *,
    url: str,
    mode: Mode,
    moment_ms: int | None,
    policy_digest: str | None,
    replicas: int,
    replace_other: bool,
    clock: Clock,
    compare: bool = True,
    beat: Callable[[], None] = lambda: None,
) -> RestorePlan:
    """Compare the wished state with the live one. Everything of the backup is read and checked."""
    diff = Diff(clock.now_ms())
    if compare:
        diff.compare(live, wished.paths(), beat)
        wished.check()
    manifest, then = choice.manifest, wished.later.what if wished.later else None
    return RestorePlan(
        store_id=facts.store_id if facts else manifest.store.store_id,
        made_at=to_datetime(clock.now_ms()),
        basis=facts.seq if facts else 0,
        total=facts.records if facts else 0,
        decisions=diff.decisions(),
        truncated=diff.added + diff.changed + diff.removed > len(diff.decisions()),
        url=url,
        manifest=str(choice.name),
        exact=wished.exact,
        chain=tuple(str(name) for name, _ in wished.chosen.chain),
        why_this=choice.why,
        at=manifest.at,
        to=to_datetime(moment_ms) if moment_ms is not None else None,
        then=then,
        mode=mode,
        scope=Scope(),
        foreign=choice.foreign and facts is not None and facts.records > 0,
        replace_other=replace_other,
        rows=diff.rows,
        bytes=diff.bytes,
        read_bytes=sum(r.stored_bytes for _, one in wished.chosen.chain for r in one.segments),
        added=diff.added,
        changed=diff.changed,
        removed=diff.removed,
        unchanged=diff.unchanged,
        namespaces=diff.namespaces(),
        uncertain=wished.uncertain.count,
        uncertain_names=tuple(wished.uncertain.names),
        erased=wished.erased,
        expired=diff.expired,
        archived=diff.archived,
        replicas=replicas,
        settings_changed=facts is not None and policy_digest != manifest.store.policy_digest,
        notes=notes_of(choice, wished, moment_ms, facts),
    )


def apply_whole(
    cleared: Cleared,
    wished: Wished,
    store: Store,
    *,
    choice: Choice,
    keep_ms: int,
    beat: Callable[[], None] = lambda: None,
) -> RestoreReport:
    """Build, verify, swap. Raises before anything is touched when the backup is not whole."""
    plan = _checked(cleared)
    clock = store.clock
    began = clock.monotonic_ns()
    manifests = [wished.manifest, wished.chosen.repository.get_manifest(choice.newest)]
    deed = Deed(
        ACTOR,
        {"manifest": plan.manifest, "mode": plan.mode.value, "at": plan.at.isoformat()},
        reached(manifests, wished.manifest.store.store_id),
        plan.mode is Mode.EVERYBODY,
    )
    built = beside(store.engine, clock.new_id())
    numbers = look(store.engine).numbers
    with rebuilt(built, wished, numbers, clock, store.key, beat) as witness:  # 2
        swapped = swap(store, built, deed, lease=cleared.lease, keep_ms=keep_ms)  # 3, 4
    outcome = outcome_of(swapped, store)  # 5
    before = swapped.before
    lost = 0 if before.untouched else max(0, before.meta.seq - wished.manifest.store.seq)
    return report_of(
        plan,
        wished,
        witness,
        store=store.url,
        lost_changes=lost,
        seconds=(clock.monotonic_ns() - began) / 1e9,
        **outcome,
    )


def outcome_of(swapped: Swapped, store: Store) -> dict[str, Any]:
    """Remove kept stores whose time is over; what a report says of the swap and of what is kept."""
    drop_kept(store.engine, store.clock.now_ms())
    there = last_kept(store)
    return {
        "replica": swapped.replica,
        "epoch": store.meta().epoch,
        "lease_epoch": swapped.lease_epoch,
        "kept": there.name if there else None,
        "kept_until": to_datetime(there.until_ms) if there else None,
    }


def report_of(plan: RestorePlan, wished: Wished, witness: Witness, **more: Any) -> RestoreReport:
    """What the plan, the state and its witness say of a whole restore, with the rest given."""
    rows, total, root = witness.found
    return RestoreReport(
        url=plan.url,
        manifest=plan.manifest,
        mode=plan.mode.value,
        rows=rows,
        root=root,
        state_sum=total,
        written=rows,
        exact=wished.exact,
        uncertain=wished.uncertain.count,
        erased=wished.erased,
        notes=plan.notes,
        **more,
    )


def _checked(cleared: Cleared) -> RestorePlan:
    plan = cleared.plan
    if not isinstance(plan, RestorePlan) or not plan.scope.whole:
        raise PlanForeign(operation=plan.operation, what="kind of restore")
    if plan.foreign and not plan.replace_other:
        why = f"{plan.manifest} is of another store than the open one (--replace-other if meant)"
        raise RestoreRefused(why=why)
    return plan


def notes_of(
    choice: Choice, wished: Wished, moment_ms: int | None, facts: Facts | None
) -> tuple[str, ...]:
    notes = []
    if choice.foreign and facts is not None:
        notes.append("this is a backup of another store than the one that is open")
    if moment_ms is not None and wished.later is None:
        notes.append(
            "the history after this backup is not known (it was the newest, or the store has been "
            "restored or copied since): what was written before the moment may be missing"
        )
    if wished.manifest.damaged_rows:
        notes.append(f"{wished.manifest.damaged_rows:,} damaged records are not in the backup")
    if wished.chosen.name != choice.newest:
        notes.append(f"there is a newer backup: {choice.newest}")
    return tuple(notes)
