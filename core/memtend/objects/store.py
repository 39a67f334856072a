"""What a backup needs of a place to put things: a few verbs on immutable, named bytes.

Objects are written once. `put_if_absent` never replaces anything; who finds an object already
there compares it. Names are checked at the door in both directions: a name that could leave the
target is refused, and one that could not have been ours is never listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from pydantic import BaseModel

from memtend.errors import InvalidName
from memtend.limits import OBJECT_BYTES_MAX, OBJECT_NAME_CHARS_MAX

_SEGMENT: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME: Final = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)


class ObjectInfo(NamedTuple):
    """`modified_ms` is when the target says that it was written, by the target's own clock."""

    name: str
    size: int
    modified_ms: int | None = None


class Capabilities(BaseModel, frozen=True, extra="forbid"):
    """What the target was seen to do, by trying: servers promise more than they keep.

    `conditional_create`: of two creators one is refused. `checksum`: a wrong checksum is refused.
    """

    conditional_create: bool
    checksum: bool


class ObjectStore(Protocol):
    """One target. `url` carries no secret and may be logged; the object itself may not."""

    @property
    def url(self) -> str: ...

    def probe(self) -> Capabilities:
        """What the target can do; tried once, then remembered."""

    def put_if_absent(self, name: str, data: bytes) -> bool:
        """Store durably, whole or not at all. False if the name is taken; nothing changes then."""

    def get(self, name: str, limit: int = OBJECT_BYTES_MAX) -> bytes:
        """All bytes; `ObjectDamaged` if they are more than `limit`, `ObjectMissing` if none."""

    def get_range(self, name: str, start: int, length: int) -> bytes:
        """The bytes from `start`, at most `length`; fewer at the end, none beyond it."""

    def exists(self, name: str) -> bool: ...

    def size(self, name: str) -> int: ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Objects below `prefix` (empty, or ending in `/`), in order of name."""

    def delete(self, name: str) -> None:
        """Remove the object; nothing happens if it is not there."""


def is_object_name(name: str) -> bool:
    return len(name) <= OBJECT_NAME_CHARS_MAX and _NAME.fullmatch(name) is not None


def check_object_name(name: str) -> str:
    """Return `name` if it can be an object's; raise `InvalidName` otherwise."""
    if not is_object_name(name):
        shown = name[:OBJECT_NAME_CHARS_MAX]
        raise InvalidName(what="object name", name=shown, why="it is not a path of plain segments")
    return name


def check_prefix(prefix: str) -> str:
    """Return `prefix` if it is empty or a name with `/` behind it."""
    if prefix:
        check_object_name(prefix.removesuffix("/"))
        if not prefix.endswith("/"):
            raise InvalidName(what="prefix", name=prefix, why="it does not end in '/'")
    return prefix
