"""An outlet behind any fsspec file system: S3 and its likes, memory, and others by URL.

Files are streamed. On S3 one appears when its last part has arrived; some others show what has
arrived so far, so a reader goes by what is written last. As with objects, the file system holds
credentials and never leaves this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, NoReturn

from memtend.errors import ExportTaken
from memtend.limits import OUTLET_PART_BYTES
from memtend.objects.failures import client_errors, translated
from memtend.objects.outlet_local import check_file_name


class RemoteOutlet:
    """`root` is the path inside `filesystem`; `url` is already free of secrets."""

    def __init__(self, filesystem: Any, root: str, url: str) -> None:
        self._filesystem = filesystem
        self._root = root
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    def __repr__(self) -> str:
        return f"RemoteOutlet({self._url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an outlet holds credentials and is not pickled; pass its URL")

    def is_file(self) -> bool:
        with translated(self._url, ""):
            return bool(self._filesystem.isfile(self._root))

    def is_other(self) -> bool:
        return False  # what looks like a folder there is a part of names

    def sizes(self) -> dict[str, int]:
        with translated(self._url, ""):
            try:
                found = self._filesystem.find(self._root, detail=True)
            except FileNotFoundError:
                return {}
        cut = len(self._root) + 1
        return {path[cut:]: found[path]["size"] for path in sorted(found) if len(path) >= cut}

    def head(self, limit: int) -> bytes:
        with translated(self._url, ""), self._filesystem.open(self._root, "rb") as file:
            data: bytes = file.read(limit)
            return data

    def read(self, name: str, limit: int) -> bytes:
        with translated(self._url, name), self._open(name, "rb") as file:
            data: bytes = file.read(limit)
            return data

    @contextmanager
    def single(self, *, replace: bool) -> Iterator[BinaryIO]:
        with translated(self._url, "", writing=True):
            if not replace and self._filesystem.exists(self._root):
                raise ExportTaken(url=self._url, why="it is there already")
            with self._writing(self._root, fresh=not replace) as file:
                yield file

    @contextmanager
    def tree(self, old: Sequence[str]) -> Iterator[RemoteOutlet]:
        with translated(self._url, "", writing=True):
            for name in old:
                with suppress(FileNotFoundError):
                    self._filesystem.rm_file(self._path(name))
            yield self

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        with translated(self._url, name, writing=True):
            path = self._path(name)
            with suppress(NotImplementedError, FileExistsError):
                self._filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
            with self._writing(path, fresh=True) as file:
                yield file

    @contextmanager
    def _writing(self, path: str, *, fresh: bool) -> Iterator[BinaryIO]:
        """Closed it would be kept, also when it is not whole: then what was sent is taken back.

        Unless it is `fresh`, what is there may still be what was there before, and stays.
        """
        file = self._filesystem.open(path, "wb", block_size=OUTLET_PART_BYTES)
        try:
            yield file
        except BaseException:
            with suppress(*client_errors(), AttributeError, ValueError):
                file.discard()
                file.closed = True
            if fresh:
                with suppress(*client_errors(), ValueError):
                    self._filesystem.rm_file(path)
            raise
        file.close()

    def _open(self, name: str, mode: str) -> Any:
        return self._filesystem.open(self._path(name), mode)

    def _path(self, name: str) -> str:
        return f"{self._root}/{check_file_name(name)}"
