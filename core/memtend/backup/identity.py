"""What `memtend.json` says of a repository: written once, checked by a hash over the rest of it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final, Literal

import orjson
from pydantic import BaseModel, Field, ValidationError

from memtend.backup.crypto import FOLDER, Encryption, find_cipher
from memtend.codec.crypto import Cipher, UserKey
from memtend.errors import ObjectDamaged, ObjectMissing, RepositoryForeign
from memtend.formats import REPOSITORY_FORMAT
from memtend.limits import KIB
from memtend.objects import ObjectStore

IDENTITY: Final = "memtend.json"
_IDENTITY_BYTES_MAX: Final = 64 * KIB


class Identity(BaseModel, frozen=True, extra="forbid"):
    format: Literal[1] = REPOSITORY_FORMAT
    repo_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    hash: Literal["sha256"] = "sha256"
    compression: Literal["zstd"] = "zstd"
    encryption: Encryption | None = None

    def pack(self) -> bytes:
        fields: dict[str, Any] = self.model_dump(mode="json")
        check = sha256(_canonical(fields)).hexdigest()
        return _canonical(fields | {"check": check})

    def cipher(self, store: ObjectStore, key: UserKey | None) -> Cipher | None:
        """What opens the objects, or None where they lie in the clear."""
        if self.encryption is not None:
            return find_cipher(store, self.repo_id, self.encryption.key_id, key)
        # Who holds a key must not be led to write in the clear by an identity put in its place.
        if key is not None and next(iter(store.list(FOLDER)), None) is not None:
            why = f"{IDENTITY} says that nothing is encrypted, and yet there are keys"
            raise RepositoryForeign(url=store.url, why=why)
        return None


def read_identity(store: ObjectStore) -> Identity:
    """The identity of the repository in `store`; `RepositoryForeign` if there is none."""
    try:
        data = store.get(IDENTITY, limit=_IDENTITY_BYTES_MAX)
    except ObjectMissing:
        raise RepositoryForeign(url=store.url, why=f"it has no {IDENTITY}") from None
    except ObjectDamaged as error:
        raise RepositoryForeign(url=store.url, why=str(error)) from None
    return _parse(data, store.url)


def _parse(data: bytes, url: str) -> Identity:
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
