"""Bringing back what a prune deleted: each record as it was, as a new event.

Value, labels, times and deadline are those of the archive's entry, and the version keeps the time
of its writing, so nothing looks newer than it is. A record comes back only where its ghost says
that the prune was the last that happened at its path. A record that took others over gets its own
labels back only if nobody has written it since, and before the others are back. Where somebody has,
or a later prune, what they count is taken off it in the transaction in which they return. Where a
later prune has taken it away, they wait until that is undone: its entry in the archive counts for
them. So at no time anything is counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from memtend.codec.envelope import Body, flags_of
from memtend.store import ghosts, prunings
from memtend.store.change import Change, Old
from memtend.store.ghosts import Ghost
from memtend.store.relabelling import relabel
from memtend.store.upkeep import sound
from memtend.store.writes import enforce

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.policyfile import Quotas
    from memtend.store.prunings import Pruning
    from memtend.store.restating import Squeezed
    from memtend.store.store import Store

ACTOR = "prune"


class Returning(NamedTuple):
    """A record as the archive has it, its value as it will be stored."""

    namespace: str
    key: str
    body: Body
    exp_ms: int | None
    content: int
    value: Squeezed
    keeper: tuple[str, str] | None = None
    """Namespace and key of the record that took it over."""


class Returned(NamedTuple):
    """How many came back, how many would have ended by themselves since, and how many wait."""

    rows: int
    expired: int
    waiting: int = 0


def bring_back(
    store: Store, records: Sequence[Returning], plan: Pruning, *, lease: Lease, quotas: Quotas
) -> Returned:
    """Those of which the ghost is there and whose place is empty, in one transaction."""
    made: dict[str, tuple[int, bytes]] = {}
    expired = waiting = 0
    back: list[Returning] = []
    with store.change(ACTOR, [("pruning", (plan.plan,))], lease) as (change, [known]):
        away = _pruned_since(store, change, records, plan.plan)
        for namespace, group in _by_namespace(records).items():
            ns = store.namespaces.find(namespace)
            if ns is None:
                ns = made[namespace] = store.namespaces.make(change.tx, namespace)
            found = _haunted(store, change, ns[0], namespace, group, plan.plan)
            left = [one for one in found if one[0].keeper not in away]
            waiting += len(found) - len(left)
            for one, _ in left:
                if one.exp_ms is not None and one.exp_ms <= change.now_ms:
                    expired += 1
                    continue
                _write(change, ns[0], one)
                back.append(one)
            # What was missed is remembered: it is a reason to keep it the next time.
            unmissed = [one.key for one, ghost in left if not ghost.reads]
            ghosts.forget(store, change.tx, namespace, unmissed)
        for stood in prunings.opened(known):
            _take_off(store, change, back, stood)
        enforce(change, quotas, {})
        if back:
            change.note("undo", f"{len(back):,} records, plan {plan.plan[:12]}")
    store.namespaces.keep(made)
    return Returned(len(back), expired, waiting)


def part_again(
    store: Store, keepers: Sequence[Returning], plan: Pruning, *, lease: Lease, quotas: Quotas
) -> Returned:
    """Give records that took others over their own labels again, in one transaction."""
    rows = 0
    with store.change(ACTOR, [("pruning", (plan.plan,))], lease) as (change, [known]):
        for namespace, group in _by_namespace(keepers).items():
            if (ns := store.namespaces.find(namespace)) is None:
                continue
            here = _here(store, change, ns[0], list(group))
            for key, one in group.items():
                olds = here.get(key, [])
                if len(olds) == 1 and plan.has_written(olds[0].seq):
                    change.drop(olds[0], namespace)
                    _write(change, ns[0], one)
                    rows += 1
        enforce(change, quotas, {})
        for stood in prunings.opened(known) if rows else ():
            parted = prunings.spanned(stood.parted, change.meta.seq + 1, change.seq)
            prunings.keep(change.tx, stood._replace(parted=parted))
        if rows:
            change.note("undo", f"{rows:,} merged records, plan {plan.plan[:12]}")
    return Returned(rows, 0)


def finish(store: Store, plan: Pruning, *, lease: Lease) -> None:
    """Write down that all of it was brought back, and when that was first so."""
    with store.change(ACTOR, [("pruning", (plan.plan,))], lease) as (change, [known]):
        for one in prunings.opened(known):
            if one.undone_ms is None:
                prunings.keep(change.tx, one._replace(undone_ms=change.now_ms))


def _take_off(store: Store, change: Change, back: Sequence[Returning], plan: Pruning) -> None:
    """What those that are back count, off the records that counted for them meanwhile."""
    owed: dict[tuple[str, str], list[int]] = {}
    for one in back:
        if one.keeper is not None:
            counts = owed.setdefault(one.keeper, [0, 0])
            counts[0] += one.body.success_count or 0
            counts[1] += one.body.failure_count or 0
    for (namespace, key), (good, bad) in owed.items():
        ns = store.namespaces.find(namespace)
        olds = _here(store, change, ns[0], [key]).get(key, []) if ns else []
        body = olds[0].unpacked() if len(olds) == 1 and not olds[0].field else None
        if body is None or not (good or bad):
            continue
        if plan.has_parted(olds[0].seq) or plan.is_older(olds[0].seq):
            continue
        if (body.success_count or 0) >= good and (body.failure_count or 0) >= bad:
            left = body._replace(
                success_count=_less(body.success_count, good),
                failure_count=_less(body.failure_count, bad),
            )
            relabel(store, change, olds[0], namespace, left)


def _less(count: int | None, by: int) -> int | None:
    return None if count is None else count - by


def _by_namespace(records: Sequence[Returning]) -> dict[str, dict[str, Returning]]:
    found: dict[str, dict[str, Returning]] = {}
    for one in records:
        found.setdefault(one.namespace, {})[one.key] = one
    return found


def _here(store: Store, change: Change, ns: int, keys: list[str]) -> dict[str, list[Old]]:
    here: dict[str, list[Old]] = {}
    for row in change.tx.fetch("old_many", (ns, store.engine.array(keys))):
        old = Old._make(row)
        here.setdefault(old.key, []).append(old)
    return here


def _haunted(
    store: Store,
    change: Change,
    ns: int,
    namespace: str,
    group: dict[str, Returning],
    plan: str,
) -> list[tuple[Returning, Ghost]]:
    """Those whose place is empty, and whose ghost is of this plan."""
    here = _here(store, change, ns, list(group))
    keys = {ghosts.digest_of(key): key for key in group if key not in here}
    rows = change.tx.fetch("ghosts_at", (namespace, store.engine.array(list(keys))))
    found = [Ghost._make(row) for row in sound(rows)]
    return [(group[keys[ghost.digest]], ghost) for ghost in found if ghost.plan == plan]


def _pruned_since(
    store: Store, change: Change, records: Sequence[Returning], plan: str
) -> set[tuple[str, str]]:
    """Those that took others over and that another prune has taken away."""
    keepers: dict[str, set[str]] = {}
    for namespace, key in filter(None, (one.keeper for one in records)):
        keepers.setdefault(namespace, set()).add(key)
    found = set()
    for namespace, keys in keepers.items():
        digests = {ghosts.digest_of(key): key for key in keys}
        rows = change.tx.fetch("ghosts_at", (namespace, store.engine.array(sorted(digests))))
        others = [one for one in map(Ghost._make, sound(rows)) if one.plan != plan]
        ns = store.namespaces.find(namespace)
        here = _here(store, change, ns[0], sorted(keys)) if ns and others else {}
        found |= {(namespace, digests[one.digest]) for one in others}
        found -= {(namespace, key) for key in here}
    return found


def _write(change: Change, ns: int, one: Returning) -> None:
    dot = change.mint()
    value = one.value
    body = one.body._replace(replica=dot.replica, n=dot.n, dictionary=value.dictionary)
    packed = body.pack()
    change.insert(
        one.namespace,
        body,
        (ns, one.key, "", change.meta.replica_no, dot.n, one.exp_ms,
         flags_of(value.codec, body.type, quarantined=False), body.kind, body.agent, body.writer,
         one.content, len(packed) + len(value.data), packed, value.data),
    )  # fmt: skip
