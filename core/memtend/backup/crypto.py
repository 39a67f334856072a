"""The keys of an encrypted repository: the data key, wrapped, in `keys/<data key>-<wrapping>`.

A repository is encrypted if and only if a key was given when it was made. Its data key is drawn
then and stays; what the user holds only wraps it. Rotating the user's key:

1. put the data key wrapped by the new key; read it back and open it
2. remove the wrappings that the old key opens

A crash between them leaves both keys valid: too much, never too little.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final, Literal

import orjson
from pydantic import BaseModel, Field, ValidationError

from memtend.clock import Clock
from memtend.codec.compress import Damaged
from memtend.codec.crypto import (
    KEY_BYTES,
    SALT_BYTES,
    SCRYPT_N,
    SCRYPT_P,
    SCRYPT_R,
    Cipher,
    Kind,
    UserKey,
    unwrap,
    wrap,
)
from memtend.errors import BackupKeyRefused, ObjectDamaged, ObjectMissing
from memtend.formats import ENCRYPTION_FORMAT
from memtend.limits import KEY_FILES_MAX, KIB
from memtend.objects import ObjectStore

FOLDER: Final = "keys/"
_FILE_BYTES_MAX: Final = 16 * KIB
_HEX: Final = r"^(?:[0-9a-f]{2})+$"


class Encryption(BaseModel, frozen=True, extra="forbid"):
    """What `memtend.json` says of it; nothing of this is secret."""

    cipher: Literal["aes-256-gcm"] = "aes-256-gcm"
    key_id: str = Field(pattern=r"^[0-9a-f]{32}$")


class Wrapping(BaseModel, frozen=True, extra="forbid"):
    """One file of `keys/`. With `kdf` "none" the user's key is the wrapping key itself."""

    format: Literal[1] = ENCRYPTION_FORMAT
    key_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    kdf: Literal["scrypt", "none"]
    n: int = SCRYPT_N
    r: int = SCRYPT_R
    p: int = SCRYPT_P
    salt: str = Field(pattern=_HEX)
    nonce: str = Field(pattern=r"^[0-9a-f]{24}$")
    wrapped: str = Field(pattern=_HEX)

    def pack(self) -> bytes:
        fields: dict[str, Any] = self.model_dump(mode="json")
        return _canonical(fields | {"check": sha256(_canonical(fields)).hexdigest()})

    @classmethod
    def unpack(cls, data: bytes) -> Wrapping:
        try:
            fields = orjson.loads(data)
            found = cls.model_validate({k: v for k, v in fields.items() if k != "check"})
        except (orjson.JSONDecodeError, ValidationError, AttributeError) as error:
            raise Damaged("it is no wrapped key") from error
        if found.pack() != data:
            raise Damaged("it does not match its check")
        return found

    def opened(self, repo_id: str, key: UserKey) -> bytes | None:
        """The data key, or None where `key` is not the one."""
        if key.is_passphrase != (self.kdf == "scrypt"):
            return None
        wrapping = key.stretched(bytes.fromhex(self.salt), self.n, self.r, self.p)
        context = _context(repo_id, self.key_id)
        return unwrap(wrapping, bytes.fromhex(self.nonce), bytes.fromhex(self.wrapped), context)


def new_cipher(repo_id: str, clock: Clock) -> Cipher:
    """A cipher with a data key drawn now."""
    data_key = bytes.fromhex(clock.new_id() + clock.new_id())
    return Cipher(repo_id, clock.new_id(), data_key[:KEY_BYTES])


def save_wrapping(store: ObjectStore, cipher: Cipher, key: UserKey, clock: Clock) -> str:
    """Put the data key under `key`, read it back and open it. Its name."""
    salt, nonce = clock.new_id()[: 2 * SALT_BYTES], clock.new_id()[:24]
    wrapping = key.stretched(bytes.fromhex(salt), SCRYPT_N, SCRYPT_R, SCRYPT_P)
    context = _context(cipher.repo_id, cipher.key_id)
    made = Wrapping(
        key_id=cipher.key_id,
        kdf="scrypt" if key.is_passphrase else "none",
        salt=salt,
        nonce=nonce,
        wrapped=wrap(wrapping, bytes.fromhex(nonce), cipher.key, context).hex(),
    )
    name = f"{FOLDER}{cipher.key_id}-{clock.new_id()}"
    store.put_if_absent(name, made.pack())
    if _read(store, name).opened(cipher.repo_id, key) != cipher.key:
        why = "what was written reads back differently"
        raise ObjectDamaged(url=store.url, name=name, why=why)
    return name


def find_cipher(store: ObjectStore, repo_id: str, key_id: str, key: UserKey | None) -> Cipher:
    """The cipher that `key` opens; `BackupKeyRefused` if it opens none, or there is no key."""
    if key is None:
        raise BackupKeyRefused(url=store.url, why="they are encrypted, and no key was given")
    names, data_key = openings(store, repo_id, key_id, key)
    if not names or data_key is None:
        raise BackupKeyRefused(url=store.url, why="the key that was given is not theirs")
    return Cipher(repo_id, key_id, data_key)


def openings(
    store: ObjectStore, repo_id: str, key_id: str, key: UserKey
) -> tuple[list[str], bytes | None]:
    """The wrappings that `key` opens, and the data key in them. Damaged ones are passed over."""
    data_key, names, damaged = None, list[str](), list[str]()
    for info in list(store.list(FOLDER))[:KEY_FILES_MAX]:
        if not info.name.startswith(f"{FOLDER}{key_id}-"):
            continue
        try:
            found = _read(store, info.name).opened(repo_id, key)
        except (ObjectDamaged, ObjectMissing):
            damaged.append(info.name)
            continue
        if found is not None:
            data_key = found
            names.append(info.name)
    if not names and damaged:
        raise ObjectDamaged(url=store.url, name=damaged[0], why="it is no wrapped key")
    return names, data_key


def rewrap(store: ObjectStore, cipher: Cipher, old: UserKey, new: UserKey, clock: Clock) -> int:
    """Change the user's key from `old` to `new`; how many wrappings went. Under the lease."""
    before, _ = openings(store, cipher.repo_id, cipher.key_id, old)
    kept = save_wrapping(store, cipher, new, clock)  # 1
    gone = [name for name in before if name != kept]
    for name in gone:  # 2
        store.delete(name)
    return len(gone)


def check_wrapping(store: ObjectStore, name: str) -> str:
    """What is wrong with a file of `keys/`, if anything."""
    try:
        _read(store, name)
    except (ObjectDamaged, ObjectMissing) as error:
        return str(error)
    return ""


def _read(store: ObjectStore, name: str) -> Wrapping:
    try:
        return Wrapping.unpack(store.get(name, limit=_FILE_BYTES_MAX))
    except Damaged as error:
        raise ObjectDamaged(url=store.url, name=name, why=str(error)) from None


def _context(repo_id: str, key_id: str) -> bytes:
    return b"\0".join((b"memtend", Kind.KEY.value.encode(), key_id.encode(), repo_id.encode()))


def _canonical(fields: dict[str, Any]) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
