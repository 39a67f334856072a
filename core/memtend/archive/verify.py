"""Verifying the archive: is every byte as it was written, and is there a value for every stub?

Damage is returned as findings and never raised; an error means that the target does not answer.
An object that no manifest names is what a run that was cut off leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xxhash import xxh3_128_digest

from memtend.archive.manifest import Part
from memtend.archive.report import ArchiveVerifyReport
from memtend.archive.vault import Vault, object_name
from memtend.codec.address import Address
from memtend.codec.archive import Block
from memtend.codec.compress import Damaged
from memtend.errors import ArchiveDamaged
from memtend.limits import FINDINGS_MAX, OBJECT_BYTES_MAX
from memtend.model.findings import StoreFinding
from memtend.store import archived

if TYPE_CHECKING:
    from memtend.store.store import Store


def verify_archive(store: Store, vault: Vault) -> ArchiveVerifyReport:
    """Read everything once, object by object, and hold the stubs of each against it."""
    return _Verification(store, vault).run()


class _Verification:
    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._findings: list[StoreFinding] = []
        self._damage = 0
        self._stubs: dict[str, list[tuple[str, Address]]] = {}
        self._stub_count = self._records = self._read_bytes = 0

    def run(self) -> ArchiveVerifyReport:
        clock = self._store.clock
        began = clock.monotonic_ns()
        # Stubs before manifests: what a stub names was in the archive before the stub was.
        for stub in archived.stubs(self._store):
            self._stub_count += 1
            path = f"{stub.namespace}/{stub.key}"
            if stub.address is None:
                self._find(path, "its row is damaged")
            else:
                named = self._stubs.setdefault(stub.address.object.hex(), [])
                named.append((path, stub.address))
        parts = self._parts()
        sizes = {i.name.rpartition("/")[2]: i.size for i in self._vault.store.list("objects/")}
        for digest, part in parts.items():
            self._check(digest, part)
        for digest in self._stubs.keys() - parts.keys():
            for path, address in self._stubs[digest]:
                try:  # an erasure may have replaced the object
                    self._vault.entry(address, path)
                except ArchiveDamaged as error:
                    self._find(path, f"{object_name(digest)}: {error.facts['why']}")
        return ArchiveVerifyReport(
            url=self._vault.store.url,
            objects=len(parts),
            records=self._records,
            stubs=self._stub_count,
            read_bytes=self._read_bytes,
            damage_count=self._damage,
            unnamed=len(sizes.keys() - parts.keys()),
            findings=tuple(self._findings),
            seconds=(clock.monotonic_ns() - began) / 1e9,
        )

    def _find(self, where: str, why: str) -> None:
        self._damage += 1
        if len(self._findings) < FINDINGS_MAX:
            self._findings.append(StoreFinding(where=where, why=why))

    def _parts(self) -> dict[str, Part]:
        parts = {}
        for name in self._vault.names():
            try:
                said = self._vault.manifest(name)
            except ArchiveDamaged as error:
                self._find(str(name), str(error.facts["why"]))
                continue
            if isinstance(said, Part):
                parts[said.object] = said
        return parts

    def _check(self, digest: str, part: Part) -> None:
        name = object_name(digest)
        named = self._stubs.get(digest, [])
        try:
            data = self._vault.get_object(digest, OBJECT_BYTES_MAX)
        except ArchiveDamaged as error:
            self._find(name, f"{error.facts['why']}; {len(named):,} records need it")
            data = b""
        self._read_bytes += len(data)
        blocks: dict[int, Block] = {}
        for ref in part.blocks if data else ():
            try:
                block = self._vault.unseal(data[ref.offset : ref.offset + ref.length])
            except Damaged as error:
                self._find(name, f"the block at {ref.offset:,}: {error}")
                continue
            blocks[ref.offset] = block
            self._records += block.records
            if block.records != ref.records:
                self._find(name, f"the block at {ref.offset:,} has {block.records:,} records")
        if data and len(data) != part.stored_bytes:
            self._find(name, "its manifest says another length")
        for path, address in named if data else ():
            try:
                found = blocks[address.offset].text(address.place)
            except (KeyError, Damaged):
                self._find(path, f"there is no such record in {name}")
                continue
            if xxh3_128_digest(found) != address.digest:
                self._find(path, f"the record in {name} is another")
