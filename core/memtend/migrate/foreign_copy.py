"""The bytes of a foreign SQLite database as they were at one moment, without touching it.

SQLite reads a write-ahead log only with an index that it would make beside the source, and rolls a
journal back by writing. So a database with either is copied to a folder of its own, together with
it, and only the copy is opened. What another program commits meanwhile is noticed:

- The header of a log has salts that change when the log begins anew. While they stay, the log holds
  every page that a checkpoint may have written into the copied database, so the pair is whole
  whatever else was appended or checkpointed.
- Without a log, size, time of change and the header's change counter of database and journal are
  the same before and after; else the copy is made again, at last under a reader's lock.

A journal that names a super-journal is refused: rolling it back would let SQLite delete the file
of that name, which can be any file of this machine.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from memtend.limits import MIB
from memtend.limits_foreign import FOREIGN_BUSY_WAIT_MS, FOREIGN_COPY_BYTES_MAX, FOREIGN_COPY_TRIES
from memtend.model.unreadable import Unreadable

WAL: Final = "-wal"
JOURNAL: Final = "-journal"
_MAGIC: Final = b"SQLite format 3\x00"
_HEADER_BYTES: Final = 100
_WAL_HEADER_BYTES: Final = 32
_JOURNAL_MAGIC: Final = bytes.fromhex("d9d505f920a163d7")
_ROLLBACK: Final = 1  # what byte 18 of the header says of a database without a log


class Part(NamedTuple):
    """One file: which it is, how long, when it changed, and how it begins. A length of 0 stands
    for a file that is not there as well: to SQLite both are the same."""

    inode: int
    size: int
    changed_ns: int
    head: bytes


class Look(NamedTuple):
    """A database and what lies beside it, as somebody saw it at one moment."""

    main: Part
    wal: Part
    journal: Part

    @property
    def quiet(self) -> bool:
        """Whether the database file alone says everything that was committed."""
        return not (self.wal.size or self.hot)

    @property
    def hot(self) -> bool:
        """Whether SQLite would take the journal for one of a transaction that has not ended."""
        return self.journal.head[:1] not in (b"", b"\0")

    def same_as(self, earlier: Look) -> bool:
        """Whether a copy that was made between the two is whole. See above."""
        if self.wal.size and self.wal.head == earlier.wal.head:
            return self.main.inode == earlier.main.inode
        return self == earlier


def look_at(path: Path) -> Look:
    """Raises `Unreadable` for what is no SQLite database: never taken for an empty one."""
    main = _part(path, _HEADER_BYTES)
    if not main.size:
        raise Unreadable("it is empty" if path.exists() else "it is not there")
    if not main.head.startswith(_MAGIC):
        raise Unreadable("it is not a SQLite database")
    if len(main.head) < _HEADER_BYTES:
        raise Unreadable("it is cut off within its first page")
    return Look(
        main, _part(_beside(path, WAL), _WAL_HEADER_BYTES), _part(_beside(path, JOURNAL), 8)
    )


def copied(path: Path, folder: Path) -> Path:
    """A whole copy below `folder`, as of one moment; raises `Unreadable`."""
    copy = folder / "database"
    for _ in range(FOREIGN_COPY_TRIES):
        before = look_at(path)
        size = before.main.size + before.wal.size + before.journal.size
        if size > FOREIGN_COPY_BYTES_MAX or size + 64 * MIB > shutil.disk_usage(folder).free:
            raise Unreadable(f"it has to be copied to be read, and {size:,} bytes are too many")
        try:
            # The log comes after the database and with all it has by then: what a checkpoint has
            # put into the database meanwhile has to be in it.
            for name, wanted in (("", True), (WAL, before.wal.size > 0), (JOURNAL, before.hot)):
                _beside(copy, name).unlink(missing_ok=True)
                if wanted:
                    _copy(_beside(path, name), _beside(copy, name))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Unreadable(error.strerror or "it cannot be copied") from None
        if look_at(path).same_as(before):
            refuse_super_journal(copy)
            return _settled(copy)
    for name in ("", WAL, JOURNAL):
        _beside(copy, name).unlink(missing_ok=True)
    return _locked_copy(path, copy)


def _locked_copy(path: Path, copy: Path) -> Path:
    """Through SQLite's own locks, which keep a busy writer out for as long as it takes."""
    if look_at(path).main.head[18] != _ROLLBACK:
        raise Unreadable("another program writes to it all the time; try again when that rests")
    wait_s = FOREIGN_BUSY_WAIT_MS / 1_000
    try:
        with (
            closing(sqlite3.connect(uri_of(path, "mode=ro"), uri=True, timeout=wait_s)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise Unreadable(f"another program writes to it: {error}") from None
    return copy


def _settled(copy: Path) -> Path:
    """The copy with its log or journal worked into it, before anybody has read its schema."""
    try:
        with closing(sqlite3.connect(uri_of(copy, "mode=rw"), uri=True)) as database:
            database.execute("PRAGMA user_version").fetchall()
    except sqlite3.Error as error:
        raise Unreadable(f"its log or journal cannot be worked in: {error}") from None
    if not look_at(copy).quiet:
        raise Unreadable("its log or journal cannot be worked in")
    return copy


def uri_of(path: Path, how: str) -> str:
    return f"{path.resolve().as_uri()}?{how}"


def refuse_super_journal(path: Path) -> None:
    """Raises `Unreadable` where the journal beside `path` ends with the name of a super-journal."""
    journal = _beside(path, JOURNAL)
    try:
        with journal.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - len(_JOURNAL_MAGIC)))
            end = stream.read()
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unreadable(f"its journal: {error.strerror or 'it cannot be read'}") from None
    if end == _JOURNAL_MAGIC:
        raise Unreadable("its journal belongs to a transaction over several databases")


def _beside(path: Path, name: str) -> Path:
    return path.with_name(path.name + name)


def _part(path: Path, head_bytes: int) -> Part:
    try:
        with _opened(path) as stream:
            about = os.fstat(stream.fileno())
            head = stream.read(head_bytes)
    except FileNotFoundError:
        return Part(0, 0, 0, b"")
    except OSError as error:
        raise Unreadable(error.strerror or "it cannot be read") from None
    return Part(about.st_ino, about.st_size, about.st_mtime_ns, head)


def _opened(path: Path) -> BinaryIO:
    """A plain file, unbuffered; opening neither follows a link nor waits for a pipe."""
    if stat.S_ISLNK(path.lstat().st_mode):
        raise Unreadable("it is a symbolic link; links are not followed")
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    stream = open(handle, "rb", buffering=0)  # noqa: SIM115 — the caller closes it
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        stream.close()
        raise Unreadable("it is not a plain file")
    return stream


def _copy(source: Path, target: Path) -> None:
    with _opened(source) as reading, target.open("wb") as writing:
        left = FOREIGN_COPY_BYTES_MAX
        while left > 0 and (data := reading.read(MIB)):
            writing.write(data)
            left -= len(data)
    if left <= 0:
        raise Unreadable(f"it grew beyond {FOREIGN_COPY_BYTES_MAX:,} bytes while it was copied")
