"""Quarantine: take everything that one writer wrote out of sight, and put it back.

Nothing is deleted. Each record is written again under a new event with another trust label, so
replicas learn of it, and a read no longer shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.codec.compress import Codec
from memtend.codec.envelope import LABELS, codec_of, is_sound, path_of, prefix_of, unpack
from memtend.model.record import Trust
from memtend.store.change import TRUST, Draft, Old

if TYPE_CHECKING:
    from memtend.store.change import Change
    from memtend.store.engine import Row
    from memtend.store.store import Store

_SLICE = 500


def mark_writer(store: Store, writer: str, trust: Trust, *, actor: str) -> int:
    """Give all records of `writer` this trust label; returns how many changed. Safe to repeat."""
    changed, after, end = 0, 0, store.meta().seq
    while rows := store.engine.read("of_writer", (writer, after, _SLICE)):
        after = rows[-1][0]
        seqs = [seq for seq, *_ in rows if seq <= end]
        if not seqs:
            break
        with store.change(actor, [("by_seq", (store.engine.array(seqs),))]) as (change, [found]):
            count = sum(_mark(store, change, row, trust) for row in found)
            if count:
                change.note("trust", f"{trust}: {count} records of {writer}")
        changed += count
    return changed


def _mark(store: Store, change: Change, row: Row, trust: Trust) -> bool:
    seq, ns, key, field, r, n, exp, flags, _, _, _, content, size, packed, value, digest = row
    namespace = store.namespaces.path(ns)
    if not is_sound(prefix_of(namespace), path_of(key, field), flags, exp, packed, value, digest):
        return False  # a new hash would make damage look sound; no read shows it as it is
    body = unpack(bytes(packed))
    if body.trust == trust:
        return False
    stub = bytes(value) if codec_of(flags) == Codec.ARCHIVED else None
    old = Old(seq, n, exp, flags, size, bytes(packed), key, field, ns, r, bytes(digest), stub)
    change.drop(old, namespace)
    change.mint()
    labels = list(tuple(body)[LABELS])
    labels[TRUST] = str(trust)
    draft = Draft(
        namespace, key, field, bytes(value), codec_of(flags), body.dictionary, body.size, content,
        None, body.extra, body.ttl_ms, body.type,
    )  # fmt: skip
    change.add((ns, prefix_of(namespace)), draft, tuple(labels), body.created_ms, exp, body.extra)
    return True
