"""What may be on a disk after the power was cut, built from a record of the shim.

A disk keeps what was synced before. Of what was written to a file since its last sync it may have
kept nothing, everything, a first part, or any choice of writes, each whole or torn at a sector.
Names behave likewise: those made or removed since the last sync of their folder are there up to
some point in the order they were made (a journal), and nothing of a file that has no name is left.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
_HEADER = struct.Struct("<cHqI")


class Op(NamedTuple):
    """`kind`: w write, t truncate, a allocate, s and S begin and end of a sync, c create,
    m make folder, r rename, l link, u unlink or remove, n note."""

    kind: str
    path: str
    at: int
    data: bytes


def read_record(file: Path) -> Iterator[Op]:
    data, at = file.read_bytes(), 0
    while at < len(data):
        kind, path_length, offset, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        path = data[at : at + path_length].decode()
        at += path_length
        yield Op(kind.decode(), path, offset, data[at : at + length])
        at += length


class File:
    """An inode: its safe bytes, and what was done to it since, oldest first."""

    def __init__(self) -> None:
        self.safe = bytearray()
        self.pending: list[Op] = []

    def sync(self, count: int) -> None:
        for op in self.pending[:count]:
            apply(self.safe, op)
        del self.pending[:count]

    def after_cut(self, dice: random.Random) -> bytes:
        found = bytearray(self.safe)
        mode = dice.choice(("none", "all", "prefix", "subset"))
        end = dice.randrange(len(self.pending) + 1) if mode == "prefix" else len(self.pending)
        for op in self.pending[:end]:
            if mode == "none" or (mode == "subset" and dice.random() < 0.5):
                continue
            whole = mode == "all" or op.kind != "w" or dice.random() < 0.7
            kept = len(op.data) if whole else SECTOR * dice.randrange(len(op.data) // SECTOR + 1)
            apply(found, op._replace(data=op.data[:kept]))
        return bytes(found)


def apply(content: bytearray, op: Op) -> None:
    if op.kind == "t":
        del content[op.at :]
    if op.kind in "ta":
        content.extend(bytes(max(0, op.at - len(content))))
        return
    content.extend(bytes(max(0, op.at - len(content))))
    content[op.at : op.at + len(op.data)] = op.data


class Folder:
    """Names: the safe ones, and changes since, oldest first; a change is name → file or None."""

    def __init__(self) -> None:
        self.safe: dict[str, File | Folder] = {}
        self.pending: list[tuple[str, File | Folder | None]] = []

    def now(self) -> dict[str, File | Folder]:
        return self._names(len(self.pending))

    def change(self, name: str, to: File | Folder | None) -> None:
        self.pending.append((name, to))

    def sync(self, count: int) -> None:
        self.safe = self._names(count)
        del self.pending[:count]

    def after_cut(self, dice: random.Random) -> dict[str, File | Folder]:
        return self._names(
            dice.choice((0, len(self.pending), dice.randrange(len(self.pending) + 1)))
        )

    def _names(self, count: int) -> dict[str, File | Folder]:
        names = dict(self.safe)
        for name, to in self.pending[:count]:
            if to is None:
                names.pop(name, None)
            else:
                names[name] = to
        return names


class Disk:
    """The folder `root` as it was when recording began (empty), and all that was done to it."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.top = Folder()
        self._syncs: dict[tuple[str, int], tuple[File | Folder, int]] = {}

    def do(self, op: Op) -> None:
        """Take in the next operation of the record."""
        if op.kind == "n":
            return
        folder, name = self._place(op.path)
        target = folder.now().get(name) if name else self.top
        if op.kind in "wta":
            if isinstance(target, File):
                target.pending.append(op)
        elif op.kind == "s" and target is not None:
            self._syncs[op.path, op.at] = target, len(target.pending)
        elif op.kind == "S":
            synced, count = self._syncs.pop((op.path, op.at), (None, 0))
            if synced is not None:
                # Another sync may have ended meanwhile; the rest of the list is newer.
                synced.sync(min(count, len(synced.pending)))
        elif op.kind in "cm":
            folder.change(name, Folder() if op.kind == "m" else File())
        elif op.kind == "u":
            folder.change(name, None)
        elif op.kind in "rl":
            other, new_name = self._place(op.data.decode())
            other.change(new_name, target)
            if op.kind == "r":
                folder.change(name, None)

    def cut(self, where: Path, dice: random.Random) -> None:
        """Write one legal state after a power cut into the empty folder `where`."""
        _write(self.top, where, dice)

    def _place(self, path: str) -> tuple[Folder, str]:
        *folders, name = path.removesuffix(" (deleted)").removeprefix(self._root).split("/")
        at = self.top
        for step in folders:
            found = at.now().get(step) if step else at
            assert isinstance(found, Folder), path
            at = found
        return at, name


def _write(folder: Folder, where: Path, dice: random.Random) -> None:
    for name, found in folder.after_cut(dice).items():
        path = where / name
        if isinstance(found, Folder):
            os.mkdir(path)
            _write(found, path, dice)
        elif not name.endswith("-shm"):  # memory shared by processes: made anew by the first one
            path.write_bytes(found.after_cut(dice))
