"""Encryption of whole objects: what lies in a repository then shows its length and nothing else.

    magic "MEMTENC\\0" | format u8 | data key id, 16 | nonce, 12 | AES-256-GCM ciphertext and tag

The data key of a repository never leaves it in the clear: it lies there wrapped by the user's key,
which is 32 bytes as hex, or a passphrase through scrypt. Changing the user's key re-wraps the data
key and touches no object.

What an object is (its repository, its kind, the key's id) is authenticated with it, so that one
put in the place of another is noticed. The nonce is a keyed hash of that and of the content: the
same content has the same bytes and is stored once, and no nonce serves two contents.
"""

from __future__ import annotations

import hmac
import re
import struct
from enum import StrEnum
from hashlib import scrypt, sha256
from typing import Any, Final, NoReturn

from memtend.codec.compress import Damaged
from memtend.errors import InvalidSettings
from memtend.formats import ENCRYPTION_FORMAT
from memtend.limits import KIB, PASSPHRASE_CHARS_MIN, SCRYPT_MEMORY_BYTES_MAX

MAGIC: Final = b"MEMTENC\0"
KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
_HEADER: Final = struct.Struct(">8sB16s12s")
_TAG_BYTES: Final = 16
OVERHEAD_BYTES: Final = _HEADER.size + _TAG_BYTES
_HEX_KEY: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
# The strength that OWASP names for 32 MiB: a guess costs a third of a second, an opening too.
SCRYPT_N: Final = 2**15
SCRYPT_R: Final = 8
SCRYPT_P: Final = 3


class Kind(StrEnum):
    """What an encrypted object is. A key file wraps the data key itself."""

    SEGMENT = "segment"
    MANIFEST = "manifest"
    ARCHIVE_BLOCK = "archive block"
    KEY = "key"


class Cipher:
    """Seals and opens the objects of one repository. Never shown, never pickled."""

    def __init__(self, repo_id: str, key_id: str, key: bytes) -> None:
        self.repo_id = repo_id
        self.key_id = key_id
        self.key = key
        self._id = bytes.fromhex(key_id)
        self._nonces = _subkey(key, b"nonce")
        self._aes = _aes(_subkey(key, b"encrypt"))

    def seal(self, kind: str, plain: bytes) -> bytes:
        """`plain` encrypted: the same bytes each time."""
        context = self._context(kind)
        nonce = hmac.digest(self._nonces, context + plain, sha256)[:12]
        header = _HEADER.pack(MAGIC, ENCRYPTION_FORMAT, self._id, nonce)
        encrypted: bytes = self._aes.encrypt(nonce, plain, context)
        return header + encrypted

    def open(self, kind: str, data: bytes) -> bytes:
        """What was sealed as `kind`; raises `Damaged` unless every bit is as it was written."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        if len(data) < OVERHEAD_BYTES or not is_sealed(data):
            raise Damaged("it is not encrypted as everything else in the repository is")
        _, number, key_id, nonce = _HEADER.unpack_from(data)
        if number != ENCRYPTION_FORMAT:
            raise Damaged(f"encryption format {number} is not known")
        if key_id != self._id:
            raise Damaged("it is encrypted with another key")
        try:
            rest = memoryview(data)[_HEADER.size :]
            plain: bytes = self._aes.decrypt(nonce, rest, self._context(kind))
        except InvalidTag:
            raise Damaged("it cannot be decrypted") from None
        return plain

    def _context(self, kind: str) -> bytes:
        return b"\0".join((MAGIC, self._id.hex().encode(), self.repo_id.encode(), kind.encode()))

    def __repr__(self) -> str:
        return f"Cipher({self.key_id})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled; open the repository again")


class UserKey:
    """What a person or a secret store holds. Never shown, never pickled."""

    def __init__(self, text: str) -> None:
        text = text.strip()
        self._raw = bytes.fromhex(text) if _HEX_KEY.fullmatch(text) else None
        if self._raw is None and len(text) < PASSPHRASE_CHARS_MIN:
            why = f"64 hex digits, or a passphrase of {PASSPHRASE_CHARS_MIN} characters or more"
            raise InvalidSettings(name="backup key", why=f"it must be {why}")
        self._text = text
        self._stretched: dict[tuple[bytes, int, int, int], bytes] = {}

    @classmethod
    def of(cls, text: str | None) -> UserKey | None:
        """The key that a setting holds, if it holds one."""
        return None if text is None else cls(text)

    @property
    def is_passphrase(self) -> bool:
        return self._raw is None

    def stretched(self, salt: bytes, n: int, r: int, p: int) -> bytes:
        """The key that wraps. A passphrase is made expensive to guess; a raw key needs no such."""
        if self._raw is not None:
            return self._raw
        memory = 128 * n * r + 128 * r * p + 256 * KIB
        if not n > 1 or n & (n - 1) or min(r, p) < 1 or memory > SCRYPT_MEMORY_BYTES_MAX:
            raise Damaged("its key derivation is out of bounds")
        known = self._stretched.get((salt, n, r, p))
        if known is None:
            text = self._text.encode()
            known = scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=KEY_BYTES)
            self._stretched[salt, n, r, p] = known
        return known

    def __repr__(self) -> str:
        return "UserKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled; read it from its source again")


def is_sealed(data: bytes) -> bool:
    return data.startswith(MAGIC)


def wrap(wrapping: bytes, nonce: bytes, data_key: bytes, context: bytes) -> bytes:
    """The data key under a stretched user's key. `nonce` is 12 random bytes, used once."""
    wrapped: bytes = _aes(wrapping).encrypt(nonce, data_key, context)
    return wrapped


def unwrap(wrapping: bytes, nonce: bytes, wrapped: bytes, context: bytes) -> bytes | None:
    """The data key, or None where `wrapping` is not the key that wrapped it."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        data_key: bytes = _aes(wrapping).decrypt(nonce, wrapped, context)
    except InvalidTag:
        return None
    return data_key


def _subkey(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, b"memtend " + purpose, sha256)


def _aes(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key)
