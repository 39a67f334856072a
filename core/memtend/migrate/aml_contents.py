"""The files of one backup of an AML tree, each compared with what the backup's list says of it.

What a list or a tar calls a file is looked up among what is there: it is never made a path. A name
that is not `<agent>/<file>` of one of the backup's agents is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from memtend.limits import MIB
from memtend.migrate.aml_catalog import LIST, TAR, Backup
from memtend.migrate.files import SourceFile, opened, read_bytes, walk
from memtend.migrate.gunzip import MAGIC, gunzip, pieces_of
from memtend.migrate.items import printable
from memtend.migrate.tarstream import TarStream
from memtend.model.unreadable import Unreadable

_GLOBAL: Final = "global"
_PACKED: Final = ".gz"
_NOT_OURS: Final = "its name is not that of a file of one of the backup's agents"


class Piece(NamedTuple):
    """One file. `path` is its place in the tree, None for what is refused; `where` its own.

    `why` says that it failed; else `text` is what was backed up, which may be gzip itself.
    """

    path: str | None
    where: str
    raw: bytes
    text: bytes = b""
    why: str | None = None


class Contents:
    """What lies in the folder of the backups, by its names."""

    def __init__(
        self, root: Path, files: Mapping[str, SourceFile], folders: Mapping[str, Path]
    ) -> None:
        self._root = root
        self._files = files
        self._folders = folders

    def where(self, backup: Backup) -> str:
        return backup.id + TAR if backup.tar else backup.id

    def source(self, backup: Backup) -> SourceFile | None:
        """The tar of a backup, if that is what it is."""
        return self._files.get(self.where(backup)) if backup.tar else None

    def names(self, backup: Backup) -> frozenset[str]:
        """What it holds, by places in the tree; raises `Unreadable` if it is not whole."""
        if not backup.tar:
            if backup.id not in self._folders:
                raise Unreadable(f"{LIST} names it, but its folder is not there")
            return frozenset(backup.checksums)
        file = self.source(backup)
        if file is None:
            raise Unreadable("its list names it, but it is not there")
        with opened(file) as stream:
            if backup.checksum is not None:
                if _hash(stream) != backup.checksum:
                    raise Unreadable("its bytes do not match its checksum")
                stream.seek(0)
            # The end of the gzip data has the sum of all of it, for want of another.
            pieces = pieces_of(iter(lambda: stream.read(MIB), b""))
            names = {_path(member.name, backup) for member in TarStream(pieces)}
            for _ in pieces:
                pass
        return frozenset(name for name in names if name)

    def pieces(self, backup: Backup, wanted: Callable[[str], bool]) -> Iterator[Piece]:
        """The files at the places that are wanted, and whatever is refused."""
        return self._of_tar(backup, wanted) if backup.tar else self._of_folder(backup, wanted)

    def _of_folder(self, backup: Backup, wanted: Callable[[str], bool]) -> Iterator[Piece]:
        there = {
            file.relative.removeprefix(f"{backup.id}/"): file
            for file in walk(self._folders[backup.id], self._root)
        }
        for name, checksum in sorted(backup.checksums.items()):
            path = _path(name, backup)
            file = there.pop(f"{path}{_PACKED}", None) or there.pop(f"{path}", None)
            where = file.relative if file else f"{backup.id}/{printable(name)}"
            if path is None:
                yield Piece(None, where, b"", why=_NOT_OURS)
            elif wanted(path):
                yield _checked(path, where, file, checksum)
        for file in there.values():
            raw, why = b"", f"{LIST} has no checksum for it"
            try:
                raw = read_bytes(file)
            except Unreadable as error:
                why = str(error)
            yield Piece(None, file.relative, raw, why=why)

    def _of_tar(self, backup: Backup, wanted: Callable[[str], bool]) -> Iterator[Piece]:
        met: set[str] = set()
        with opened(self._files[self.where(backup)]) as stream:
            tar = TarStream(pieces_of(iter(lambda: stream.read(MIB), b"")))
            for member in tar:
                path = _path(member.name, backup)
                where = f"{self.where(backup)}/{printable(member.name)}"
                why = member.refused or ("it is there twice" if path in met else None)
                if path is not None and why is None:
                    if member.folder or not wanted(path):
                        continue
                    met.add(path)
                    try:
                        raw = tar.read()
                    except Unreadable as error:
                        yield Piece(path, where, b"", why=str(error))
                    else:
                        yield Piece(path, where, raw, raw)
                elif not member.folder or _leads_out(member.name):
                    raw = b"" if member.refused else tar.read()
                    yield Piece(None, where, raw, why=why or _NOT_OURS)


def _checked(path: str, where: str, file: SourceFile | None, checksum: object) -> Piece:
    raw = b""
    try:
        if file is None:
            raise Unreadable(f"{LIST} names it, but it is not there")
        raw = read_bytes(file)
        text = gunzip(raw) if raw.startswith(MAGIC) else raw
        if not isinstance(checksum, str) or sha256(text).hexdigest() != checksum.lower():
            raise Unreadable("its contents do not match its checksum")
    except Unreadable as error:
        return Piece(path, where, raw, why=str(error))
    return Piece(path, where, raw, text)


def _path(name: str, backup: Backup) -> str | None:
    """`<agent>/<file>`, or None for what is no such name."""
    parts = name.removeprefix("./").rstrip("/").split("/")
    if len(parts) != 2 or _leads_out(name) or not all(parts):
        return None
    known = parts[0] in backup.agents or parts[0] == _GLOBAL
    return "/".join(parts) if known else None


def _leads_out(name: str) -> bool:
    marks = ("\\", "\0")
    return name.startswith("/") or ".." in name.split("/") or any(mark in name for mark in marks)


def _hash(stream: BinaryIO) -> str:
    found = sha256()
    while chunk := stream.read(MIB):
        found.update(chunk)
    return found.hexdigest()
