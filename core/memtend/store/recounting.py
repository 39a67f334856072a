"""Totals counted again from the rows, where rows went that nobody could read.

Such a row does not say whose it was, so what is kept for its agent and its session stays too high
when it goes. All rows are counted in one view of the store; by how much the kept totals differ is
added later in a short transaction. That is right whatever was written meanwhile, for a write moves
both by the same.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from memtend.codec.address import read_address
from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import codec_of, is_sound, path_of, prefix_of, unpack
from memtend.codec.statesum import SUM_VALUES, addend
from memtend.store.meta import Meta

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.store import Store

Name = tuple[str, str]


class Drift(NamedTuple):
    """What the kept totals lack: rows and bytes by scope and name, and of the whole store."""

    totals: dict[Name, tuple[int, int]]
    rows: int
    size: int
    sum: int

    @property
    def any(self) -> bool:
        return bool(self.totals or self.rows or self.size or self.sum)


def drift(store: Store) -> Drift | None:
    """None where a row cannot be read, so that nobody can say what the totals should be."""
    rows: Counter[Name] = Counter()
    sizes: Counter[Name] = Counter()
    count = total = found = 0
    with store.engine.snapshot() as reader:
        meta = Meta.of(reader.fetch("meta"), store.url)
        paths = {number: path for number, path, _ in reader.fetch("namespaces")}
        for _, ns, key, field, exp, flags, size, *blobs in reader.stream("stream_rows"):
            packed, value, digest = map(bytes, blobs)
            try:
                path = paths[ns]
                prefix, name = prefix_of(path), path_of(key, field)
                if not is_sound(prefix, name, flags, exp, packed, value, digest):
                    return None
                body = unpack(packed)
                parts = _tiers(codec_of(flags), size, value)
            except (Damaged, LookupError):
                return None
            parts["ns", path] = size
            for scope, whose in (("agent", body.agent), ("session", body.session)):
                if whose is not None:
                    parts[scope, whose] = size
            for part, bytes_ in parts.items():
                rows[part] += 1
                sizes[part] += bytes_
            count, total, found = count + 1, total + size, found + addend(digest)
        kept = {(scope, name): (n, size) for scope, name, n, size in reader.fetch("tallies")}
    lacking = {}
    for part in rows.keys() | kept.keys():
        n, size = kept.get(part, (0, 0))
        if (rows[part], sizes[part]) != (n, size):
            lacking[part] = (rows[part] - n, sizes[part] - size)
    lost = (found - addend(meta.sum)) % SUM_VALUES
    return Drift(lacking, count - meta.rows, total - meta.size, lost)


def count_again(store: Store, *, lease: Lease) -> bool:
    """Put the totals right; False where rows are left that cannot be read."""
    lacks = drift(store)
    if lacks is None:
        return False
    if lacks.any:
        with store.change("optimize", (), lease) as (change, _):
            change.tx.run_many("tally", [(*part, *by) for part, by in sorted(lacks.totals.items())])
            change.rows += lacks.rows
            change.size += lacks.size
            change.sum += lacks.sum
            change.note("optimize", "totals were counted again")
    return True


def _tiers(codec: int, size: int, value: bytes) -> dict[Name, int]:
    """As `Change` keeps them."""
    if not codec:
        return {}
    if codec != Codec.ARCHIVED:
        return {("tier", "warm"): size}
    address = read_address(value)
    return {
        ("tier", "cold"): size,
        ("tier", "cold before"): address.was_bytes,
        ("tier", "cold kept"): address.kept_bytes,
    }
