"""Writing records: put one, put many, compare-and-set, delete (CRDT_SPEC 4.3).

What can be done outside the write lock is done before it: checking, encoding, compressing,
hashing. Inside, a write costs two reads and as many statements as it changes kinds of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import orjson

from memtend.errors import QuotaExceeded
from memtend.model.dot import Dot
from memtend.model.names import check_path
from memtend.store.change import (
    AGENT,
    SESSION,
    Change,
    Draft,
    Old,
)
from memtend.store.engine import Call, Row
from memtend.store.meta import crc_of
from memtend.store.placing import (
    is_part,
    live_of,
    old_rows,
    place,
    place_in_turn,
    refuse_counter,
    seen_by,
)

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.policyfile import Quotas
    from memtend.store.store import Store


def write(
    store: Store,
    drafts: Sequence[Draft],
    *,
    actor: str,
    quotas: Quotas,
    config: int,
    action: str = "put",
    op_id: str | None = None,
    lease: Lease | None = None,
    also: Callable[[Change, Mapping[str, tuple[int, bytes]]], None] | None = None,
) -> list[Dot]:
    """Write all drafts or none; returns their dots. A repeated `op_id` changes nothing. `also` adds
    to the same transaction; it is given the ids of the drafts' namespaces.

    Raises `QuotaExceeded`, `ConditionFailed`, `KindMismatch`, `StaleLease`, and `ConfigChanged`
    unless the policies that made the drafts are still those of version `config`.
    """
    taking = len(drafts) == 1 and (op_id, drafts[0].ctx, drafts[0].expected) == (None,) * 3
    taking = taking and not drafts[0].fixed
    groups: dict[str, list[Draft]] = {}
    for draft in drafts:
        groups.setdefault(draft.namespace, []).append(draft)
    known = {path: store.namespaces.find(path) for path in groups}
    totals = _totals_needed(drafts)
    # Where siblings stand beside each other, some may have to stay.
    taking = taking and not any(ns and ns[0] in store.namespaces.contested for ns in known.values())
    reads = [_old_call(store, ns[0], groups[path], taking) for path, ns in known.items() if ns]
    reads += [("tally_of", total) for total in totals]
    if op_id is not None:
        reads.append(("op", (op_id,)))
    made: dict[str, tuple[int, bytes]] = {}
    with store.change(actor, reads, lease, config) as (change, answers):
        if op_id is not None and (done := answers.pop()):
            return [Dot(replica, n) for replica, n in orjson.loads(done[0][0])]
        held = {total: answers.pop() for total in reversed(totals)}
        for path, ns in known.items():
            if ns is None:
                made[path] = store.namespaces.make(change.tx, path)
                call = _old_call(store, made[path][0], groups[path], taking)
                answers.append(change.tx.fetch(*call))
        ids = {path: ns or made[path] for path, ns in known.items()}
        olds = old_rows(answers)
        if len(drafts) > 1 and len({draft[:3] for draft in drafts}) < len(drafts):
            dots = place_in_turn(change, drafts, ids, olds)
        else:
            dots = [place(change, draft, ids[draft.namespace], olds, taking) for draft in drafts]
        enforce(change, quotas, held)
        contested = change.contested - store.namespaces.contested
        for number in contested:
            change.tx.run("contest", (number,))
            change.config += 1
        if also is not None:
            also(change, ids)
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
    config: int | None = None,
    ctx: Mapping[str, int] | frozenset[Dot] | None = None,
    lease: Lease | None = None,
    settles: bool = False,
) -> bool:
    """Drop every sibling that is here (with `ctx`: that the caller had seen). One dot, logged.

    Where all have expired there is nothing to delete: whether they were swept makes no difference.
    Parts of a counter stay, except where `settles` says that they do not belong there.
    """
    check_path(namespace, key)
    ns = store.namespaces.find(namespace)
    if ns is None or not store.engine.read("old", (ns[0], key, field)):
        return False

    def attempt() -> bool:
        reads: list[Call] = [("old", (ns[0], key, field))]
        with store.change(actor, reads, lease, config) as (change, [rows]):
            olds = [old for old in map(Old._make, rows) if seen_by(change, old, ctx)]
            live = live_of(change, olds)
            if not settles:
                refuse_counter(live, namespace, key)
                olds = [old for old in olds if old not in live or not is_part(old)]
            if live:
                for old in olds:
                    change.drop(old, namespace)
                change.mint()
                change.log(ns[0], key, field, (change.meta.replica_no, change.n), "deleted")
                change.tx.run("forget_access", (ns[0], key))
                action = "resolve" if settles else "delete"
                change.note(action, f"{namespace}/{key}" + (f"#{field}" if field else ""))
        return bool(live)

    return store.ballast.deleting(attempt)


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


def enforce(change: Change, quotas: Quotas, held: Mapping[tuple[str, str], list[Row]]) -> None:
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
