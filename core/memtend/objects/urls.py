"""Target addresses, and how they are shown.

>>> redact("sftp://me:hunter2@host/backups?token=abc")
'sftp://***@host/backups'
"""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import unquote

from memtend.errors import InvalidSettings

_LOCAL: Final = frozenset({"", "file", "local"})


def redact(url: str) -> str:
    """`url` without user info, query and fragment: what may be printed, logged and stored."""
    scheme, mark, rest = url.partition("://")
    if not mark or scheme in _LOCAL:
        return url
    rest = rest.partition("#")[0].partition("?")[0]
    user, place = _split_user(rest)
    return f"{scheme}://***@{place}" if user else f"{scheme}://{rest}"


def address_of(url: str) -> str:
    """The one spelling under which a target is remembered: what `ObjectStore.url` says."""
    scheme, mark, _ = url.partition("://")
    if not mark or scheme in _LOCAL:
        return os.path.abspath(local_path(url))
    return redact(url).rstrip("/")


def protocol_of(url: str) -> str:
    """The scheme, empty for a plain path. Refuses what could hide a secret or a second target."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return ""
    if "::" in url:
        raise InvalidSettings(name="target URL", why="chained file systems are not supported")
    if scheme in _LOCAL:
        return scheme
    user, place = _split_user(rest)
    if ":" in user:
        why = "it holds a password; credentials belong in the environment or in a block"
        raise InvalidSettings(name="target URL", why=why)
    if not place.partition("/")[0]:
        raise InvalidSettings(name="target URL", why=f"{redact(url)} names no bucket or host")
    return scheme.lower()


def is_local(protocol: str) -> bool:
    return protocol in _LOCAL


def local_path(url: str) -> str:
    """The path of a local target, given plain or as `file://`."""
    _, mark, rest = url.partition("://")
    return unquote(rest) if mark else url


def _split_user(rest: str) -> tuple[str, str]:
    """User info and the rest. A password may hold `/` and `@`: the last `@` is what ends it."""
    host, slash, path = rest.partition("/")
    before, colon, after = host.partition(":")
    if colon and "@" not in before and not after.isdigit() and "@" in rest:
        user, _, place = rest.rpartition("@")
        return user, place
    user, at, name = host.rpartition("@")
    return (user, name + slash + path) if at else ("", rest)
