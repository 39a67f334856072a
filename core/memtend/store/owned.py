"""Finding what belongs to a subject: every sibling, whether live, expired, quarantined or archived.

Labels are read from the hashed bodies. Only where a body cannot be read do its copies in columns
decide: a damaged row of somebody who is to be forgotten goes as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import QUARANTINED_FLAG, codec_of, unpack
from memtend.model.subject import Owned, Subject, SubjectKind

if TYPE_CHECKING:
    from memtend.store.store import Store

_PAGE: Final = 1_000


class Holding(NamedTuple):
    """How much of a subject there is. `rows` counts siblings and elements of sets alike."""

    rows: int = 0
    bytes: int = 0
    elements: int = 0
    expired: int = 0
    quarantined: int = 0
    archived: int = 0


def covered(store: Store, subject: Subject) -> dict[int, str]:
    """The namespaces, by number, in which a subject named by its place can have anything."""
    found = {}
    for path in store.namespaces.load():
        inside = path == subject.namespace or subject.covers_name(path)
        if inside and (ns := store.namespaces.find(path)):
            found[ns[0]] = path
    return found


def seqs_of(store: Store, subject: Subject, upto: int | None = None) -> Iterator[int]:
    """Sequence numbers of all rows of a subject, or of those written up to `upto`."""
    found = _by_label(store, subject) if subject.by_label else _by_place(store, subject)
    return found if upto is None else (seq for seq in found if seq <= upto)


def holding(store: Store, seqs: Iterator[int]) -> Holding:
    """What these rows amount to."""
    now_ms, total = store.clock.now_ms(), Holding()
    while page := list(islice(seqs, _PAGE)):
        for exp, flags, size, field in store.engine.read("sized", (store.engine.array(page),)):
            total = Holding(
                total.rows + 1,
                total.bytes + size,
                total.elements + (field != ""),
                total.expired + (exp is not None and exp <= now_ms),
                total.quarantined + bool(flags & QUARANTINED_FLAG),
                total.archived + (codec_of(flags) == Codec.ARCHIVED),
            )
    return total


def _by_place(store: Store, subject: Subject) -> Iterator[int]:
    for number in covered(store, subject):
        if subject.kind is SubjectKind.RECORD:
            rows = store.engine.read("of_key", (number, subject.name))
        else:
            rows = store.engine.read("of_namespace", (number,))
        yield from (seq for (seq,) in rows)


def _by_label(store: Store, subject: Subject) -> Iterator[int]:
    after = -1
    while rows := store.engine.read("owned", (after, _PAGE)):
        for seq, _, _, agent, writer, packed in rows:
            if subject.covers("", "", _owned(bytes(packed), agent, writer)):
                yield seq
        after = rows[-1][0]


def _owned(packed: bytes, agent: str | None, writer: str | None) -> Owned:
    try:
        body = unpack(packed)
    except Damaged:
        return Owned(agent, writer)
    return Owned(body.agent, body.writer, body.session, body.tags)
