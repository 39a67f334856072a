"""Objects behind any fsspec file system: S3 and its likes, memory, and others by URL.

The file system holds credentials, and its own `repr`, `to_json` and `storage_options` print them:
it never leaves this object, which therefore refuses to be pickled. The client's own retries are
off, so that there is one bound on how long a call can take.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import md5
from typing import Any, Final, NoReturn, TypeVar

from memtend.errors import ObjectDamaged, TargetDenied
from memtend.limits import OBJECT_BYTES_MAX
from memtend.objects.failures import TAKEN, client_errors, server_code, translated
from memtend.objects.retry import Retry
from memtend.objects.store import (
    Capabilities,
    ObjectInfo,
    check_object_name,
    check_prefix,
    is_object_name,
)

T = TypeVar("T")

_PROBE: Final = b"memtend"


class RemoteStore:
    """`root` is the path inside `filesystem`; `url` is already free of secrets."""

    def __init__(
        self, filesystem: Any, root: str, url: str, *, retry: Retry, new_id: Callable[[], str]
    ) -> None:
        self._filesystem = filesystem
        self._root = root.rstrip("/")
        self._url = url
        self._retry = retry
        self._new_id = new_id
        self._capabilities: Capabilities | None = None

    @property
    def url(self) -> str:
        return self._url

    def __repr__(self) -> str:
        return f"RemoteStore({self._url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a target holds credentials and is not pickled; pass its URL")

    def probe(self) -> Capabilities:
        if self._capabilities is None:
            first, second = f"probe/{self._new_id()}", f"probe/{self._new_id()}"
            self._retry(lambda: self._put(first, _PROBE, {}))
            self._capabilities = Capabilities(
                conditional_create=self._refuses(first, {"mode": "create"}),
                checksum=self._is_s3() and self._refuses(second, _md5_header(b"other")),
            )
            self.delete(first)
            self.delete(second)
        return self._capabilities

    def put_if_absent(self, name: str, data: bytes) -> bool:
        if self.exists(name):
            return False
        can = self.probe()
        how = {"mode": "create"} if can.conditional_create else {}
        checked = _md5_header(data) if can.checksum else {}
        return self._retry(lambda: self._put(name, data, how | checked))

    def get(self, name: str, limit: int = OBJECT_BYTES_MAX) -> bytes:
        if self.size(name) > limit:
            raise ObjectDamaged(url=self._url, name=name, why=f"longer than {limit:,} bytes")
        return self._call(name, lambda path: bytes(self._filesystem.cat_file(path)))

    def get_range(self, name: str, start: int, length: int) -> bytes:
        if start >= self.size(name) or length <= 0:
            return b""
        end = start + length
        return self._call(
            name, lambda path: bytes(self._filesystem.cat_file(path, start=start, end=end))
        )

    def exists(self, name: str) -> bool:
        return self._call(name, lambda path: self._size(path) is not None)

    def size(self, name: str) -> int:
        return self._call(name, self._size_or_raise)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        below = f"{self._root}/{check_prefix(prefix)}".rstrip("/")
        found = self._retry(lambda: self._find(below, prefix))
        for path, info in sorted(found.items()):
            name = path[len(self._root) + 1 :]
            if is_object_name(name) and info["type"] == "file":
                yield ObjectInfo(name, int(info["size"] or 0), _modified_ms(info))

    def delete(self, name: str) -> None:
        def remove(path: str) -> None:
            try:
                self._filesystem.rm_file(path)
            except FileNotFoundError:
                return

        self._call(name, remove)

    def _call(self, name: str, call: Callable[[str], T]) -> T:
        path = self._path(name)

        def once() -> T:
            with translated(self._url, name):
                return call(path)

        return self._retry(once)

    def _path(self, name: str) -> str:
        return f"{self._root}/{check_object_name(name)}"

    def _put(self, name: str, data: bytes, how: dict[str, str]) -> bool:
        path = self._path(name)
        with translated(self._url, name, writing=True):
            try:
                self._filesystem.pipe_file(path, data, **how)
            except FileExistsError:
                return False
            except client_errors() as error:
                if server_code(error) in TAKEN:
                    return False
                raise
        return True

    def _refuses(self, name: str, how: dict[str, str]) -> bool:
        """Whether a put that must fail does fail."""
        try:
            return not self._retry(lambda: self._put(name, _PROBE, how))
        except TargetDenied:
            return True

    def _is_s3(self) -> bool:
        protocol = self._filesystem.protocol
        return "s3" in ((protocol,) if isinstance(protocol, str) else protocol)

    def _size(self, path: str) -> int | None:
        try:
            info = self._filesystem.info(path)
        except FileNotFoundError:
            return None
        return int(info["size"]) if info["type"] == "file" else None

    def _size_or_raise(self, path: str) -> int:
        size = self._size(path)
        if size is None:
            raise FileNotFoundError(path)
        return size

    def _find(self, below: str, prefix: str) -> dict[str, Any]:
        with translated(self._url, prefix):
            self._filesystem.invalidate_cache()
            try:
                found: dict[str, Any] = self._filesystem.find(below, detail=True)
            except FileNotFoundError:
                return {}
        return found


def _modified_ms(info: dict[str, Any]) -> int | None:
    """When it was written, as far as this kind of file system says so."""
    for field in ("LastModified", "last_modified", "mtime", "modified", "updated", "created"):
        found = info.get(field)
        if isinstance(found, datetime):
            return int(found.timestamp() * 1_000)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return int(found * 1_000)
    return None


def _md5_header(data: bytes) -> dict[str, str]:
    return {"ContentMD5": base64.b64encode(md5(data, usedforsecurity=False).digest()).decode()}
