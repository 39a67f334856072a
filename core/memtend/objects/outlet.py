"""Files that people and other programs read, under the names they expect, in a folder or bucket.

Unlike objects they are written as a stream, so that none has to fit into memory, and may be
replaced. Below a folder on this machine nothing is seen before all of it is there: it is built
beside under the name `<place>.export-<id>` and renamed. Elsewhere each file appears when it is
whole, where the target can do that; which file is written last is what tells a whole tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from memtend.clock import Clock
from memtend.objects.outlet_local import LocalOutlet
from memtend.objects.outlet_remote import RemoteOutlet
from memtend.objects.target import filesystem_of
from memtend.objects.urls import address_of, is_local, protocol_of


class Tree(Protocol):
    """A folder that is being written."""

    def file(self, name: str) -> AbstractContextManager[BinaryIO]:
        """One file of it, `/` between folders; left by an error, it is as if never written."""


class Outlet(Protocol):
    """A place for one file, or for a tree of files. `url` carries no secret."""

    @property
    def url(self) -> str: ...

    def is_file(self) -> bool: ...

    def is_other(self) -> bool:
        """Whether something is there that is no plain file: a folder, a link, a device, a pipe."""

    def sizes(self) -> dict[str, int]:
        """The lengths of the files below it, by name; none where it is not there."""

    def head(self, limit: int) -> bytes:
        """The first `limit` bytes of the place itself, where it is a file."""

    def read(self, name: str, limit: int) -> bytes:
        """The first `limit` bytes of a file below it."""

    def single(self, *, replace: bool) -> AbstractContextManager[BinaryIO]:
        """The place itself as one file; raises `ExportTaken` where one is that may not go."""

    def tree(self, old: Sequence[str]) -> AbstractContextManager[Tree]:
        """The place as a folder; `old` names all the files there that shall go, in this order."""


def open_outlet(url: str, clock: Clock, *, options: Mapping[str, Any] | None = None) -> Outlet:
    """The place at `url`. Nothing is read or written yet."""
    protocol = protocol_of(url)
    if is_local(protocol):
        path = Path(address_of(url))
        linked = path.is_symlink() and path.is_dir()  # the folder is replaced, not the link to it
        return LocalOutlet(path.resolve() if linked else path, clock)
    filesystem = filesystem_of(protocol, url, options or {})
    root = str(filesystem._strip_protocol(url.partition("?")[0])).rstrip("/")
    return RemoteOutlet(filesystem, root, address_of(url))
