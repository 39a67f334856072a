"""Taking records out of the archive for good: the objects that hold them are written anew.

1. object    all other entries of the object, packed again and read back
2. manifest  it names the object that it replaces, so that old backups still find their records
3. rows      stubs get the new addresses
4. old       first its manifest, then the object itself, at once: what is erased does not wait

A crash leaves the old object beside the new one, with what was to be erased still in it; `residue`
sees that, and repeating goes on. Blocks are never edited. An object with a block that cannot be
read stays as it is, because nobody knows what it holds: all of that block counts as residue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memtend.archive.manifest import Part
from memtend.archive.moving import Mover, renewed
from memtend.archive.packing import Source
from memtend.archive.vault import Vault, object_name
from memtend.codec.archive import Entry
from memtend.codec.compress import Damaged
from memtend.errors import ArchiveDamaged
from memtend.limits import ARCHIVE_COMPACT_LEVEL
from memtend.store import archived

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.store import Store

Doomed = Callable[[Entry], bool]


def erase_archived(
    store: Store, vault: Vault, lease: Lease, doomed: Doomed, *, program: str = ""
) -> int:
    """Remove every entry that is `doomed`, named by a stub or not; how many there were.

    The rows of the store are the caller's matter, and come first.
    """
    erased = 0
    named: dict[bytes, dict[_At, tuple[int, int]]] = {}
    for stub in archived.stubs(store):
        if address := stub.address:
            at = address.offset, address.place
            named.setdefault(address.object, {})[at] = (stub.seq, address.was_bytes)
    for name, part in vault.parts():
        entries, unreadable = _entries(vault, part)
        if unreadable:
            continue
        keep = {place: entry for place, entry in entries.items() if not doomed(entry)}
        if len(keep) == len(entries):
            continue
        mover = Mover(store, vault, renewed(store, lease), "erase", program)
        mover.replaces = (part.object, *part.replaces)
        rows = named.get(bytes.fromhex(part.object), {})
        for unnamed, (at, entry) in enumerate(keep.items(), start=1):
            seq, was = rows.get(at, (-unnamed, len(entry.body) + len(entry.text)))
            mover.add(Source(seq, entry, was), ARCHIVE_COMPACT_LEVEL)
        mover.flush()  # 1, 2, 3
        lease = renewed(store, mover.lease)
        vault.store.delete(str(name))  # 4
        vault.store.delete(object_name(part.object))
        erased += len(entries) - len(keep)
    return erased


def residue(vault: Vault, doomed: Doomed) -> int:
    """How many entries of the whole archive are `doomed`, or may be and cannot be read."""
    count = 0
    for _, part in vault.parts():
        entries, unreadable = _entries(vault, part)
        count += sum(map(doomed, entries.values())) + unreadable
    return count


_At = tuple[int, int]


def _entries(vault: Vault, part: Part) -> tuple[dict[_At, Entry], int]:
    """What an object holds, and how many records of it cannot be read."""
    found: dict[_At, Entry] = {}
    unreadable = 0
    for ref in part.blocks:
        try:
            entries = list(vault.block(part.object, ref.offset, ref.length).entries())
        except (ArchiveDamaged, Damaged):
            unreadable += ref.records
            continue
        found |= {(ref.offset, place): entry for place, entry in enumerate(entries)}
    return found, unreadable
