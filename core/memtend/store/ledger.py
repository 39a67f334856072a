"""The erasure ledger: what was erased, as keyed hashes, so that nothing brings it back.

    ledger = Filter.of_side(state.side())     # from a backup
    rows = (row for row in state.rows() if not ledger.erased(row))

An entry says: whatever matches this hash and was written up to `at_hlc` is gone for good. A record
that is written again later lives. Kinds of entries: `record` (namespace and key), `namespace` (a
path and everything below; with a mask such as `namespace t*t` where `*` stood for a segment),
`agent`, `writer`, `session`, `tag`, and `path`: a record that the erasure of such a label left
empty, so that the names of the dead in change log and audit trail are known as well.

The key travels with the ledger. It keeps the names from being read or guessed in passing; whoever
holds a whole backup with its key can test a name that he already knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import ormsgpack

from memtend.codec.compress import Damaged
from memtend.codec.envelope import Body, unpack
from memtend.crdt.hlc import millis
from memtend.errors import LedgerUnreadable
from memtend.model.pattern import compile_pattern
from memtend.model.subject import Owned, Subject, SubjectKind
from memtend.store.interned import ERASURE_KEY

if TYPE_CHECKING:
    from memtend.model.stored import LogRow, SideRow, StoredRow
    from memtend.store.engine import Engine, Reader

KEY_SETTING: Final = ERASURE_KEY
"""Settings whose names begin so hold keys, one for each store whose ledger was taken over."""
DIGEST_BYTES: Final = 16
PATH: Final = "path"
_CACHED_MAX: Final = 65_536
_LABELS: Final = ("agent", "writer", "session")


class Erasure(NamedTuple):
    """One row of the ledger."""

    kind: str
    digest: bytes
    at_hlc: int
    seq: int


class Mark(NamedTuple):
    """Up to when something is erased; below everything where it is not."""

    at_hlc: int
    seq: int


_NEVER: Final = Mark(-1, -1)


def digest_of(key: bytes, kind: str, text: str) -> bytes:
    return blake2b(f"{kind}\0{text}".encode(), key=key, digest_size=DIGEST_BYTES).digest()


def entries_of(subject: Subject, key: bytes, known: Iterable[str] = ()) -> list[tuple[str, bytes]]:
    """Kind and digest of what the ledger must hold of a subject.

    A namespace pattern with a `*` inside a segment or a `**` before the end has no single hash: it
    is written down as those of the `known` namespaces that it covers.
    """
    if subject.kind is SubjectKind.RECORD:
        return [_entry(key, "record", f"{subject.namespace}\0{subject.name}")]
    if subject.kind is not SubjectKind.NAMESPACE:
        return [_entry(key, subject.kind.value, subject.name)]
    if (shape := _shape(subject.name)) is not None:
        return [_entry(key, *shape)]
    pattern = compile_pattern(subject.name)
    return [_entry(key, "namespace", path) for path in known if pattern.governs(path)]


def path_entry(key: bytes, namespace: str, name: str) -> tuple[str, bytes]:
    return _entry(key, PATH, f"{namespace}\0{name}")


def erased_after(side: Iterable[SideRow], seq: int) -> bool:
    """Whether the small tables of a store tell of an erasure after this change."""
    told = (ormsgpack.unpackb(row.cells)[1] for row in side if row.table == "erasure")
    return any(at > seq for at in told)


class Filter:
    """Answers for single rows whether they were erased. Made for restores of millions of rows."""

    def __init__(self, rows: Iterable[Erasure], keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)
        self._marks: dict[str, dict[bytes, Mark]] = {}
        for kind, digest, at_hlc, seq in rows:
            marks = self._marks.setdefault(kind, {})
            marks[digest] = max(marks.get(digest, _NEVER), Mark(at_hlc, seq))
        if self._marks and not self._keys:
            raise LedgerUnreadable
        self._masks = [kind.partition(" ")[2] for kind in self._marks if " " in kind]
        self._by_label = any(kind in self._marks for kind in (*_LABELS, "tag"))
        self._seen: dict[tuple[str, str], Mark] = {}

    @classmethod
    def of_side(cls, *tables: Iterable[SideRow]) -> Self:
        """From the small tables of one or more backups or stores, taken together."""
        rows: list[Erasure] = []
        keys: dict[bytes, None] = {}
        for table in tables:
            for side in table:
                if side.table == "erasure":
                    at_hlc, seq, _ = ormsgpack.unpackb(side.cells)
                    rows.append(Erasure(side.name, bytes.fromhex(side.field), at_hlc, seq))
                elif side.table == "setting" and side.name.startswith(KEY_SETTING):
                    keys[bytes.fromhex(ormsgpack.unpackb(side.cells)[0])] = None
        return cls(rows, tuple(keys))

    @classmethod
    def load(cls, store: Reader | Engine) -> Self:
        """The ledger of an open store, or of one view of it."""
        read = store.fetch if hasattr(store, "fetch") else store.read
        rows = read("stream_erasure")
        held = [Erasure(kind, bytes(digest), at_hlc, seq) for kind, digest, at_hlc, seq, _ in rows]
        settings = read("settings") if held else []
        keys = [bytes.fromhex(value) for name, value, _ in settings if name.startswith(KEY_SETTING)]
        return cls(held, keys)

    def only(self, entries: Iterable[tuple[str, bytes]], *, paths: bool) -> Self:
        """The part that one erasure wrote; `paths`: together with all notes of empty paths."""
        own = {(kind, digest): self._marks.get(kind, {}).get(digest) for kind, digest in entries}
        rows = [Erasure(*entry, *mark) for entry, mark in own.items() if mark is not None]
        if paths:
            rows += [Erasure(PATH, *one) for one in _flat(self._marks.get(PATH, {}))]
        return type(self)(rows, self._keys)

    def __bool__(self) -> bool:
        return bool(self._marks)

    def erased(self, row: StoredRow) -> bool:
        """Whether a stored sibling must not come back."""
        return self.erased_entry(row.namespace, row.key, row.body)

    def erased_entry(self, namespace: str, key: str, packed: bytes) -> bool:
        """The same of a name and a body. One that cannot be read is judged by its name alone."""
        mark = self._named(namespace, key)
        if mark.at_hlc < 0 and not self._by_label:
            return False
        try:
            body = unpack(packed)
        except Damaged:
            return mark.at_hlc >= 0
        return body.ts <= mark.at_hlc or (self._by_label and body.ts <= self._owned(body).at_hlc)

    def erased_log(self, row: LogRow) -> bool:
        """Whether an entry of the change log was taken out. The store's sequence decides: whatever
        joined the log after the erasure stays."""
        return row.seq <= self.names(row.namespace, row.key).seq

    def forbids(self, namespace: str, key: str, owned: Owned, at_ms: int | None) -> bool:
        """Whether something from outside, last written at `at_ms`, was erased here.

        What does not know its own age cannot show that it is younger than the erasure.
        """
        at_hlc = max(self._named(namespace, key).at_hlc, self._owned(owned).at_hlc)
        return at_hlc >= 0 and (at_ms is None or at_ms <= millis(at_hlc))

    def names(self, namespace: str, key: str) -> Mark:
        """Up to when the name of a record is erased, whoever wrote it."""
        return max(self._named(namespace, key), self._find(PATH, f"{namespace}\0{key}"))

    def holds(self, namespace: str, key: str) -> bool:
        """Whether the name of a record was ever erased."""
        return self.names(namespace, key).at_hlc >= 0

    def label(self, kind: str, name: str) -> Mark:
        """Up to when an agent, writer, session or tag is erased."""
        return self._find(kind, name)

    def _named(self, namespace: str, key: str) -> Mark:
        mark = self._cached("namespace", namespace)
        if "record" in self._marks:
            mark = max(mark, self._find("record", f"{namespace}\0{key}"))
        return mark

    def _owned(self, owned: Owned | Body) -> Mark:
        mark = _NEVER
        for kind in _LABELS:
            name = getattr(owned, kind)
            if name is not None and kind in self._marks:
                mark = max(mark, self._cached(kind, name))
        if owned.tags and "tag" in self._marks:
            mark = max(mark, *(self._find("tag", tag) for tag in owned.tags))
        return mark

    def _of_namespace(self, path: str) -> Mark:
        segments = path.split("/")
        mark = _NEVER
        if "namespace" in self._marks:
            for count in range(len(segments) + 1):
                mark = max(mark, self._find("namespace", "/".join(segments[:count])))
        for mask in self._masks:
            if len(mask) <= len(segments):
                masked = ("*" if m == "*" else s for m, s in zip(mask, segments, strict=False))
                mark = max(mark, self._find(f"namespace {mask}", "/".join(masked)))
        return mark

    def _cached(self, kind: str, name: str) -> Mark:
        mark = self._seen.get((kind, name))
        if mark is None:
            if len(self._seen) >= _CACHED_MAX:
                self._seen.clear()
            mark = self._of_namespace(name) if kind == "namespace" else self._find(kind, name)
            self._seen[kind, name] = mark
        return mark

    def _find(self, kind: str, text: str) -> Mark:
        marks = self._marks.get(kind)
        if marks is None:
            return _NEVER
        return max(marks.get(digest_of(key, kind, text), _NEVER) for key in self._keys)


def _flat(marks: dict[bytes, Mark]) -> Iterable[tuple[bytes, int, int]]:
    return ((digest, *mark) for digest, mark in marks.items())


def _entry(key: bytes, kind: str, text: str) -> tuple[str, bytes]:
    return kind, digest_of(key, kind, text)


def _shape(pattern: str) -> tuple[str, str] | None:
    """Kind and text of a pattern that is hashed as it stands, else None."""
    segments = pattern.split("/")
    if segments[-1] == "**":  # says no more than its absence
        segments.pop()
    if any("*" in segment and segment != "*" for segment in segments):
        return None
    text = "/".join(segments)
    if "*" not in segments:
        return "namespace", text
    mask = "".join("*" if segment == "*" else "t" for segment in segments)
    return f"namespace {mask}", text
