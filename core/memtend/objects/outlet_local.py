"""An outlet that is a folder or a file on this machine.

What is written is synced before it takes its name. A killed export leaves `<place>.export-<id>`,
which a later export to the same place removes when it is a day old: another may be running. Names
that only begin like that are somebody's own and stay.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from memtend.clock import Clock
from memtend.errors import ExportTaken, InvalidName
from memtend.limits import GARBAGE_GRACE_MS
from memtend.objects.failures import translated
from memtend.objects.local import make_folder, reraise, sync_path

_MARK: Final = "export"
_OLD: Final = "replaced"
_SEGMENT_BYTES_MAX: Final = 255
_NOT_PLAIN: Final = -1
"""The length of a link or a device: that of no file of an export."""


class LocalOutlet:
    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    @property
    def url(self) -> str:
        return str(self._path)

    def is_file(self) -> bool:
        with translated(self.url, ""):
            return os.path.lexists(self._path) and not self._path.is_dir()

    def is_other(self) -> bool:
        with translated(self.url, ""):
            return os.path.lexists(self._path) and _length(self._path) == _NOT_PLAIN

    def sizes(self) -> dict[str, int]:
        with translated(self.url, ""):
            names = sorted(self._walk()) if self._path.is_dir() else []
            return {name: _length(self._path / name) for name in names}

    def head(self, limit: int) -> bytes:
        with translated(self.url, ""):
            handle = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe may have no writer
            with os.fdopen(handle, "rb", buffering=0) as file:
                return file.read(limit) or b""

    def read(self, name: str, limit: int) -> bytes:
        with translated(self.url, name), (self._path / check_file_name(name)).open("rb") as file:
            return file.read(limit)

    @contextmanager
    def single(self, *, replace: bool) -> Iterator[BinaryIO]:
        with translated(self.url, "", writing=True):
            self._begin()
            aside = self._beside(_MARK)
            try:
                with _created(aside) as file:
                    yield file
                if replace:
                    os.replace(aside, self._path)
                else:
                    self._place_new(aside)
            finally:
                aside.unlink(missing_ok=True)
            sync_path(self._path.parent)

    @contextmanager
    def tree(self, old: Sequence[str]) -> Iterator[LocalTree]:
        with translated(self.url, "", writing=True):
            self._begin()
            aside = self._beside(_MARK)
            try:
                aside.mkdir(mode=0o700)
                yield LocalTree(aside)
                for folder, _, _ in os.walk(aside):
                    sync_path(Path(folder))
                replaced = self._beside(_OLD) if old else None
                if replaced:
                    os.rename(self._path, replaced)
                self._rename(aside)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
            sync_path(self._path.parent)
            if replaced:
                _remove(replaced, old)

    def _rename(self, aside: Path) -> None:
        """Over nothing or an empty folder; POSIX refuses any other."""
        try:
            os.rename(aside, self._path)
        except OSError as error:
            if not os.path.lexists(self._path):
                raise
            raise ExportTaken(url=self.url, why="it has been written to meanwhile") from error

    def _place_new(self, aside: Path) -> None:
        try:
            os.link(aside, self._path)
        except FileExistsError as error:
            raise ExportTaken(url=self.url, why="it is there already") from error
        except OSError:  # a file system without links
            if os.path.lexists(self._path):
                raise ExportTaken(url=self.url, why="it is there already") from None
            os.replace(aside, self._path)

    def _begin(self) -> None:
        make_folder(self._path.parent)
        edge_s = (self._clock.now_ms() - GARBAGE_GRACE_MS) / 1_000
        ours = re.compile(rf"{re.escape(self._path.name)}\.{_MARK}-[0-9a-f]{{32}}")
        for found in self._path.parent.iterdir():
            with suppress(FileNotFoundError):
                if ours.fullmatch(found.name) and found.lstat().st_mtime < edge_s:
                    _clear(found)

    def _beside(self, mark: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{mark}-{self._clock.new_id()}")

    def _walk(self) -> Iterator[str]:
        for where, folders, files in os.walk(self._path, onerror=reraise):
            below = Path(where)
            links = [one for one in folders if (below / one).is_symlink()]
            for name in (*files, *links):
                yield (below / name).relative_to(self._path).as_posix()


class LocalTree:
    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        path = self._root / check_file_name(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with _created(path) as file:
                yield file
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def check_file_name(name: str) -> str:
    """Return `name` if it stays below its folder; raise `InvalidName` otherwise."""
    for segment in name.split("/"):
        size = len(segment.encode("utf-8", "surrogatepass"))
        if segment in ("", ".", "..") or size > _SEGMENT_BYTES_MAX or not segment.isprintable():
            raise InvalidName(what="file name", name=name[:_SEGMENT_BYTES_MAX], why="it is no path")
        if "\\" in segment:
            raise InvalidName(what="file name", name=name, why="it has a backslash")
    return name


@contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _length(path: Path) -> int:
    found = path.lstat()
    return found.st_size if stat.S_ISREG(found.st_mode) else _NOT_PLAIN


def _remove(folder: Path, names: Sequence[str]) -> None:
    """Exactly these files, and the folders that are empty then."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
    for where, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # somebody has put something there since
            os.rmdir(where)


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
