"""A repository: its identity, its objects by hash, its manifests by number.

    memtend.json                      written once; `check` is a hash over the rest of it
    objects/<aa>/<hash>               one segment each; the name is the SHA-256 of the bytes
    manifests/<number>-<hash>         backup.manifest
    leases/<purpose>/<claim>          backup.lease

Everything is immutable. The one thing ever replaced is an object whose bytes no longer match its
name: putting the right bytes under that name heals every backup that names it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple

import orjson
from pydantic import BaseModel, Field, ValidationError

from memtend.backup.manifest import Manifest, ManifestName, unpack_manifest
from memtend.clock import Clock
from memtend.codec.compress import Damaged
from memtend.errors import ManifestDamaged, ObjectDamaged, ObjectMissing, RepositoryForeign
from memtend.formats import REPOSITORY_FORMAT
from memtend.limits import KIB, MANIFEST_BYTES_MAX, OBJECT_BYTES_MAX
from memtend.objects import ObjectStore

IDENTITY: Final = "memtend.json"
_IDENTITY_BYTES_MAX: Final = 64 * KIB
# What may lie in a target that is to become a repository.
_SCAFFOLDING: Final = ("leases/", "tmp/", "probe/")


class Identity(BaseModel, frozen=True, extra="forbid"):
    """What `memtend.json` says. `encryption` will name the key derivation and the key ids."""

    format: Literal[1] = REPOSITORY_FORMAT
    repo_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    hash: Literal["sha256"] = "sha256"
    compression: Literal["zstd"] = "zstd"
    encryption: None = None

    def pack(self) -> bytes:
        fields: dict[str, Any] = self.model_dump(mode="json")
        check = sha256(_canonical(fields)).hexdigest()
        return _canonical(fields | {"check": check})


class Stored(NamedTuple):
    """An object after it was put and read back. `new` is False where it was there already."""

    digest: str
    new: bool


class Repository:
    """A repository that exists. `open` finds one, `create` makes one in an empty target."""

    def __init__(self, store: ObjectStore, identity: Identity) -> None:
        self.store = store
        self.identity = identity

    @classmethod
    def open(cls, store: ObjectStore) -> Repository:
        """The repository in `store`; `RepositoryForeign` if there is none that we know."""
        try:
            data = store.get(IDENTITY, limit=_IDENTITY_BYTES_MAX)
        except ObjectMissing:
            raise RepositoryForeign(url=store.url, why=f"it has no {IDENTITY}") from None
        except ObjectDamaged as error:
            raise RepositoryForeign(url=store.url, why=str(error)) from None
        return cls(store, _identity(data, store.url))

    @classmethod
    def create(cls, store: ObjectStore, clock: Clock) -> Repository:
        """The repository in `store`, made now if the target is empty. Call it under the lease."""
        if store.exists(IDENTITY):
            return cls.open(store)
        for info in store.list():
            if not info.name.startswith(_SCAFFOLDING):
                why = f"it has no {IDENTITY} and is not empty"
                raise RepositoryForeign(url=store.url, why=why)
        store.put_if_absent(IDENTITY, Identity(repo_id=clock.new_id()).pack())
        return cls.open(store)

    def put_object(self, data: bytes) -> Stored:
        """Store `data` under its hash and read it back. A damaged one in its place is replaced."""
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
        return Stored(digest, new)

    def get_object(self, digest: str, limit: int = OBJECT_BYTES_MAX) -> bytes:
        """The bytes with this hash; `ObjectDamaged` or `ObjectMissing` otherwise."""
        name = object_name(digest)
        data = self.store.get(name, limit=limit)
        if sha256(data).hexdigest() != digest:
            raise ObjectDamaged(
                url=self.store.url, name=name, why="its bytes do not match its name"
            )
        return data

    def manifests(self) -> list[ManifestName]:
        """Names of all manifests, oldest first. None of them is read."""
        listed = (ManifestName.parse(info.name) for info in self.store.list("manifests/"))
        return sorted(name for name in listed if name is not None)

    def put_manifest(self, manifest: Manifest) -> ManifestName:
        """Commit a backup: from here on it exists."""
        name, data = manifest.pack()
        self.store.put_if_absent(str(name), data)
        self.get_manifest(name)
        return name

    def get_manifest(self, name: ManifestName) -> Manifest:
        """A manifest, checked; `ManifestDamaged` or `ObjectMissing` otherwise."""
        try:
            data = self.store.get(str(name), limit=MANIFEST_BYTES_MAX)
            return unpack_manifest(name, data)
        except (Damaged, ObjectDamaged) as error:
            why = str(error.facts["why"]) if isinstance(error, ObjectDamaged) else str(error)
            raise ManifestDamaged(url=self.store.url, name=str(name), why=why) from None

    def _holds(self, name: str, data: bytes) -> bool:
        try:
            return self.store.get(name, limit=len(data)) == data
        except (ObjectDamaged, ObjectMissing):
            return False


def object_name(digest: str) -> str:
    return f"objects/{digest[:2]}/{digest}"


def _identity(data: bytes, url: str) -> Identity:
    try:
        fields = orjson.loads(data)
        identity = Identity.model_validate({k: v for k, v in fields.items() if k != "check"})
    except (orjson.JSONDecodeError, ValidationError, AttributeError):
        why = f"{IDENTITY} is damaged or of a format other than {REPOSITORY_FORMAT}"
        raise RepositoryForeign(url=url, why=why) from None
    if identity.pack() != data:
        raise RepositoryForeign(url=url, why=f"{IDENTITY} does not match its check")
    return identity


def _canonical(fields: dict[str, Any]) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
