"""Bringing a store that this program cannot open to a schema that it can, and back.

A store of another schema has no services: these are functions, which take its address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtend.clock import to_datetime
from memtend.errors import NothingKept, SchemaRefused, StoreTooNew
from memtend.limits import KEEP_OLD_MS, SCHEMA_MARGIN_BYTES
from memtend.model.upgrade import SchemaPlan, SchemaReport, SchemaState
from memtend.store import schema
from memtend.store.meta import Meta
from memtend.store.snapshots import (
    check_name,
    drop_pre_stores,
    name_of,
    pre_stores,
    prefix_of,
)
from memtend.store.upgrade_ground import losses
from memtend.store.upgrading import (
    Move,
    Moved,
    ground_of,
    key_of,
    move,
    refuse_losses,
    rehearse,
    take_back,
    verify,
)

if TYPE_CHECKING:
    from memtend.clock import Clock
    from memtend.settings import Settings
    from memtend.store.upgrade_ground import Ground

_CHANGED: Final = "{count:,} changes were written since, and --lose was not said"


def schema_state(url: str) -> SchemaState:
    """Of which schema the store is, and what is pending. Nothing is written."""
    with ground_of(url) as ground:
        found = schema.revision(ground.engine)
        newer = found is not None and found > schema.HEAD
        return SchemaState(
            url=ground.engine.url,
            found=found,
            known=schema.HEAD,
            pending=() if newer else schema.steps(found, schema.HEAD),
            newer=newer,
        )


def plan_schema(url: str, settings: Settings, clock: Clock, to: str | None = None) -> SchemaPlan:
    """What `apply_schema` would do; raises `StoreTooNew`, `SchemaRefused`. Nothing is written.

    `to` is a revision that this program knows; without it, the newest.
    """
    with ground_of(url) as ground:
        key_of(ground, settings.key_path, clock)  # it would be missed later
        return _planned(ground, clock, to or schema.HEAD)


def bring_forward(url: str, settings: Settings, clock: Clock) -> SchemaReport | None:
    """Plan and apply what is pending; None where nothing is, as when somebody else was faster."""
    if not schema_state(url).pending:
        return None
    return apply_schema(plan_schema(url, settings, clock), settings, clock, url=url)


def schema_before(url: str) -> str:
    """Where `rollback_schema` goes back to: where the last migration of the schema came from."""
    with ground_of(url) as ground:
        return _came_from(ground)


def apply_schema(
    plan: SchemaPlan,
    settings: Settings,
    clock: Clock,
    *,
    rehearsal: bool = True,
    lose: bool = False,
    url: str | None = None,
    keep_ms: int = KEEP_OLD_MS,
) -> SchemaReport:
    """Carry a plan out. `url` is where the store is, if the settings do not say it.

    Raises `SchemaRefused` before anything is touched, and `SchemaWrong` where the rehearsal or the
    migration did not keep every row. Safe to repeat: where the store is there already, nothing is
    done. Without `rehearsal` only what the transaction itself checks is checked.
    """
    began = clock.monotonic_ns()
    with ground_of(url or settings.store_url) as ground, ground.alone():
        engine = ground.engine
        if plan.url != engine.url or plan.store_id != _meta(ground).store_id:
            raise SchemaRefused(url=engine.url, why="the plan is that of another store")
        if schema.revision(engine) == plan.wanted:
            return SchemaReport(url=plan.url, found=plan.wanted, wanted=plan.wanted, applied=False)
        _check_room(ground)
        key = key_of(ground, settings.key_path, clock)
        step = _step(ground, plan, clock, keep_ms, lose=lose)
        refuse_losses(engine.url, step, plan.losses)
        if rehearsal:
            rehearse(ground, step.found, step.wanted, clock, key)
        moved = move(ground, step, clock, key)
        verified = rehearsal and step.wanted == schema.HEAD
        if verified:
            verify(ground, step, clock, key)
        drop_pre_stores(engine, clock.now_ms())
        return _report(plan, step, moved, clock, began, keep_ms).model_copy(
            update={"rehearsed": rehearsal, "verified": verified}
        )


def rollback_schema(
    url: str,
    settings: Settings,
    clock: Clock,
    *,
    to: str | None = None,
    snapshot: bool = False,
    lose: bool = False,
    rehearsal: bool = True,
    keep_ms: int = KEEP_OLD_MS,
) -> SchemaReport:
    """Go back to where the last migration of the schema came from, or to `to`.

    What was written since stays, as far as the older schema has a place for it; where it has none,
    it is refused unless `lose` is said. With `snapshot` the copy from before the last migration, in
    whichever direction, takes the store's place; the store is kept in its turn.
    """
    if snapshot:
        return _swap_back(url, settings, clock, lose=lose, keep_ms=keep_ms)
    with ground_of(url) as ground:
        wanted = to or _came_from(ground)
        plan = _planned(ground, clock, wanted)
    if not plan.is_downgrade:
        why = f"it is of schema {plan.found}, and {wanted} does not lie before that"
        raise SchemaRefused(url=plan.url, why=why)
    return apply_schema(
        plan, settings, clock, rehearsal=rehearsal, lose=lose, url=url, keep_ms=keep_ms
    )


def _planned(ground: Ground, clock: Clock, wanted: str) -> SchemaPlan:
    engine = ground.engine
    found = _checked(ground, wanted)
    check_name(engine)
    meta, size_bytes = _meta(ground), ground.size_bytes()
    return SchemaPlan(
        url=engine.url,
        engine=engine.kind,
        store_id=meta.store_id,
        made_at=to_datetime(clock.now_ms()),
        found=found,
        wanted=wanted,
        revisions=schema.steps(found, wanted),
        rows=meta.rows,
        size_bytes=size_bytes,
        state_sum=bytes(meta.sum).hex(),
        seq=meta.seq,
        snapshot=f"{prefix_of(engine)}{wanted}",
        needs_bytes=_needs(ground),
        free_bytes=ground.free_bytes(),
        losses=losses(engine.script, found, wanted),
    )


def _checked(ground: Ground, wanted: str) -> str:
    """The store's revision, from which the wanted one can be reached."""
    url, found = ground.engine.url, schema.revision(ground.engine)
    known = [one.number for one in schema.REVISIONS]
    if found is not None and found > schema.HEAD:
        raise StoreTooNew(url=url, found=found, known=schema.HEAD)
    for number in (found, wanted):
        if number not in known:
            why = f"there is no revision {number} among {', '.join(known)}"
            raise SchemaRefused(url=url, why=why)
    return str(found)


def _came_from(ground: Ground) -> str:
    found = _checked(ground, schema.HEAD)
    if found == schema.HEAD:
        for row in reversed(ground.engine.read("migrations")):
            if row[1] == "schema" and row[7] == "done" and row[4] == found:
                return str(row[3])
    before = [one.number for one in schema.REVISIONS if one.number < found]
    if not before:
        raise SchemaRefused(url=ground.engine.url, why=f"{found} is the first revision")
    return before[-1]


def _swap_back(
    url: str, settings: Settings, clock: Clock, *, lose: bool, keep_ms: int
) -> SchemaReport:
    began = clock.monotonic_ns()
    with ground_of(url) as ground, ground.alone():
        engine = ground.engine
        found = _checked(ground, schema.HEAD)
        key = key_of(ground, settings.key_path, clock)
        kept = next((one for one in pre_stores(engine) if one.wanted == found), None)
        if kept is None:
            raise NothingKept(url=engine.url)
        wanted, meta = ground.kept(kept.name)
        live = _meta(ground)
        if meta.store_id != live.store_id:
            raise SchemaRefused(url=engine.url, why=f"{kept.name} is a copy of another store")
        if live.seq > meta.seq and not lose:
            raise SchemaRefused(url=engine.url, why=_CHANGED.format(count=live.seq - meta.seq))
        _check_room(ground)
        plan = _planned(ground, clock, wanted)
        step = _step(ground, plan, clock, keep_ms, lose=lose)
        moved = take_back(ground, step, kept.name, clock, key)
        drop_pre_stores(engine, clock.now_ms())
        return _report(plan, step, moved, clock, began, keep_ms)


def _step(ground: Ground, plan: SchemaPlan, clock: Clock, keep_ms: int, *, lose: bool) -> Move:
    now_ms = clock.now_ms()
    # No two under one name: what is kept must never be written over.
    made_ms = max([now_ms, *(one.made_ms + 1 for one in pre_stores(ground.engine))])
    name = name_of(ground.engine, plan.wanted, made_ms, now_ms + keep_ms)
    return Move(clock.new_id(), plan.found, plan.wanted, plan.digest, name, now_ms, lose)


def _report(
    plan: SchemaPlan, step: Move, moved: Moved, clock: Clock, began_ns: int, keep_ms: int
) -> SchemaReport:
    return SchemaReport(
        url=plan.url,
        run=step.run,
        found=step.found,
        wanted=step.wanted,
        revisions=plan.revisions,
        rows=moved.rows.rows,
        state_sum=moved.rows.sum.hex(),
        rows_digest=moved.rows.digest,
        snapshot=step.snapshot,
        snapshot_until=to_datetime(step.began_ms + keep_ms),
        losses=moved.losses,
        seconds=(clock.monotonic_ns() - began_ns) / 1e9,
    )


def _meta(ground: Ground) -> Meta:
    return Meta.of(ground.engine.read("meta"), ground.engine.url)


def _needs(ground: Ground) -> int:
    """For a copy to rehearse on or to keep, and for what the migration itself writes."""
    size_bytes = ground.size_bytes()
    return size_bytes + size_bytes // 4 + SCHEMA_MARGIN_BYTES


def _check_room(ground: Ground) -> None:
    free, needs = ground.free_bytes(), _needs(ground)
    if free is not None and free < needs:
        why = f"copies of it need {needs:,} bytes beside it, and {free:,} are free"
        raise SchemaRefused(url=ground.engine.url, why=why)
