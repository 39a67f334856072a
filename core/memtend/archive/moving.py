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
from memtend.limits import (
    ARCHIVE_SLICE_ROWS,
    LOCK_BUDGET_MS,
    MAINTENANCE_LEASE_MS,
    SLICE_ROWS_MIN,
)
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

    def __init__(self, store: Store, vault: Vault, lease: Lease, why: Why, program: str) -> None:
        self._store = store
        self._vault = vault
        self._why: Why = why
        self._program = program
        self._packer = Packer(vault.seal)
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
        clock, note = self._store.clock, f"{self._why} {self.run}, part {number}"
        rows = before = after = slices = 0
        longest = 0.0
        named = ((seq, address) for seq, address in packed.addresses.items() if seq > 0)
        waiting, size = named, SLICE_ROWS_MIN
        while page := dict(islice(waiting, size)):
            began = clock.monotonic_ns()
            done = self._restate(page, note)
            took_ms = (clock.monotonic_ns() - began) / 1e6
            rows, before = rows + done.rows, before + done.before_bytes
            after, slices, longest = after + done.after_bytes, slices + 1, max(longest, took_ms)
            wanted = size * LOCK_BUDGET_MS / 4 / max(took_ms, 0.1)
            size = max(SLICE_ROWS_MIN, min(ARCHIVE_SLICE_ROWS, int(min(wanted, size * 2))))
        return Moved(len(packed.addresses), rows, before, after, len(packed.data), slices, longest)

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
