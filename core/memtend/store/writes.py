"""Writing records: put one, put many, compare-and-set, delete (CRDT_SPEC 4.3).

What can be done outside the write lock is done before it: checking, encoding, compressing,
hashing. Inside, a write costs two reads and as many statements as it changes kinds of rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import orjson

from memtend.codec.envelope import LABELS, QUARANTINED_FLAG, Body, type_of
from memtend.crdt.hlc import millis
from memtend.crdt.rows import RowKind
from memtend.errors import ConditionFailed, KindMismatch, QuotaExceeded
from memtend.model.dot import Dot
from memtend.model.names import check_path
from memtend.store.change import (
    AGENT,
    SESSION,
    WRITER,
    Change,
    Described,
    Draft,
    Old,
)
from memtend.store.engine import Call, Row
from memtend.store.meta import crc_of

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.policyfile import Quotas
    from memtend.store.store import Store

_PLAIN_LABELS: Described = (
    "note", None, None, (), 0.5, None, None, None, False, None, "unverified",
)  # fmt: skip


def write(
    store: Store,
    drafts: Sequence[Draft],
    *,
    actor: str,
    quotas: Quotas,
    action: str = "put",
    op_id: str | None = None,
    lease: Lease | None = None,
) -> list[Dot]:
    """Write all drafts or none; returns their dots. A repeated `op_id` changes nothing.

    Raises `QuotaExceeded`, `ConditionFailed`, `KindMismatch`, `StaleLease`.
    """
    taking = len(drafts) == 1 and (op_id, drafts[0].ctx, drafts[0].expected) == (None,) * 3
    groups: dict[str, list[Draft]] = {}
    for draft in drafts:
        groups.setdefault(draft.namespace, []).append(draft)
    known = {path: store.namespaces.find(path) for path in groups}
    totals = _totals_needed(drafts)
    reads = [_old_call(store, ns[0], groups[path], taking) for path, ns in known.items() if ns]
    reads += [("tally_of", total) for total in totals]
    if op_id is not None:
        reads.append(("op", (op_id,)))
    made: dict[str, tuple[int, bytes]] = {}
    with store.change(actor, reads, lease) as (change, answers):
        if op_id is not None and (done := answers.pop()):
            return [Dot(replica, n) for replica, n in orjson.loads(done[0][0])]
        held = {total: answers.pop() for total in reversed(totals)}
        for path, ns in known.items():
            if ns is None:
                made[path] = store.namespaces.make(change.tx, path)
                call = _old_call(store, made[path][0], groups[path], taking)
                answers.append(change.tx.fetch(*call))
        ids = {path: ns or made[path] for path, ns in known.items()}
        olds = _old_rows(answers)
        if len(drafts) > 1 and len({draft[:3] for draft in drafts}) < len(drafts):
            dots = _place_in_turn(change, drafts, ids, olds)
        else:
            dots = [_place(change, draft, ids[draft.namespace], olds, taking) for draft in drafts]
        _enforce(change, quotas, held)
        contested = change.contested - store.namespaces.contested
        for number in contested:
            change.tx.run("contest", (number,))
            change.config += 1
        change.note(action, _detail(change, drafts))
        if op_id is not None:
            row = (op_id, change.now_ms, orjson.dumps([list(dot) for dot in dots]).decode())
            change.tx.run("save_op", (*row, crc_of(row)))
    store.namespaces.keep(made)
    store.namespaces.contested |= contested
    return dots


def delete(
    store: Store,
    namespace: str,
    key: str,
    field: str = "",
    *,
    actor: str,
    ctx: Mapping[str, int] | None = None,
    lease: Lease | None = None,
) -> bool:
    """Drop every sibling that is here (with `ctx`: that the caller had seen). One dot, logged.

    Where all have expired there is nothing to delete: whether they were swept makes no difference.
    """
    check_path(namespace, key)
    ns = store.namespaces.find(namespace)
    if ns is None or not store.engine.read("old", (ns[0], key, field)):
        return False
    place = (namespace, key, field)
    return store.ballast.deleting(lambda: _delete(store, ns, place, actor, ctx, lease))


def _delete(
    store: Store,
    ns: tuple[int, bytes],
    place: tuple[str, str, str],
    actor: str,
    ctx: Mapping[str, int] | None,
    lease: Lease | None,
) -> bool:
    namespace, key, field = place
    with store.change(actor, [("old", (ns[0], key, field))], lease) as (change, [rows]):
        olds = [old for old in map(Old._make, rows) if _seen(change, old, ctx)]
        live = _live(change, olds)
        _refuse_counter(live, namespace, key)
        if live:
            for old in olds:
                change.drop(old, namespace)
            change.mint()
            change.log(ns[0], key, field, (change.meta.replica_no, change.n), "deleted")
            change.tx.run("forget_access", (ns[0], key))
            change.note("delete", f"{namespace}/{key}" + (f"#{field}" if field else ""))
    return bool(live)


def _old_call(store: Store, ns: int, group: Sequence[Draft], taking: bool) -> Call:
    """Reads what is at the paths; a write that replaces all of it takes it out in one go."""
    if len(group) == 1:
        return "take" if taking else "old", (ns, group[0].key, group[0].field)
    keys = list({draft.key: None for draft in group})
    return "old_many", (ns, store.engine.array(keys))


def _totals_needed(drafts: Sequence[Draft]) -> list[tuple[str, str]]:
    """Agents and sessions whose quota this write may touch."""
    needed: dict[tuple[str, str], None] = {}
    for draft in drafts:
        if draft.labels is not None:
            for scope, name in (("agent", draft.labels[AGENT]), ("session", draft.labels[SESSION])):
                if name is not None:
                    needed[scope, name] = None
    return list(needed)


_Olds = dict[tuple[int, str, str], list[Old]]


def _old_rows(answers: list[list[Row]]) -> _Olds:
    olds: _Olds = {}
    for rows in answers:
        for row in rows:
            old = Old._make(row)
            olds.setdefault((old.ns, old.key, old.field), []).append(old)
    return olds


def _place(
    change: Change, draft: Draft, ns: tuple[int, bytes], olds: _Olds, taken: bool = False
) -> Dot:
    at = (ns[0], draft.key, draft.field)
    here = olds.pop(at, None) if olds else None
    if draft.expected is not None:
        _compare(change, draft, here or [])
    labels, extra = draft.labels, draft.extra
    created_ms: int | None = None
    if here:
        if draft.type != RowKind.COUNTER:
            _refuse_counter(_live(change, here), draft.namespace, draft.key)
        replaced = here
        if draft.ctx is not None:
            replaced = [old for old in here if _seen(change, old, draft.ctx)]
            olds[at] = [old for old in here if old not in replaced]
            if olds[at]:
                change.contested.add(ns[0])
        live = _drop(change, replaced, draft.namespace, taken)
        created_ms = min((body.created_ms for body in live), default=None)
        if labels is None and live:
            kept = max(live, key=lambda body: body.ts)
            labels, extra = tuple(kept)[LABELS], kept.extra
    if draft.labels is None:
        labels = _written_by(draft.writer, labels or _PLAIN_LABELS)
    dot = change.mint()
    base_ms = millis(change.hlc)
    if draft.created_ms is not None:
        created_ms = draft.created_ms
    exp = draft.exp_ms
    if exp is None and draft.ttl_ms is not None:
        exp = base_ms + draft.ttl_ms
    created_ms = base_ms if created_ms is None else created_ms
    change.add(ns, draft, labels, created_ms, exp, extra)  # type: ignore[arg-type]
    return dot


def _drop(change: Change, replaced: list[Old], namespace: str, taken: bool) -> list[Body]:
    """Drop siblings; returns the bodies of those that were visible."""
    shown = []
    for old in replaced:
        body = change.drop(old, namespace, taken=taken)
        if body and not old.flags & QUARANTINED_FLAG and _is_live(change, old):
            shown.append(body)
    return shown


def _written_by(writer: str | None, labels: Described) -> Described:
    if writer is None:
        return labels
    changed = list(labels)
    changed[AGENT] = changed[AGENT] or writer
    changed[WRITER] = writer
    return tuple(changed)


def _place_in_turn(
    change: Change,
    drafts: Sequence[Draft],
    ids: Mapping[str, tuple[int, bytes]],
    olds: dict[tuple[int, str, str], list[Old]],
) -> list[Dot]:
    """Where a path occurs again, its next draft meets what the batch has just written there."""
    placed: set[tuple[str, str, str]] = set()
    dots = []
    for draft in drafts:
        ns, path = ids[draft.namespace], draft[:3]
        if path in placed:
            change.write_rows()
            olds |= _old_rows([change.tx.fetch("old", (ns[0], draft.key, draft.field))])
        placed.add(path)
        dots.append(_place(change, draft, ns, olds))
    return dots


def _seen(change: Change, old: Old, ctx: Mapping[str, int] | None) -> bool:
    if ctx is None:
        return True
    body = old.unpacked()
    return body is None or body.n <= ctx.get(body.replica, 0)


def _compare(change: Change, draft: Draft, here: list[Old]) -> None:
    # A counter's parts live and end together, so a count is compared with all of them.
    live = here if draft.type == RowKind.COUNTER else _live(change, here)
    shown = (old.unpacked() for old in live if not old.flags & QUARANTINED_FLAG)
    found = frozenset(body.dot for body in shown if body)
    if found != draft.expected:
        raise ConditionFailed(
            namespace=draft.namespace,
            key=draft.key,
            expected=_say(draft.expected),
            found=_say(found),
        )


def _live(change: Change, olds: Sequence[Old]) -> list[Old]:
    return [old for old in olds if _is_live(change, old)]


def _is_live(change: Change, old: Old) -> bool:
    return old.exp is None or change.now_ms < old.exp


def _refuse_counter(live: Sequence[Old], namespace: str, key: str) -> None:
    """A counter ends by expiring or by a new epoch; a value on top would end it unseen (4.5)."""
    if any(type_of(old.flags) == RowKind.COUNTER for old in live):
        raise KindMismatch(namespace=namespace, key=key, found="counter", wanted="a value")


def _say(dots: frozenset[Dot] | None) -> str:
    return ", ".join(f"{dot.replica[:8]}:{dot.n}" for dot in sorted(dots or ())) or "nothing"


def _enforce(change: Change, quotas: Quotas, held: Mapping[tuple[str, str], list[Row]]) -> None:
    limits = {"agent": quotas.agent_bytes, "session": quotas.session_bytes}
    for (scope, name), (_, grown) in change.tallies().items():
        if grown > 0 and scope in limits:
            rows = held.get((scope, name))
            if rows is None:
                rows = change.tx.fetch("tally_of", (scope, name))
            would = grown + (rows[0][1] if rows else 0)
            if would > limits[scope]:
                raise QuotaExceeded(scope=scope, name=name, would=would, limit=limits[scope])
    if change.size > max(quotas.store_bytes, change.meta.size):
        raise QuotaExceeded(scope="store", name="all", would=change.size, limit=quotas.store_bytes)


def _detail(change: Change, drafts: Sequence[Draft]) -> str:
    if len(drafts) == 1:
        field = f"#{drafts[0].field}" if drafts[0].field else ""
        return f"{drafts[0].namespace}/{drafts[0].key}{field}"
    return f"{len(drafts)} records, changes {change.meta.seq + 1} to {change.seq}"
