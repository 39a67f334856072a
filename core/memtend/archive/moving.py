"""Moving entries into the archive: the one order of writes that archiving and compacting share.

1. object    the packed blocks, put under their hash and read back
2. manifest  what the object holds, put and read back: from here the index can be rebuilt
3. rows      in slices, each one transaction under the lease's fence, addresses take the place of
             values; a row that has changed since it was packed is left alone

A crash before 2 leaves an object that nobody names, one before or within 3 entries that the store
also holds itself. Both are too much, never too little; `compact` clears them away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from memtend.archive.packing import Packed, Packer, Source
from memtend.archive.vault import Vault
from memtend.clock import to_datetime
from memtend.limits import ARCHIVE_SLICE_ROWS, MAINTENANCE_LEASE_MS
from memtend.slices import Slices
from memtend.store import leases, restating

if TYPE_CHECKING:
    from memtend.codec.address import Address
    from memtend.model.lease import Lease
    from memtend.store.store import Store

Why = Literal["run", "compact", "erase"]


class Moved(NamedTuple):
    """What one object took over. `text_bytes` are those of all its values as JSON."""

    packed: int
    rows: int
    before_bytes: int
    stub_bytes: int
    stored_bytes: int
    slices: int
    longest_ms: float


class Mover:
    """Takes entries one by one and writes an object whenever enough are together."""

    def __init__(
        self, store: Store, vault: Vault, lease: Lease, why: Why, program: str, threads: int = 1
    ) -> None:
        self._store = store
        self._vault = vault
        self._why: Why = why
        self._program = program
        self._packer = Packer(vault.seal, threads)
        self._number = vault.next_number()
        self.lease = lease
        self.run = self._number
        self.replaces: tuple[str, ...] = ()
        self.moved: list[Moved] = []

    def add(self, source: Source, level: int) -> None:
        self._packer.add(source, level)
        if self._packer.is_full:
            self.flush()

    def flush(self) -> None:
        """Write what has been added so far."""
        packed = self._packer.finish()
        if packed is None:
            return
        self.lease = renewed(self._store, self.lease)
        self._vault.put_object(packed.data)  # 1
        at = to_datetime(self._store.clock.now_ms())
        archive_id = self._vault.identity.archive_id
        part = packed.part(archive_id, self._number, at, self._why, self._program, self.replaces)
        self._vault.put_manifest(part)  # 2
        self.moved.append(self._write(packed, part.number))  # 3
        self._number += 1

    def _write(self, packed: Packed, number: int) -> Moved:
        note = f"{self._why} {self.run}, part {number}"
        slices = Slices(self._store.clock, most=ARCHIVE_SLICE_ROWS)
        rows = before = after = 0
        named = ((seq, address) for seq, address in packed.addresses.items() if seq > 0)
        while page := dict(islice(named, slices.size)):
            done = slices.timed(self._restate, page, note)
            rows, before = rows + done.rows, before + done.before_bytes
            after += done.after_bytes
        return Moved(
            len(packed.addresses), rows, before, after, len(packed.data), slices.count,
            slices.longest_ms,
        )  # fmt: skip

    def _restate(self, page: dict[int, Address], note: str) -> restating.Restated:
        def write() -> restating.Restated:
            return restating.archive(self._store, page, lease=self.lease, note=note)

        return self._store.ballast.deleting(write)


def renewed(store: Store, lease: Lease) -> Lease:
    """The lease, prolonged; raises `StaleLease` before anything is done that nothing else stops."""
    return store.ballast.deleting(lambda: leases.renew(store, lease, MAINTENANCE_LEASE_MS))


def pages(items: Iterable[int], size: int) -> Iterator[list[int]]:
    """`items` in lists of at most `size`."""
    waiting = iter(items)
    while page := list(islice(waiting, size)):
        yield page
