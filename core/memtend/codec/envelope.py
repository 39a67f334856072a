"""The envelope of a stored row: its metadata packed into `body`, and the hash over everything.

The body is a msgpack list in a fixed order, so the same record has the same bytes on every
engine. The hash binds namespace, key and field as well: a row found under another name is damage.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import ormsgpack
from xxhash import xxh3_64_intdigest, xxh3_128_digest

from memtend.codec.compress import Damaged
from memtend.formats import BODY_FORMAT
from memtend.model.dot import Dot

QUARANTINED_FLAG: Final = 1 << 8
QUARANTINED: Final = "quarantined"


class Body(NamedTuple):
    """What a row says besides its value. The order is the stored format; append, never reorder."""

    replica: str
    n: int
    ts: int
    type: int
    created_ms: int
    size: int
    ttl_ms: int | None
    kind: str
    agent: str | None = None
    session: str | None = None
    tags: tuple[str, ...] = ()
    importance: float = 0.5
    confidence: float | None = None
    success_count: int | None = None
    failure_count: int | None = None
    pinned: bool = False
    writer: str | None = None
    trust: str = "unverified"
    dictionary: int | None = None
    extra: bytes | None = None

    @property
    def dot(self) -> Dot:
        return Dot(self.replica, self.n)

    def pack(self) -> bytes:
        return ormsgpack.packb((BODY_FORMAT, bytes.fromhex(self[0]), *self[1:]))


LABELS: Final = slice(Body._fields.index("kind"), Body._fields.index("dictionary"))
"""The columns that a writer says about a value."""


def unpack(data: bytes) -> Body:
    """The body of `data`; raises `Damaged` when it is none."""
    try:
        number, replica, *rest = ormsgpack.unpackb(data)
        if number != BODY_FORMAT:
            raise Damaged(f"body format {number} is not known")
        rest[9] = tuple(rest[9])
        return Body(replica.hex(), *rest)
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise Damaged(f"the body cannot be read: {error}") from error


def flags_of(codec: int, kind: int, *, quarantined: bool) -> int:
    """Codec, value type and quarantine in one integer; 0 is a plain visible uncompressed value."""
    return codec | kind << 4 | (QUARANTINED_FLAG if quarantined else 0)


def codec_of(flags: int) -> int:
    return flags & 15


def type_of(flags: int) -> int:
    return flags >> 4 & 15


def prefix_of(namespace: str) -> bytes:
    """What the hash of every row of `namespace` begins with."""
    return namespace.encode() + b"\0"


def row_hash(
    prefix: bytes, path: bytes, flags: int, exp: int | None, body: bytes, value: bytes
) -> bytes:
    """128 bits over all that matters. `path` is `key` or `key NUL field`.

    XXH3-128, a seventh of SHA-256's time at 1 KB. It must find damage, not an attacker: whoever can
    rewrite a value can rewrite any unkeyed hash beside it. Backups name objects by SHA-256.
    """
    return xxh3_128_digest(b"".join((prefix, path, edge_of(flags, exp), body, value)))


def is_sound(
    prefix: bytes, path: bytes, flags: int, exp: int | None, body: bytes, value: bytes, want: bytes
) -> bool:
    """Whether a row matches its hash. SQLite hands over whatever type it finds in the file."""
    try:
        return row_hash(prefix, path, flags, exp, body, value) == want
    except (TypeError, AttributeError):
        return False


def edge_of(flags: int, exp: int | None) -> bytes:
    """Flags and deadline as hashed; the usual case, plain and permanent, is `PLAIN_EDGE`."""
    deadline = b"-" if exp is None else exp.to_bytes(8, signed=True)
    return b"\0%b%b" % (flags.to_bytes(8, signed=True), deadline)


PLAIN_EDGE: Final = edge_of(0, None)


def path_of(key: str, field: str) -> bytes:
    return f"{key}\0{field}".encode() if field else key.encode()


def content_of(text: bytes) -> int:
    """64 bits of the hash of canonical JSON, as a signed integer: equal values, equal numbers."""
    return xxh3_64_intdigest(text) - 2**63


def content_mark(content: int) -> str:
    """The same number as 16 hex digits, for labels that may be exported as JSON."""
    return f"{content & (2**64 - 1):016x}"


def check_row(row: Any) -> bool:
    """Whether a `StoredRow` matches its hash. Needs nothing but the row."""
    namespace, key, field, _, exp, flags, body, value, digest, _ = row
    path = f"{namespace}\0{key}\0{field}" if field else f"{namespace}\0{key}"
    edge = PLAIN_EDGE if flags == 0 and exp is None else edge_of(flags, exp)
    return bool(xxh3_128_digest(b"".join((path.encode(), edge, body, value))) == digest)
