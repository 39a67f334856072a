"""Keeping what a prune is about to delete: entries that no row of the store names.

They lie in objects of their own, under a run of their own, and stay as long as anything that
nothing names: until `compact` has seen them unused for the policy's `keep_ms`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from memtend.archive.moving import renewed
from memtend.archive.packing import Packer, Source
from memtend.archive.vault import Vault
from memtend.clock import to_datetime
from memtend.codec.archive import Entry
from memtend.codec.compress import Damaged
from memtend.errors import ArchiveDamaged
from memtend.limits import ARCHIVE_COMPACT_LEVEL
from memtend.store import archived

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.stored import StoredRow
    from memtend.store.store import Store


class Keeping:
    """Takes rows one by one; what was added is safe when `flush` has returned."""

    def __init__(
        self, store: Store, vault: Vault, lease: Lease, program: str, threads: int = 1
    ) -> None:
        self._store = store
        self._vault = vault
        self._program = program
        self._packer = Packer(vault.seal, threads)
        self._number = self.run = vault.next_number()
        self._at_ms = store.clock.now_ms()
        self.lease = lease
        self.objects = self.stored_bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether it is time to flush."""
        return self._packer.is_full

    def add(self, row: StoredRow, text: bytes, rule: str) -> None:
        """A row of the store and its value as canonical JSON."""
        entry = Entry(
            row.namespace, row.key, row.body, row.exp_ms, self.run, self._at_ms, rule, text
        )
        self._packer.add(Source(row.seq, entry, len(row.body) + len(row.value)), _LEVEL)

    def flush(self) -> None:
        """1 the object, read back; 2 its manifest, read back. The lease is renewed before both."""
        packed = self._packer.finish()
        if packed is None:
            return
        self.lease = renewed(self._store, self.lease)
        archive_id = self._vault.identity.archive_id
        if not self.objects:  # whoever undoes it must know where it is
            home = archived.Home(self._vault.store.url, archive_id)
            archived.save_home(self._store, home, "prune")
        self._vault.put_object(packed.data)
        at = to_datetime(self._store.clock.now_ms())
        self._vault.put_manifest(packed.part(archive_id, self._number, at, "run", self._program))
        self._number += 1
        self.objects += 1
        self.stored_bytes += len(packed.data)


def kept(vault: Vault, runs: tuple[int, ...], unreadable: list[str]) -> Iterator[Entry]:
    """What these runs keep of deleted records; `unreadable` collects what is damaged."""
    for _, part in vault.parts():
        if not set(runs) & part.runs.keys():
            continue
        for ref in part.blocks:
            try:
                entries = list(vault.block(part.object, ref.offset, ref.length).entries())
            except (ArchiveDamaged, Damaged) as error:
                unreadable.append(str(error))
                continue
            yield from (one for one in entries if one.run in runs and one.is_pruned)


_LEVEL = ARCHIVE_COMPACT_LEVEL
