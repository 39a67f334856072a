"""What a user calls a peer: a registered name, the address of a store, or a place.

An address may hold credentials and is then good for this one sync. What is kept and printed never
does: they come from the environment of the client, as for backups.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from memtend.errors import InvalidName, InvalidSettings, StoreMissing
from memtend.limits import PEER_NAME_CHARS_MAX
from memtend.objects import address_of
from memtend.objects.urls import protocol_of
from memtend.store.peers import Peer
from memtend.sync.peering import kind_of
from memtend.sync.report import PeerKind

_NAME: Final = re.compile(rf"[a-z][a-z0-9-]{{0,{PEER_NAME_CHARS_MAX - 1}}}", re.ASCII)
_RESERVED: Final = frozenset({"all", "default"})
_SQLITE: Final = "sqlite:///"
_MAGIC: Final = b"SQLite format 3\0"


class Where(NamedTuple):
    """`url` opens it; `shown` is the same without credentials, to keep and to print."""

    kind: PeerKind
    url: str
    shown: str
    name: str = ""


def check_peer_name(name: str) -> str:
    """Return `name` if it can be a peer's; it is then one of a Secret block, too."""
    if not _NAME.fullmatch(name) or name in _RESERVED:
        why = f"a name has small letters, digits and dashes, up to {PEER_NAME_CHARS_MAX}"
        raise InvalidName(what="peer", name=name[:PEER_NAME_CHARS_MAX], why=why)
    return name


def check_kept(where: Where) -> Where:
    """Return `where` if its address can be kept as it is; a credential cannot."""
    if where.url != where.shown and where.kind is PeerKind.STORE:
        why = "it holds a password or options; set PGPASSWORD and the like, or use ~/.pgpass"
        raise InvalidSettings(name="peer", why=f"{where.shown}: {why}")
    return where


def locate(text: str, rows: Iterable[Peer]) -> Where:
    """The peer that `text` names; raises `InvalidSettings` where that is not plain."""
    if not text:
        raise InvalidSettings(name="peer", why="it is empty")
    named = [row for row in rows if row.name == text and kind_of(row) is not PeerKind.MEMBER]
    if "://" in text:
        return at_address(text)
    there = os.path.exists(text)
    if named and there:
        why = f"{text!r} is a registered peer and a path here; write ./{text} for the path"
        raise InvalidSettings(name="peer", why=why)
    if named:
        return at_address(named[0].url)._replace(name=text)
    if there or os.path.dirname(text):
        return _at_path(text)
    why = f"no peer is called {text!r}, and there is no such file or folder (a new one is ./{text})"
    raise InvalidSettings(name="peer", why=why)


def at_address(url: str) -> Where:
    """A store, or else a target of objects."""
    scheme = url.partition("://")[0]
    if scheme in ("postgresql", "postgres"):
        return Where(PeerKind.STORE, url, _plain_postgres(url))
    if url.startswith(_SQLITE):
        return _store_file(url.removeprefix(_SQLITE))
    if scheme == "sqlite":
        raise InvalidSettings(name="peer", why="a store in memory cannot be reached from outside")
    protocol_of(url)  # refuses passwords
    return Where(PeerKind.PLACE, url, address_of(url)) if "://" in url else _at_path(url)


def _at_path(path: str) -> Where:
    if os.path.isfile(path):
        return _store_file(path)
    parent = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(path) and not os.path.isdir(parent):
        raise InvalidSettings(name="peer", why=f"there is no folder {parent}")
    shown = address_of(path)
    return Where(PeerKind.PLACE, shown, shown)


def _store_file(path: str) -> Where:
    if not os.path.exists(path):
        raise StoreMissing(url=path)
    with open(path, "rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise InvalidSettings(name="peer", why=f"{path} is no store")
    shown = _SQLITE + os.path.realpath(path)
    return Where(PeerKind.STORE, shown, shown)


def _plain_postgres(url: str) -> str:
    """User, host, port and database; nothing else.

    >>> _plain_postgres("postgresql://ada:pa55@db.example:5433/agents?sslmode=require")
    'postgresql://ada@db.example:5433/agents'
    """
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return f"postgresql://{user.partition(':')[0]}{at}{host}{parts.path}"
