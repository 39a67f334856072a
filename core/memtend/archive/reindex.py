"""Rebuilding the store's index from the archive alone: for records whose stubs are lost.

Of several entries for one path the one written last counts. A stub is made only where the store
holds nothing, where neither its change log nor a ghost says that the record ended, where that entry
is not what a prune has kept, and where the erasure ledger does not forbid it. A store that has lost
its change log too cannot know what was deleted since: such records come back. Nothing is replaced,
so it can be cut off and repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from memtend.archive.manifest import Part
from memtend.archive.moving import renewed
from memtend.archive.packing import Source, addresses_of
from memtend.archive.report import ArchiveReport
from memtend.archive.vault import Vault
from memtend.codec.archive import Entry
from memtend.codec.compress import Damaged
from memtend.codec.envelope import content_of, unpack
from memtend.errors import ArchiveDamaged
from memtend.limits import REPORT_NAMES_MAX
from memtend.model.stored import StoredRow
from memtend.store import archived, restating

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.store import Store

_PAGE = 100
Forbidden = Callable[[StoredRow], bool]


class _Found(NamedTuple):
    """Where the last version of a path is: ordered by time of writing, then by age of the part."""

    ts: int
    part: int
    block: int
    place: int


def reindex(store: Store, vault: Vault, lease: Lease, *, forbidden: Forbidden) -> ArchiveReport:
    """Make stubs for all that the archive holds and the store does not know."""
    clock = store.clock
    began = clock.monotonic_ns()
    archived.save_home(store, archived.Home(vault.store.url, vault.identity.archive_id), "archive")
    parts = {name.number: part for name, part in vault.parts()}
    unreadable: list[str] = []
    last: dict[tuple[str, str], _Found] = {}
    for number, part in parts.items():
        for at, _, sources in _blocks(vault, part, unreadable):
            for place, source in enumerate(sources):
                entry = source.entry
                found = _Found(unpack(entry.body).ts, number, at, place)
                path = (entry.namespace, entry.key)
                last[path] = max(last.get(path, found), found)
    chosen = {found[1:] for found in last.values()}
    rows = slices = 0
    now_ms = clock.now_ms()
    for number, part in parts.items():
        for at, digest, sources in _blocks(vault, part, []):
            addresses = addresses_of(digest, part.blocks[at], sources)
            wanted = [
                restating.Planted(
                    entry.namespace, entry.key, unpack(entry.body), entry.exp_ms,
                    content_of(entry.text), addresses[seq],
                )
                for seq, entry, _ in sources
                if (number, at, seq) in chosen
                and not entry.is_pruned
                and (entry.exp_ms is None or now_ms < entry.exp_ms)
                and not forbidden(_row(entry))
            ]  # fmt: skip
            for start in range(0, len(wanted), _PAGE):
                lease = renewed(store, lease)
                done = restating.plant(store, wanted[start : start + _PAGE], lease=lease)
                rows, slices = rows + done.rows, slices + 1
    return ArchiveReport(
        operation="reindex",
        applied=True,
        planned=len(last),
        written=rows,
        unchanged=len(last) - rows,
        refused=len(unreadable),
        slices=slices,
        seconds=(clock.monotonic_ns() - began) / 1e9,
        url=vault.store.url,
        objects=len(parts),
        unreadable=tuple(unreadable[:REPORT_NAMES_MAX]),
    )


def _blocks(
    vault: Vault, part: Part, unreadable: list[str]
) -> Iterator[tuple[int, bytes, list[Source]]]:
    """The readable blocks of an object: number, object digest, entries by their place.

    What a row took before it was archived is not known any more: body and text stand in for it.
    """
    for at, ref in enumerate(part.blocks):
        try:
            block = vault.block(part.object, ref.offset, ref.length)
            sources = [
                Source(place, entry, len(entry.body) + len(entry.text))
                for place, entry in enumerate(block.entries())
            ]
            for source in sources:
                unpack(source.entry.body)
        except (ArchiveDamaged, Damaged) as error:
            unreadable.append(str(error))
            continue
        yield at, bytes.fromhex(part.object), sources


def _row(entry: Entry) -> StoredRow:
    """The entry as the erasure ledger looks at rows."""
    return StoredRow(
        entry.namespace, entry.key, "", 0, entry.exp_ms, 0, entry.body, entry.text, b""
    )
