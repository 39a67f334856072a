"""Objects as files below a folder. An object that was put survives a power cut.

Written aside under `tmp/`, synced, then linked into place: the link is atomic and refuses a name
that is taken. The folder is synced too, else the name may be gone after a crash. What a killed
process leaves in `tmp/` is garbage that rotation sweeps.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from memtend.errors import ObjectDamaged
from memtend.limits import OBJECT_BYTES_MAX
from memtend.objects.failures import translated
from memtend.objects.store import (
    Capabilities,
    ObjectInfo,
    check_object_name,
    check_prefix,
    is_object_name,
)

_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class LocalStore:
    """A folder. `new_id` names the files being written."""

    def __init__(self, root: Path, new_id: Callable[[], str]) -> None:
        self._root = root.absolute()
        self._new_id = new_id
        self._capabilities: Capabilities | None = None

    @property
    def url(self) -> str:
        return str(self._root)

    def __repr__(self) -> str:
        return f"LocalStore({self.url!r})"

    def probe(self) -> Capabilities:
        if self._capabilities is None:
            name = f"probe/{self._new_id()}"
            self.put_if_absent(name, b"memtend")
            other = f"tmp/{self._new_id()}"
            self.put_if_absent(other, b"memtend")
            with translated(self.url, name, writing=True):
                links = self._link(self._path(other), self._path(name)) is not None
            self.delete(other)
            self.delete(name)
            self._capabilities = Capabilities(conditional_create=links, checksum=False)
        return self._capabilities

    def put_if_absent(self, name: str, data: bytes) -> bool:
        path = self._path(name)
        with translated(self.url, name, writing=True):
            if path.exists():
                # It may be a killed process's, seen by us but not yet safe on the disk.
                sync_path(path)
                sync_path(path.parent)
                return False
            aside = self._path(f"tmp/{self._new_id()}")
            make_folder(aside.parent)
            make_folder(path.parent)
            try:
                _write(aside, data)
                created = self._link(aside, path)
                if created is None:
                    created = not path.exists()
                    if created:
                        os.replace(aside, path)
            finally:
                aside.unlink(missing_ok=True)
            sync_path(path.parent)
            return created

    def get(self, name: str, limit: int = OBJECT_BYTES_MAX) -> bytes:
        data = self.get_range(name, 0, limit + 1)
        if len(data) > limit:
            raise ObjectDamaged(url=self.url, name=name, why=f"it is longer than {limit:,} bytes")
        return data

    def get_range(self, name: str, start: int, length: int) -> bytes:
        with translated(self.url, name), self._path(name).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def exists(self, name: str) -> bool:
        with translated(self.url, name):
            return self._path(name).is_file()

    def size(self, name: str) -> int:
        with translated(self.url, name):
            return self._path(name).stat().st_size

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        with translated(self.url, prefix):
            found = sorted(self._walk(self._root / check_prefix(prefix)))
        yield from found

    def delete(self, name: str) -> None:
        path = self._path(name)
        with translated(self.url, name, writing=True):
            try:
                path.unlink(missing_ok=True)
                sync_path(path.parent)
            except FileNotFoundError:
                return

    def _path(self, name: str) -> Path:
        return self._root / check_object_name(name)

    def _walk(self, folder: Path) -> Iterator[ObjectInfo]:
        for where, folders, files in os.walk(folder, onerror=reraise):
            folders[:] = [one for one in folders if not one.startswith(".")]
            for file in files:
                path = Path(where, file)
                name = path.relative_to(self._root).as_posix()
                try:
                    seen = path.stat()
                except FileNotFoundError:
                    continue  # deleted since the folder was read
                if is_object_name(name):
                    yield ObjectInfo(name, seen.st_size, seen.st_mtime_ns // 1_000_000)

    @staticmethod
    def _link(source: Path, target: Path) -> bool | None:
        """True: linked; False: the name is taken; None: this file system has no links."""
        try:
            os.link(source, target)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno in _NO_LINKS:
                return None
            raise
        return True


def reraise(error: OSError) -> None:
    """What `os.walk` would pass over, but for a folder that went meanwhile."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def make_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, each entry durable in the one above."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
        sync_path(one.parent)


def sync_path(path: Path) -> None:
    """Have the disk keep what a file or a folder holds by now."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
