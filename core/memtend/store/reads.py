"""Reading records. What is returned was hashed when written and is checked now; no exceptions.

The usual row is one plain, uncompressed, permanent sibling: it is checked and decoded with the
fewest steps. Everything else (siblings, expiry, compression, quarantine) takes the general way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import orjson
from xxhash import xxh3_128_digest

from memtend.codec.address import read_address
from memtend.codec.compress import Codec
from memtend.codec.envelope import (
    PLAIN_EDGE,
    QUARANTINED_FLAG,
    codec_of,
    edge_of,
    is_sound,
    path_of,
    prefix_of,
    unpack,
)
from memtend.errors import ArchiveUnreachable, RecordDamaged, StoreDamaged
from memtend.model.latency import COLD, TIERS, WARM
from memtend.store.engine import Row
from memtend.store.seen import Seen, visible

if TYPE_CHECKING:
    from memtend.store.store import Store
    from memtend.store.views import Views

MISSING: Final = object()
_LAST: Final = "\x7f"
"""Above every character that a name may have."""
_HASH: Final = "its hash does not match"
_WARM, _COLD = TIERS.index(WARM), TIERS.index(COLD)


class Reads:
    """Reads of one store. `now` is asked only where a deadline must be judged."""

    def __init__(self, store: Store, now: Callable[[], int], views: Views) -> None:
        self._store = store
        self._now = now
        self.views = views
        self._plain = views.plain.get
        self._read = store.engine.read
        self._met = store.latencies.met
        self._absence = store.absence
        self._contested = store.namespaces.contested

    def value(self, namespace: str, key: str) -> Any:
        """The one value that a reader is shown, or `MISSING`."""
        ns = self._plain(namespace)
        if ns is None:
            ns = self._store.namespaces.find(namespace)
            if ns is None:
                return MISSING
        rows = self._read("get", (ns[0], key))
        if not rows or ns[0] in self._contested:
            # Nothing there, or fewer siblings than there are: only if the index is sound.
            self._absence.record(ns[0], key, found=bool(rows))
            if not rows:
                return MISSING
        if len(rows) == 1 and (self._plain(namespace) or self.is_plain(namespace, ns)):
            flags, exp, body, data, digest = rows[0]
            try:
                if flags == 0 and (exp is None or self._now() < exp):
                    edge = PLAIN_EDGE if exp is None else edge_of(0, exp)
                    if xxh3_128_digest(b"".join((ns[1], key.encode(), edge, body, data))) != digest:
                        raise RecordDamaged(namespace=namespace, key=key, why=_HASH)
                    return orjson.loads(data)
            except (AttributeError, TypeError, ValueError) as error:
                raise RecordDamaged(namespace=namespace, key=key, why=str(error)) from error
        return self._shown(namespace, key, self.siblings(namespace, key, rows))

    def is_plain(self, namespace: str, ns: tuple[int, bytes]) -> bool:
        """Whether a single plain row of this namespace is what a reader is shown."""
        if self._plain(namespace) is None and self.views.is_plain(namespace):
            self.views.plain[namespace] = ns
        return self._plain(namespace) is not None

    def _shown(self, namespace: str, key: str, seen: list[Seen]) -> Any:
        found = self.views.show(namespace, key, seen) if seen else None
        return MISSING if found is None else found.value

    def siblings(
        self, namespace: str, key: str, rows: Iterable[Row], field: str = "", *, cold: bool = True
    ) -> list[Seen]:
        """The visible siblings among rows of statement `get`, every one checked.

        Without `cold`, what is archived comes without its text and the archive is left alone.
        """
        seen = visible(self.opened(namespace, key, rows, field), self._now())
        return [self.thawed(namespace, key, one) for one in seen] if cold else seen

    def thawed(self, namespace: str, key: str, seen: Seen) -> Seen:
        """The same with its text, from the archive if need be."""
        if seen.stub is None or seen.text:
            return seen
        archive = self._store.archive
        if archive is None:
            raise ArchiveUnreachable(url=self._store.url, why="it was opened without its archive")
        with self._store.latencies.timing("thaw"):
            text = archive.text(seen.stub, f"{namespace}/{key}")
            self._met.tier = _COLD  # and stays so for the read around it
        if len(text) != seen.body.size:
            raise RecordDamaged(namespace=namespace, key=key, why="its archived value is another")
        return seen._replace(text=text)

    def opened(self, namespace: str, key: str, rows: Iterable[Row], field: str = "") -> list[Seen]:
        """All siblings that are not in quarantine, expired ones too, every one checked.

        What is archived comes without its text.
        """
        if not isinstance(key, str):  # SQLite hands over whatever type it finds in the file
            raise RecordDamaged(namespace=namespace, key=key, why="its key is not text")
        prefix, path = prefix_of(namespace), path_of(key, field)
        found = []
        for flags, exp, body, data, digest in rows:
            if not is_sound(prefix, path, flags, exp, body, data, digest):
                raise RecordDamaged(namespace=namespace, key=key, why=_HASH)
            if not flags & QUARANTINED_FLAG:
                found.append((flags, exp, body, data))
        return [self._open(namespace, key, *row) for row in found]

    def many(self, namespace: str, ns: tuple[int, bytes], keys: Sequence[str]) -> dict[str, Any]:
        """The visible values among `keys`, in one statement."""
        rows = self._read("get_many", (ns[0], self._store.engine.array(keys)))
        try:
            rows.sort(key=itemgetter(0))
        except TypeError as error:
            raise StoreDamaged(url=self._store.url, why="a key is not text") from error
        for missing in set(keys).difference(row[0] for row in rows):
            self._absence.record(ns[0], missing)
        return dict(self.values(namespace, rows, ns))

    def page(
        self, namespace: str, ns: tuple[int, bytes], prefix: str, after: str, limit: int
    ) -> list[tuple[str, Any]]:
        """Visible keys and values in key order, after `after`, at most `limit`."""
        found: list[tuple[str, Any]] = []
        for rows in self.whole_keys(namespace, ns[0], prefix, after, limit):
            found += self.values(namespace, rows, ns)
            if len(found) >= limit:
                break
        return found[:limit]

    def whole_keys(
        self, namespace: str, ns: int, prefix: str, after: str, page: int
    ) -> Iterator[list[Row]]:
        """Rows of a namespace in key order, page by page; a key's siblings are never parted."""
        start, stop = (max(after, _before(prefix)), prefix + _LAST) if prefix else (after, None)
        while True:
            bounds = (ns, start) if stop is None else (ns, start, stop)
            # A damaged entry could lead the seek past the first keys, or end the range too early.
            self._absence.begin(ns, start)
            # One row more than wanted shows whether the last key's siblings are all there.
            rows = self._read("scan" if stop is None else "scan_until", (*bounds, page + 1))
            if len(rows) <= page:
                yield self._without_elements(namespace, rows)
                self._absence.end(ns, rows[-1][0] if rows else start, stop)
                return
            last = rows[-1][0]
            whole = rows[:-1]
            if whole and whole[-1][0] == last:
                whole = [row for row in rows if row[0] != last]
            if not whole:
                whole = [(last, *row, "") for row in self._read("get", (ns, last))]
            yield self._without_elements(namespace, whole)
            start = whole[-1][0] if whole else last

    def _without_elements(self, namespace: str, rows: list[Row]) -> list[Row]:
        """Rows of plain keys. What claims to be an element of a set must prove it."""
        if [row[6] for row in rows].count("") == len(rows):
            return rows
        for key, *row, field in rows:
            if not isinstance(field, str):
                raise RecordDamaged(namespace=namespace, key=key, why="its field is not text")
            if field:
                self.opened(namespace, key, [tuple(row)], field)
        return [row for row in rows if row[6] == ""]

    def values(
        self, namespace: str, rows: list[Row], ns: tuple[int, bytes]
    ) -> list[tuple[str, Any]]:
        """Keys and values of rows as statement `scan` returns them, in order of key."""
        if len(set(map(itemgetter(0), rows))) < len(rows) or not self.is_plain(namespace, ns):
            return self._grouped(namespace, rows)
        prefix, now_ms, digest, loads = ns[1], self._now(), xxh3_128_digest, orjson.loads
        found = []
        for key, flags, exp, body, data, want, _ in rows:
            try:
                if flags == 0 and (exp is None or now_ms < exp):
                    edge = PLAIN_EDGE if exp is None else edge_of(0, exp)
                    if digest(b"".join((prefix, key.encode(), edge, body, data))) != want:
                        raise RecordDamaged(namespace=namespace, key=key, why=_HASH)
                    found.append((key, loads(data)))
                elif seen := self.siblings(namespace, key, [(flags, exp, body, data, want)]):
                    found.append((key, self._shown(namespace, key, seen)))
            except (AttributeError, TypeError, ValueError) as error:
                raise RecordDamaged(namespace=namespace, key=key, why=str(error)) from error
        return found

    def tagged_rows(self, tag: str, page: int) -> Iterator[Row]:
        """Rows that carry a tag, in the order of writing; the last two columns say whether other
        siblings stand beside the row, and its sequence number."""
        after = 0
        while rows := self._read("tagged", (tag, after, page)):
            yield from rows
            after = rows[-1][-1]

    def tagged(self, tag: str, limit: int) -> list[tuple[str, str, Any]]:
        """`(namespace, key, value)` of records with a tag, in the order of writing."""
        found: dict[tuple[str, str], Any] = {}
        namespaces = self._store.namespaces
        for ns, key, flags, exp, body, data, digest, beside, _ in self.tagged_rows(tag, limit):
            namespace = namespaces.paths.get(ns) or namespaces.path(ns)
            known = namespaces.ids[namespace]
            if flags == 0 and exp is None and not beside and self.is_plain(namespace, known):
                prefix = known[1]
                try:
                    text = b"".join((prefix, key.encode(), PLAIN_EDGE, body, data))
                    if xxh3_128_digest(text) != digest:
                        raise RecordDamaged(namespace=namespace, key=key, why=_HASH)
                    found[namespace, key] = orjson.loads(data)
                except (AttributeError, TypeError, ValueError) as error:
                    raise RecordDamaged(namespace=namespace, key=key, why=str(error)) from error
            else:
                seen = self.siblings(namespace, key, self._read("get", (ns, key)))
                if shown := self.views.tagged(namespace, key, seen, tag):
                    found[namespace, key] = shown.value
            if len(found) == limit:
                break
        return [(*place, value) for place, value in found.items()]

    def _grouped(self, namespace: str, rows: list[Row]) -> list[tuple[str, Any]]:
        groups: dict[str, list[Row]] = {}
        for row in rows:
            groups.setdefault(row[0], []).append(row[1:6])
        seen = ((key, self.siblings(namespace, key, group)) for key, group in groups.items())
        found = ((key, self._shown(namespace, key, one)) for key, one in seen)
        return [(key, value) for key, value in found if value is not MISSING]

    def _open(
        self, namespace: str, key: str, flags: int, exp: int | None, packed: bytes, data: bytes
    ) -> Seen:
        try:
            body = unpack(packed)
            codec = codec_of(flags)
            if codec == Codec.ARCHIVED:
                return Seen(body, b"", exp, read_address(data))
            if codec != Codec.RAW:
                self._met.tier = self._met.tier or _WARM
            return Seen(body, self._store.text_of(body, codec, data), exp)
        except (AttributeError, TypeError, ValueError) as error:
            raise RecordDamaged(namespace=namespace, key=key, why=str(error)) from error


def _before(prefix: str) -> str:
    """A text below every name that begins with `prefix` and above all others before it."""
    return prefix[:-1] + chr(ord(prefix[-1]) - 1) + _LAST
