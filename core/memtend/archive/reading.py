"""Reading an archived value: one range request, one block, checked, and kept for its neighbours.

Made by whoever opened the store, and used by its reads when they meet a stub. Nothing is connected
before the first one. Reading never writes: a record stays archived until somebody recalls it.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from memtend.archive.vault import Keys, Vault
from memtend.errors import ArchiveDamaged, ArchiveUnreachable, TargetDenied, TargetUnavailable
from memtend.limits import ARCHIVE_CACHE_BYTES
from memtend.objects import open_target
from memtend.store import archived

if TYPE_CHECKING:
    from memtend.codec.address import Address
    from memtend.codec.archive import Block
    from memtend.store.store import Store

_Place = tuple[bytes, int]


class ArchiveReader:
    """Blocks of one store's archive, the last ones kept decompressed. Thread-safe."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self._store = store
        self._keys = keys
        self._lock = threading.Lock()
        self._vault: Vault | None = None
        self._blocks: OrderedDict[_Place, Block] = OrderedDict()
        self._bytes = 0
        self._process = os.getpid()

    def text(self, address: Address, what: str) -> bytes:
        """The canonical JSON at an address; `what` names the record in an error."""
        if self._process != os.getpid():
            self._begin_anew()
        try:
            vault = self._opened()
            return vault.entry(address, what, self._block(vault, address)).text
        except (TargetUnavailable, TargetDenied) as error:
            url = str(error.facts.get("url", ""))
            raise ArchiveUnreachable(url=url, why=str(error.facts.get("why", error))) from error

    def forget(self) -> None:
        """Let go of blocks and of the archive: it was moved, or something in it was erased."""
        with self._lock:
            self._vault = None
            self._blocks.clear()
            self._bytes = 0

    def _begin_anew(self) -> None:
        """In a forked child: connections are the parent's, and a thread of it may hold the lock."""
        self._lock = threading.Lock()
        self._process = os.getpid()
        self.forget()

    def _opened(self) -> Vault:
        with self._lock:
            vault = self._vault
        if vault is None:
            where = archived.home(self._store)
            target = open_target(where.url, self._store.clock)
            vault = Vault.open(target, self._keys, where.archive_id)
            with self._lock:
                self._vault = vault
        return vault

    def _block(self, vault: Vault, address: Address) -> Block | None:
        """None where it cannot be read: the vault will say why, or know where it is now."""
        place = address.object, address.offset
        with self._lock:
            hit = place in self._blocks
            self._store.latencies.cached("archive", hit=hit)
            if hit:
                self._blocks.move_to_end(place)
                return self._blocks[place]
        try:
            block = vault.block(address.object.hex(), address.offset, address.length)
        except ArchiveDamaged:
            return None
        with self._lock:
            if place not in self._blocks:
                self._blocks[place] = block
                self._bytes += len(block.raw)
            while self._bytes > ARCHIVE_CACHE_BYTES and len(self._blocks) > 1:
                self._bytes -= len(self._blocks.popitem(last=False)[1].raw)
        return block
