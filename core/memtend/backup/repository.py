"""A repository: its identity, its objects by hash, its manifests by number.

    memtend.json                      written once; `check` is a hash over the rest of it
    objects/<aa>/<hash>               one segment each; the name is the SHA-256 of the bytes
    manifests/<number>-<hash>         backup.manifest
    keys/<data key>-<wrapping>        backup.crypto, where the repository is encrypted
    leases/<purpose>/<claim>          backup.lease

Everything is immutable. The one thing ever replaced is an object whose bytes no longer match its
name: putting the right bytes under that name heals every backup that names it.

In an encrypted repository objects and manifests lie in envelopes, names are hashes of the
envelopes, and the methods here take and return what is inside.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, NamedTuple

from memtend.backup.crypto import Encryption, new_cipher, save_wrapping
from memtend.backup.identity import IDENTITY, Identity, read_identity
from memtend.backup.manifest import Manifest, ManifestName, parse_manifest
from memtend.clock import Clock
from memtend.codec.compress import Damaged
from memtend.codec.crypto import OVERHEAD_BYTES, Cipher, Kind, UserKey, is_sealed
from memtend.errors import ManifestDamaged, ObjectDamaged, ObjectMissing, RepositoryForeign
from memtend.limits import MANIFEST_BYTES_MAX, OBJECT_BYTES_MAX
from memtend.objects import ObjectStore

# What may lie in a target that is to become a repository.
_SCAFFOLDING: Final = ("leases/", "tmp/", "probe/", "keys/")


class Stored(NamedTuple):
    """An object after it was put and read back. `new` is False where it was there already."""

    digest: str
    new: bool
    size: int


class Repository:
    """A repository that exists. `open` finds one, `create` makes one in an empty target."""

    def __init__(self, store: ObjectStore, identity: Identity, cipher: Cipher | None) -> None:
        self.store = store
        self.identity = identity
        self.cipher = cipher

    @classmethod
    def open(cls, store: ObjectStore, key: UserKey | None = None) -> Repository:
        """The repository in `store`.

        `RepositoryForeign` if there is none that we know, `BackupKeyRefused` if it is encrypted
        and `key` does not open it.
        """
        identity = read_identity(store)
        return cls(store, identity, identity.cipher(store, key))

    @classmethod
    def create(cls, store: ObjectStore, clock: Clock, key: UserKey | None = None) -> Repository:
        """The repository in `store`, made now if the target is empty. Call it under the lease.

        With `key` a new one is encrypted: first the wrapped key, then the identity that names it.
        """
        if store.exists(IDENTITY):
            return cls.open(store, key)
        for info in store.list():
            if not info.name.startswith(_SCAFFOLDING):
                why = f"it has no {IDENTITY} and is not empty"
                raise RepositoryForeign(url=store.url, why=why)
        repo_id, encryption = clock.new_id(), None
        if key is None and next(iter(store.list("keys/")), None) is not None:
            why = "an encrypted repository was begun in it; give the key, or empty it"
            raise RepositoryForeign(url=store.url, why=why)
        if key is not None:
            cipher = new_cipher(repo_id, clock)
            save_wrapping(store, cipher, key, clock)
            encryption = Encryption(key_id=cipher.key_id)
        store.put_if_absent(IDENTITY, Identity(repo_id=repo_id, encryption=encryption).pack())
        return cls.open(store, key)

    def seal(self, kind: str, data: bytes) -> bytes:
        """What is stored for `data`."""
        return self.cipher.seal(kind, data) if self.cipher else data

    def unseal(self, kind: str, data: bytes) -> bytes:
        """What was sealed; `Damaged` unless it was, as `kind` and for this repository."""
        if self.cipher:
            return self.cipher.open(kind, data)
        if is_sealed(data):
            raise Damaged("it is encrypted, and the repository is not")
        return data

    def put_object(self, data: bytes, kind: str = Kind.SEGMENT) -> Stored:
        """Store `data` under its hash and read it back. A damaged one in its place is replaced."""
        return self.put_sealed(self.seal(kind, data))

    def put_sealed(self, data: bytes) -> Stored:
        """Store bytes as they are, like `put_object`: sealed in parts, or in the clear."""
        digest = sha256(data).hexdigest()
        name = object_name(digest)
        new = self.store.put_if_absent(name, data)
        if not self._holds(name, data):
            self.store.delete(name)
            self.store.put_if_absent(name, data)
            new = True
            if not self._holds(name, data):
                why = "what was written reads back differently"
                raise ObjectDamaged(url=self.store.url, name=name, why=why)
        return Stored(digest, new, len(data))

    def get_object(
        self, digest: str, kind: str = Kind.SEGMENT, limit: int = OBJECT_BYTES_MAX
    ) -> bytes:
        """The object with this hash; `ObjectDamaged` or `ObjectMissing` otherwise."""
        name = object_name(digest)
        data = self._get(name, digest, limit)
        if sha256(data).hexdigest() != digest:
            why = "its bytes do not match its name"
            raise ObjectDamaged(url=self.store.url, name=name, why=why)
        try:
            return self.unseal(kind, data)
        except Damaged as error:
            raise ObjectDamaged(url=self.store.url, name=name, why=str(error)) from None

    def manifests(self) -> list[ManifestName]:
        """Names of all manifests, oldest first. None of them is read."""
        listed = (ManifestName.parse(info.name) for info in self.store.list("manifests/"))
        return sorted(name for name in listed if name is not None)

    def put_manifest(self, manifest: Manifest) -> ManifestName:
        """Commit a backup: from here on it exists."""
        data = self.seal(Kind.MANIFEST, manifest.pack())
        name = ManifestName(manifest.number, sha256(data).hexdigest())
        self.store.put_if_absent(str(name), data)
        self.get_manifest(name)
        return name

    def get_manifest(self, name: ManifestName) -> Manifest:
        """A manifest, checked; `ManifestDamaged` or `ObjectMissing` otherwise."""
        try:
            limit = MANIFEST_BYTES_MAX + OVERHEAD_BYTES
            return self.read_manifest(name, self._get(str(name), name.digest, limit))
        except (Damaged, ObjectDamaged) as error:
            why = str(error.facts["why"]) if isinstance(error, ObjectDamaged) else str(error)
            raise ManifestDamaged(url=self.store.url, name=str(name), why=why) from None

    def read_manifest(self, name: ManifestName, data: bytes) -> Manifest:
        """The manifest stored as `name`; `Damaged` unless every byte is as it was written."""
        if sha256(data).hexdigest() != name.digest:
            raise Damaged("its bytes do not match its name")
        return parse_manifest(name, self.unseal(Kind.MANIFEST, data))

    def _get(self, name: str, digest: str, limit: int) -> bytes:
        """What is stored; read once more if it is not what it should be, for lines err too."""
        data = self.store.get(name, limit=limit)
        if sha256(data).hexdigest() != digest:
            data = self.store.get(name, limit=limit)
        return data

    def _holds(self, name: str, data: bytes) -> bool:
        """Whether the object is `data`. Looked at twice: what seems damaged is replaced."""
        for _ in range(2):
            try:
                if self.store.get(name, limit=len(data)) == data:
                    return True
            except (ObjectDamaged, ObjectMissing):
                continue
        return False


def object_name(digest: str) -> str:
    return f"objects/{digest[:2]}/{digest}"
