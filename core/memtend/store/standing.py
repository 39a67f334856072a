"""What the store holds at many paths at once, without their values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import ormsgpack

from memtend.codec.compress import Damaged
from memtend.codec.envelope import QUARANTINED_FLAG, type_of, unpack
from memtend.crdt.rows import RowKind
from memtend.model.standing import Held, Standing

if TYPE_CHECKING:
    from memtend.store.engine import Row
    from memtend.store.store import Store

Path = tuple[str, str]
"""Namespace and key."""
Place = tuple[str, str, str]
"""Namespace, key and field."""


def field_standings(store: Store, places: Iterable[Place]) -> dict[Place, Standing]:
    """The same for elements of sets and fields of maps; two statements a key."""
    by_key: dict[Path, list[str]] = {}
    for namespace, key, field in places:
        by_key.setdefault((namespace, key), []).append(field)
    now_ms, found = store.clock.now_ms(), {}
    read, array = store.engine.read, store.engine.array
    for (namespace, key), fields in by_key.items():
        ns = store.namespaces.find(namespace)
        if ns is None:
            continue
        rows: dict[str, list[Row]] = {}
        for field, *row in read("held_fields", (ns[0], key, array(fields))):
            rows.setdefault(field, []).append(tuple(row))
        for field, of in rows.items():
            found[namespace, key, field] = _standing(of, now_ms)
        if gone := [field for field in fields if field not in rows]:
            for field, why, at in read("ended_fields", (ns[0], key, array(gone))):
                found[namespace, key, field] = Standing(ended=why, ended_ms=at)
    return found


def standings(store: Store, paths: Iterable[Path]) -> dict[Path, Standing]:
    """Every path of which the store knows anything; the others are not in it.

    Two statements a namespace, whatever the number of paths. Expired siblings count.
    """
    by_namespace: dict[str, list[str]] = {}
    for namespace, key in paths:
        by_namespace.setdefault(namespace, []).append(key)
    now_ms, found = store.clock.now_ms(), {}
    for namespace, keys in by_namespace.items():
        ns = store.namespaces.find(namespace)
        if ns is None:
            continue
        rows: dict[str, list[Row]] = {}
        for key, *row in store.engine.read("held_many", (ns[0], store.engine.array(keys))):
            rows.setdefault(key, []).append(tuple(row))
        found.update({(namespace, key): _standing(of, now_ms) for key, of in rows.items()})
        if gone := [key for key in keys if key not in rows]:
            ended = store.engine.read("ended_many", (ns[0], store.engine.array(gone)))
            found.update(
                {(namespace, key): Standing(ended=why, ended_ms=at) for key, why, at in ended}
            )
    return found


def _standing(rows: list[Row], now_ms: int) -> Standing:
    held = []
    for exp, flags, packed, content in rows:
        try:
            body = unpack(packed)
            extra = ormsgpack.unpackb(body.extra) if body.extra else {}
        except (Damaged, ormsgpack.MsgpackDecodeError):
            continue
        live = exp is None or now_ms < exp
        shown = live and not flags & QUARANTINED_FLAG
        counter = type_of(flags) == RowKind.COUNTER
        held.append(Held(body.dot, content, counter, live, shown, extra))
    return Standing(tuple(held), damaged=len(rows) - len(held))
