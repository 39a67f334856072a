"""Bringing back what a prune deleted: each record as it was, as a new event.

Value, labels, times and deadline are those of the archive's entry, and the version keeps the time
of its writing, so nothing looks newer than it is. A record comes back only where its ghost says
that the prune was the last that happened at its path. A record that took others over gets its own
labels back only if nobody has written it since; and before the others are back, so that at no time
anything is counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from memtend.codec.envelope import Body, flags_of
from memtend.store import ghosts, prunings
from memtend.store.change import Change, Old
from memtend.store.ghosts import Ghost
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


class Returned(NamedTuple):
    """How many came back, and how many would have ended by themselves since."""

    rows: int
    expired: int


def bring_back(
    store: Store, records: Sequence[Returning], plan: Pruning, *, lease: Lease, quotas: Quotas
) -> Returned:
    """Those of which the ghost is there and whose place is empty, in one transaction."""
    made: dict[str, tuple[int, bytes]] = {}
    rows = expired = 0
    with store.change(ACTOR, (), lease) as (change, _):
        for namespace, group in _by_namespace(records).items():
            ns = store.namespaces.find(namespace)
            if ns is None:
                ns = made[namespace] = store.namespaces.make(change.tx, namespace)
            left = _haunted(store, change, ns[0], namespace, group, plan.plan)
            for one, _ in left:
                if one.exp_ms is not None and one.exp_ms <= change.now_ms:
                    expired += 1
                    continue
                _write(change, ns[0], one)
                rows += 1
            # What was missed is remembered: it is a reason to keep it the next time.
            unmissed = [one.key for one, ghost in left if not ghost.reads]
            ghosts.forget(store, change.tx, namespace, unmissed)
        enforce(change, quotas, {})
        if rows:
            change.note("undo", f"{rows:,} records, plan {plan.plan[:12]}")
    store.namespaces.keep(made)
    return Returned(rows, expired)


def part_again(
    store: Store, keepers: Sequence[Returning], plan: Pruning, *, lease: Lease, quotas: Quotas
) -> Returned:
    """Give records that took others over their own labels again, in one transaction."""
    rows = 0
    with store.change(ACTOR, (), lease) as (change, _):
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
        if rows:
            change.note("undo", f"{rows:,} merged records, plan {plan.plan[:12]}")
    return Returned(rows, 0)


def finish(store: Store, plan: Pruning, *, lease: Lease) -> None:
    """Write down that all of it was brought back."""
    with store.change(ACTOR, [("pruning", (plan.plan,))], lease) as (change, [known]):
        for one in prunings.opened(known):
            prunings.keep(change.tx, one._replace(undone_ms=change.now_ms))


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
