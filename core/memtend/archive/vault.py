"""The archive's place: objects of packed blocks by hash, and manifests that say what is in them.

    memtend.json                      which archive, of which store; written once
    objects/<aa>/<hash>               blocks back to back, each sealed by itself when encrypted
    manifests/<number>-<hash>         what an object holds, or what is unused
    keys/…                            the wrapped data key, where the archive is encrypted

Nothing is ever edited. What is written is read back before it counts. Only the store's maintenance
lease says who may write: an archive belongs to one store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Final, Protocol

from xxhash import xxh3_128_digest

from memtend.archive.manifest import (
    BlockRef,
    Identity,
    Name,
    Part,
    Said,
    Unused,
    pack,
    read_identity,
    unpack,
)
from memtend.clock import Clock
from memtend.codec.address import Address
from memtend.codec.archive import Block, Entry, decode_block
from memtend.codec.compress import Damaged
from memtend.codec.crypto import OVERHEAD_BYTES, Cipher, Kind, is_sealed
from memtend.errors import ArchiveDamaged, ArchiveForeign, ObjectDamaged, ObjectMissing
from memtend.limits import KIB, MANIFEST_BYTES_MAX, OBJECT_BYTES_MAX
from memtend.objects import ObjectStore

IDENTITY: Final = "memtend.json"
MISSING: Final = "it is not there"
_IDENTITY_BYTES_MAX: Final = 64 * KIB
# What may lie in a target that is to become an archive.
_SCAFFOLDING: Final = ("tmp/", "probe/", "keys/")


_Contents = dict[tuple[str, bytes], tuple[str, BlockRef, int]]
"""Where an object holds which record: by path and digest of its text."""


class Keys(Protocol):
    """Where the data key of an encrypted archive comes from. The archive knows no user's key."""

    @property
    def wanted(self) -> bool:
        """Whether a new archive is to be encrypted."""

    def make(self, store: ObjectStore, archive_id: str) -> Cipher:
        """Draw a data key and keep it, wrapped, in the target."""

    def find(self, store: ObjectStore, archive_id: str, key_id: str) -> Cipher: ...


class Vault:
    """An archive that exists. `open` finds one, `create` makes one in an empty target."""

    def __init__(self, store: ObjectStore, identity: Identity, cipher: Cipher | None) -> None:
        self.store = store
        self.identity = identity
        self._cipher = cipher
        self._moved: tuple[bytes, _Contents] | None = None

    @classmethod
    def open(cls, store: ObjectStore, keys: Keys, archive_id: str | None = None) -> Vault:
        """The archive in `store`, which must be `archive_id` if that is given."""
        try:
            data = store.get(IDENTITY, limit=_IDENTITY_BYTES_MAX)
        except ObjectMissing:
            raise ArchiveForeign(url=store.url, why=f"it has no {IDENTITY}") from None
        except ObjectDamaged as error:
            raise ArchiveForeign(url=store.url, why=str(error)) from None
        identity = read_identity(data, store.url)
        if archive_id not in (None, identity.archive_id):
            why = f"it is archive {identity.archive_id}, not {archive_id}"
            raise ArchiveForeign(url=store.url, why=why)
        key_id = identity.key_id
        cipher = None if key_id is None else keys.find(store, identity.archive_id, key_id)
        return cls(store, identity, cipher)

    @staticmethod
    def owner(store: ObjectStore) -> str | None:
        """The id of the store whose archive lies here; None if none does. Asks for no key."""
        try:
            data = store.get(IDENTITY, limit=_IDENTITY_BYTES_MAX)
        except ObjectMissing:
            return None
        except ObjectDamaged as error:
            raise ArchiveForeign(url=store.url, why=str(error)) from None
        return read_identity(data, store.url).store_id

    @classmethod
    def create(cls, store: ObjectStore, keys: Keys, clock: Clock, store_id: str) -> Vault:
        """The archive of this store, made now if the target is empty."""
        owner = cls.owner(store)
        if owner not in (None, store_id):
            raise ArchiveForeign(url=store.url, why=f"it belongs to store {owner}")
        if owner is not None:
            return cls.open(store, keys)
        for info in store.list():
            if not info.name.startswith(_SCAFFOLDING):
                why = f"it has no {IDENTITY} and is not empty"
                raise ArchiveForeign(url=store.url, why=why)
        archive_id = clock.new_id()
        key_id = keys.make(store, archive_id).key_id if keys.wanted else None
        made = Identity(archive_id=archive_id, store_id=store_id, key_id=key_id)
        store.put_if_absent(IDENTITY, made.pack())
        return cls.open(store, keys)

    @property
    def cipher(self) -> Cipher | None:
        """What seals the archive; None where it lies in the clear."""
        return self._cipher

    def seal(self, block: bytes) -> bytes:
        """A block as it lies in an object."""
        return self._cipher.seal(Kind.ARCHIVE_BLOCK, block) if self._cipher else block

    def block(self, digest: str, offset: int, length: int) -> Block:
        """One block, by a range request; raises `ArchiveDamaged`."""
        name = object_name(digest)
        try:
            data = self.store.get_range(name, offset, length)
            if len(data) != length:
                raise Damaged(f"it ends {length - len(data):,} bytes early")
            return self.unseal(data)
        except ObjectMissing:
            raise self.damaged(name, MISSING) from None
        except (Damaged, ObjectDamaged) as error:
            raise self.damaged(name, _why(error)) from None

    def entry(self, address: Address, what: str, block: Block | None = None) -> Entry:
        """What lies at an address, compared with its digest; raises `ArchiveDamaged`.

        `what` is the record's path. An old backup may name an object that an erasure has replaced.
        """
        try:
            block = block or self.block(address.object.hex(), address.offset, address.length)
            entry = block.entry(address.place)
        except Damaged as error:
            raise self.damaged(what, str(error)) from None
        except ArchiveDamaged as error:
            found = self._replaced(address, what) if error.facts["why"] == MISSING else None
            if found is None:
                raise
            return found
        if xxh3_128_digest(entry.text) != address.digest:
            raise self.damaged(what, "it is not the value that was archived")
        return entry

    def _replaced(self, address: Address, what: str) -> Entry | None:
        """The same record where an erasure has put it."""
        if self._moved is None or self._moved[0] != address.object:
            self._moved = address.object, self._contents_since(address.object.hex())
        found = self._moved[1].get((what, address.digest))
        if found is None:
            return None
        digest, ref, place = found
        return self.block(digest, ref.offset, ref.length).entry(place)

    def _contents_since(self, replaced: str) -> _Contents:
        found: _Contents = {}
        for _, part in self.parts():
            for ref in part.blocks if replaced in part.replaces else ():
                block = self.block(part.object, ref.offset, ref.length)
                for place, one in enumerate(block.entries()):
                    path = f"{one.namespace}/{one.key}"
                    found[path, xxh3_128_digest(one.text)] = part.object, ref, place
        return found

    def unseal(self, data: bytes) -> Block:
        """The block in these bytes; raises `Damaged`."""
        if self._cipher is None and is_sealed(data):
            raise Damaged("it is encrypted, and the archive is not")
        return decode_block(self._cipher.open(Kind.ARCHIVE_BLOCK, data) if self._cipher else data)

    def put_object(self, data: bytes) -> str:
        """Store bytes under their hash and read them back. A damaged object there is replaced."""
        digest = sha256(data).hexdigest()
        self._put(object_name(digest), data)
        return digest

    def get_object(self, digest: str, size: int) -> bytes:
        """A whole object, compared with its name; raises `ArchiveDamaged`."""
        name = object_name(digest)
        try:
            data = self.store.get(name, limit=size)
        except ObjectMissing:
            raise self.damaged(name, MISSING) from None
        except ObjectDamaged as error:
            raise self.damaged(name, _why(error)) from None
        if sha256(data).hexdigest() != digest:
            raise self.damaged(name, "its bytes do not match its name")
        return data

    def put_manifest(self, said: Said) -> Name:
        """From here on the object that it names is part of the archive."""
        data = pack(said)
        data = self._cipher.seal(Kind.MANIFEST, data) if self._cipher else data
        name = Name(said.number, sha256(data).hexdigest())
        self._put(str(name), data)
        return name

    def manifest(self, name: Name) -> Said:
        """A manifest, checked; raises `ArchiveDamaged`."""
        try:
            data = self.store.get(str(name), limit=MANIFEST_BYTES_MAX + OVERHEAD_BYTES)
            if sha256(data).hexdigest() != name.digest:
                raise Damaged("its bytes do not match its name")
            data = self._cipher.open(Kind.MANIFEST, data) if self._cipher else data
            return unpack(data, self.identity.archive_id, name.number)
        except ObjectMissing:
            raise self.damaged(str(name), MISSING) from None
        except (Damaged, ObjectDamaged) as error:
            raise self.damaged(str(name), _why(error)) from None

    def names(self) -> list[Name]:
        """Names of all manifests, in order of number. None of them is read."""
        listed = (Name.parse(info.name) for info in self.store.list("manifests/"))
        return sorted(name for name in listed if name is not None)

    def said(self) -> Iterator[tuple[Name, Said]]:
        """All manifests, oldest first."""
        for name in self.names():
            yield name, self.manifest(name)

    def parts(self) -> list[tuple[Name, Part]]:
        return [(name, one) for name, one in self.said() if isinstance(one, Part)]

    def unused(self) -> Unused | None:
        """The newest list of what is unused."""
        for name in reversed(self.names()):
            said = self.manifest(name)
            if isinstance(said, Unused):
                return said
        return None

    def next_number(self) -> int:
        names = self.names()
        return names[-1].number + 1 if names else 1

    def _put(self, name: str, data: bytes) -> None:
        self.store.put_if_absent(name, data)
        if not self._holds(name, data):
            self.store.delete(name)
            self.store.put_if_absent(name, data)
            if not self._holds(name, data):
                raise self.damaged(name, "what was written reads back differently")

    def _holds(self, name: str, data: bytes) -> bool:
        try:
            return self.store.get(name, limit=min(len(data), OBJECT_BYTES_MAX)) == data
        except (ObjectDamaged, ObjectMissing):
            return False

    def damaged(self, what: str, why: str) -> ArchiveDamaged:
        """The error that says so."""
        return ArchiveDamaged(what=what, url=self.store.url, why=why)


class Cursor:
    """Entries one after the other; a block is read once for all that follow each other in it."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._at: tuple[bytes, int] | None = None
        self._block: Block | None = None

    def entry(self, address: Address, what: str) -> Entry:
        """As `Vault.entry`."""
        if self._at != address[:2]:
            self._at, self._block = (address.object, address.offset), None
            with suppress(ArchiveDamaged):  # `Vault.entry` will say so, or know better
                digest = address.object.hex()
                self._block = self._vault.block(digest, address.offset, address.length)
        return self._vault.entry(address, what, self._block)


def object_name(digest: str) -> str:
    return f"objects/{digest[:2]}/{digest}"


def _why(error: Damaged | ObjectDamaged) -> str:
    return str(error.facts["why"]) if isinstance(error, ObjectDamaged) else str(error)
