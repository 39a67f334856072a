"""What two replicas made of one value, each for itself: one of the two is enough.

Replicas that migrate the same value, merge it with the same others, or bring it back after both
have pruned it, do not hear of each other, so both new versions are kept, as concurrent values are.
They are equal in everything but the event that they come from, even in their time of writing. Of
such twins the one with the greatest event stays, at every replica the same; dropping the others is
an event like a deletion, so that peers hear of it. Whoever wrote meanwhile had seen the value of
one of them and so of both, and the rules of merging hold as for any deletion.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import ormsgpack

from memtend.codec.compress import Damaged
from memtend.codec.envelope import is_sound, path_of, prefix_of, type_of, unpack
from memtend.crdt.rows import RowKind
from memtend.model.migrated import CONTENT, MIGRATED, without_runs
from memtend.store.change import Old

if TYPE_CHECKING:
    from memtend.codec.envelope import Body
    from memtend.model.lease import Lease
    from memtend.store.change import Change
    from memtend.store.engine import Row
    from memtend.store.store import Store

_PAGE: Final = 250
_CODEC_BITS: Final = 15
_OWN: Final = frozenset(("replica", "n", "size", "dictionary", "extra"))


def drop_twins(store: Store, *, actor: str, lease: Lease | None = None) -> int:
    """Drop all but one of each set of twins; how many went. Looks only where siblings may be."""
    dropped = 0
    store.namespaces.load()
    for ns in sorted(store.namespaces.contested):
        for keys in _crowded(store, ns):
            dropped += _drop_among(store, ns, keys, actor, lease)
    return dropped


def _crowded(store: Store, ns: int) -> Iterator[list[str]]:
    after = ("", "")
    while rows := store.engine.read("crowded", (ns, *after, ns, _PAGE)):
        yield [key for key, field in rows if not field]
        after = rows[-1]


def _drop_among(
    store: Store, ns: int, keys: list[str], actor: str, lease: Lease | None
) -> int:  # fmt: skip
    here = ("here_plain", (ns, store.engine.array(keys)))
    if not _extra(store, store.engine.read(*here)):
        return 0  # no lock where there is nothing to do
    with store.change(actor, [here], lease) as (change, [rows]):
        twins = _extra(store, rows)
        seqs = store.engine.array([old.seq for old in twins])
        sound = {row[0] for row in change.tx.fetch("by_seq", (seqs,)) if _is_sound(store, row)}
        gone = [old for old in twins if old.seq in sound]
        for old in gone:
            _drop(change, old, store.namespaces.path(ns))
        if gone:
            change.note("migrate", f"{len(gone)} records that two replicas made of one value")
    return len(gone)


def _drop(change: Change, old: Old, namespace: str) -> None:
    change.drop(old, namespace)
    change.mint()
    change.log(old.ns, old.key, old.field, (change.meta.replica_no, change.n), "deleted")


def _extra(store: Store, rows: list[Row]) -> list[Old]:
    """Of each set of twins all but the one that stays."""
    sets: dict[tuple[Any, ...], list[tuple[Body, Old]]] = {}
    for row in rows:
        old, content = Old._make(row[:12]), row[12]
        try:
            body = unpack(bytes(old.body))
            likeness = _likeness(old, body, content)
        except (Damaged, ValueError, TypeError):
            continue
        if likeness is not None:
            sets.setdefault(likeness, []).append((body, old))
    extra = []
    for twins in sets.values():
        twins.sort(key=lambda twin: twin[0].dot)
        extra += [old for _, old in twins[:-1]]
    return extra


def _likeness(old: Old, body: Body, content: int) -> tuple[Any, ...] | None:
    """What twins have in common; of what a migration has made, but for the ids of its runs. None
    for a part of a counter or set: of those, two that are equal count twice."""
    if type_of(old.flags) != RowKind.PLAIN:
        return None
    labels = ormsgpack.unpackb(body.extra) if body.extra else {}
    made = labels.get(MIGRATED)
    if isinstance(made, dict) and made.get(CONTENT) == content:
        labels[MIGRATED] = without_runs(made)
    said = tuple(part for name, part in body._asdict().items() if name not in _OWN)
    flags = old.flags & ~_CODEC_BITS
    return (old.key, old.field, old.exp, flags, content, said, ormsgpack.packb(labels))


def _is_sound(store: Store, row: Row) -> bool:
    _, ns, key, field, _, _, exp, flags, *_, packed, value, digest = row
    prefix = prefix_of(store.namespaces.path(ns))
    return is_sound(prefix, path_of(key, field), flags, exp, packed, value, digest)
