"""Writing rows again with another value: an address when archived, the value when recalled.

Archiving keeps the path, the dot, the labels, the deadline and the tags of a row; only the change
sequence moves on, so that backups and readers elsewhere notice. A recall is a new event, because
the value is here again. Each call is one transaction under the lease's fence; a row whose sequence
number is gone has changed since and is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from memtend.codec.address import Address
from memtend.codec.compress import Codec
from memtend.codec.envelope import (
    LABELS,
    Body,
    codec_of,
    is_sound,
    path_of,
    prefix_of,
    unpack,
)
from memtend.store.change import Draft, Old
from memtend.store.ghosts import digest_of
from memtend.store.writes import enforce

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.policyfile import Quotas
    from memtend.store.change import Change
    from memtend.store.engine import Call, Row
    from memtend.store.store import Store

_CODEC_BITS = 15


class Restated(NamedTuple):
    """How many rows were written, and their size before and after."""

    rows: int
    before_bytes: int
    after_bytes: int


class Squeezed(NamedTuple):
    """A value as it will be stored."""

    data: bytes
    codec: int
    dictionary: int | None = None


class Planted(NamedTuple):
    """A record that the archive still has and the store has lost."""

    namespace: str
    key: str
    body: Body
    exp_ms: int | None
    content: int
    address: Address


def archive(store: Store, addresses: Mapping[int, Address], *, lease: Lease, note: str) -> Restated:
    """Put addresses in the place of values (or of older addresses), by sequence number."""
    rows = before = after = 0
    with store.change("archive", _by_seq(store, list(addresses)), lease) as (change, [found]):
        for row in found:
            namespace = store.namespaces.path(row[1])
            old = _old(row, namespace)
            if old is None:
                continue  # damaged since it was read; a new hash would make it look sound
            size = _restate(change, row, old, namespace, addresses[old.seq].pack())
            rows, before, after = rows + 1, before + old.size, after + size
        if rows:
            change.note("archive", f"{rows} records, {note}")
    return Restated(rows, before, after)


def recall(
    store: Store, values: Mapping[int, Squeezed], *, lease: Lease | None, quotas: Quotas, note: str
) -> Restated:
    """Put values back in the place of addresses, by sequence number, each as a new event."""
    rows = before = after = 0
    with store.change("archive", _by_seq(store, list(values)), lease) as (change, [found]):
        for row in found:
            seq, ns, key, field, _, _, exp, flags, *_, content, _, packed, _, _ = row
            namespace = store.namespaces.path(ns)
            old = _old(row, namespace)
            if old is None or codec_of(flags) != Codec.ARCHIVED:
                continue
            body, value = unpack(bytes(packed)), values[seq]
            change.drop(old, namespace)
            change.mint()
            draft = Draft(
                namespace, key, field, value.data, value.codec, value.dictionary, body.size,
                content, None, body.extra, body.ttl_ms, body.type,
            )  # fmt: skip
            after += _add(change, (ns, prefix_of(namespace)), draft, body, exp)
            rows, before = rows + 1, before + old.size
        enforce(change, quotas, {})
        if rows:
            change.note("recall", f"{rows} records, {note}")
    return Restated(rows, before, after)


def plant(store: Store, records: Sequence[Planted], *, lease: Lease) -> Restated:
    """Make stubs for records that the store has lost, each as a new event.

    Only where nothing is at the path, and neither the change log nor a ghost says that the record
    ended.
    """
    rows = after = 0
    made: dict[str, tuple[int, bytes]] = {}
    with store.change("archive", (), lease) as (change, _):
        for one in records:
            ns = made.get(one.namespace) or store.namespaces.find(one.namespace)
            if ns is None:
                ns = made[one.namespace] = store.namespaces.make(change.tx, one.namespace)
            if _is_taken(store, change, ns[0], one):
                continue
            change.mint()
            draft = Draft(
                one.namespace, one.key, "", one.address.pack(), Codec.ARCHIVED, None,
                one.body.size, one.content, None, one.body.extra, one.body.ttl_ms, one.body.type,
            )  # fmt: skip
            after += _add(change, ns, draft, one.body, one.exp_ms)
            rows += 1
        if rows:
            change.note("reindex", f"{rows} records")
    store.namespaces.keep(made)
    return Restated(rows, 0, after)


def _by_seq(store: Store, seqs: list[int]) -> list[Call]:
    return [("by_seq", (store.engine.array(seqs),))]


def _add(change: Change, ns: tuple[int, bytes], draft: Draft, body: Body, exp: int | None) -> int:
    had = change.size
    change.add(ns, draft, tuple(body)[LABELS], body.created_ms, exp, body.extra)
    return change.size - had


def _is_taken(store: Store, change: Change, ns: int, one: Planted) -> bool:
    if change.tx.fetch("get_fields", (ns, one.key)):
        return True
    ended = change.tx.fetch("log_of_field", (ns, one.key, ""))
    if change.tx.fetch("ghosts_at", (one.namespace, store.engine.array([digest_of(one.key)]))):
        return True
    return any(store.replicas.id(r) == one.body.replica and n >= one.body.n for r, n in ended)


def _old(row: Row, namespace: str) -> Old | None:
    """The row as `Change.drop` takes it, or None where it does not match its hash."""
    seq, ns, key, field, r, n, exp, flags, _, _, _, _, size, packed, value, digest = row
    if not is_sound(prefix_of(namespace), path_of(key, field), flags, exp, packed, value, digest):
        return None
    stub = bytes(value) if codec_of(flags) == Codec.ARCHIVED else None
    return Old(seq, n, exp, flags, size, bytes(packed), key, field, ns, r, bytes(digest), stub)


def _restate(change: Change, row: Row, old: Old, namespace: str, value: bytes) -> int:
    """Write a row again with another value under the next sequence number; its new size."""
    _, ns, key, field, r, n, exp, flags, kind, agent, writer, content, _, packed, _, _ = row
    body = unpack(bytes(packed))
    change.drop(old, namespace)
    flags = flags & ~_CODEC_BITS | Codec.ARCHIVED
    size = len(packed) + len(value)
    change.insert(
        namespace,
        body,
        (ns, key, field, r, n, exp, flags, kind, agent, writer, content, size, bytes(packed),
         value),
    )  # fmt: skip
    return size
