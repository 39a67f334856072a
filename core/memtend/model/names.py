"""Names: namespaces, keys and fields are `/`-joined paths of plain segments (CRDT_SPEC 10).

A name is checked once, at the door. The whole path `namespace/key` is at most 512 bytes and
16 segments, so that a name never needs quoting in a file name, a URL or a pattern.
"""

from __future__ import annotations

import re
from functools import lru_cache

from memtend.errors import InvalidName
from memtend.limits import PATH_BYTES_MAX, PATH_SEGMENTS_MAX

MAINTENANCE = "maintenance"
"""The resource whose lease everything holds that deletes; nobody else can have it."""

_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._:@=+-]*"
_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)


@lru_cache(maxsize=65_536)
def check_name(name: str, what: str = "key") -> str:
    """Return `name` if it is a valid path; raise `InvalidName` otherwise."""
    if not isinstance(name, str):
        raise InvalidName(what=what, name=name, why="it is not text")
    if len(name) > PATH_BYTES_MAX:
        raise InvalidName(what=what, name=name[:64] + "…", why=f"longer than {PATH_BYTES_MAX}")
    if not _PATH.fullmatch(name):
        raise InvalidName(what=what, name=name, why=_why(name))
    if name.count("/") >= PATH_SEGMENTS_MAX:
        raise InvalidName(what=what, name=name, why=f"more than {PATH_SEGMENTS_MAX} segments")
    return name


def check_path(namespace: str, key: str) -> None:
    """Check a namespace and a key, each and together."""
    # Joined, they are a path exactly when both are: an empty one leaves an empty segment.
    path = f"{namespace}/{key}"
    if (
        len(path) <= PATH_BYTES_MAX
        and path.count("/") < PATH_SEGMENTS_MAX
        and _PATH.fullmatch(path)
        and isinstance(namespace, str)
        and isinstance(key, str)
    ):
        return
    check_name(namespace, "namespace")
    check_name(key, "key")
    check_name(path, "path")


def _why(name: str) -> str:
    if not name:
        return "it is empty"
    if name.startswith("/") or name.endswith("/") or "//" in name:
        return "it has an empty segment"
    for segment in name.split("/"):
        if not re.fullmatch(_SEGMENT, segment, re.ASCII):
            return f"segment {segment!r} has a character that is not allowed"
    return "it is not a path"
