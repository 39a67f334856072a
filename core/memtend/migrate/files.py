"""Foreign files: listed without following links, read within bounds, never written.

What is too long to be read is set aside with its beginning; everything else with all its bytes up
to a bound.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from memtend.errors import LimitExceeded
from memtend.limits import VALUE_BYTES_MAX
from memtend.limits_foreign import (
    GUNZIP_LAYERS_MAX,
    IMPORT_DEPTH_MAX,
    IMPORT_FILE_BYTES_MAX,
    IMPORT_FILES_MAX,
    QUARANTINE_BYTES_MAX,
)
from memtend.migrate.gunzip import MAGIC, gunzip
from memtend.migrate.items import Quarantined, printable, quarantined
from memtend.migrate.jsontext import (
    DoubledKeys,
    TooDeep,
    as_text,
    parse,
    refuse_doubled_keys,
)
from memtend.model.unreadable import Unreadable

__all__ = [
    "DoubledKeys",
    "SourceFile",
    "as_text",
    "opened",
    "parse_json",
    "read_bytes",
    "refuse_doubled_keys",
    "relative",
    "set_aside",
    "unpack",
    "unzipped",
    "walk",
]


class SourceFile(NamedTuple):
    """`relative` is for people and lineage; only `path` is ever opened."""

    path: Path
    relative: str


def walk(folder: Path, root: Path) -> Iterator[SourceFile]:
    """Every file below `folder`, sorted; links are listed like files and never followed.

    A folder that cannot be listed, or lies too deep, is listed itself: reading it says why.
    """
    count = 0
    waiting = [(folder, 0)]
    while waiting:
        current, depth = waiting.pop()
        below: list[tuple[Path, int]] = []
        try:
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError:
            yield SourceFile(current, relative(current, root))
            continue
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False) and depth < IMPORT_DEPTH_MAX:
                below.append((path, depth + 1))
                continue
            count += 1
            if count > IMPORT_FILES_MAX:
                raise LimitExceeded(
                    what="number of files", name=str(root), actual=count, limit=IMPORT_FILES_MAX
                )
            yield SourceFile(path, relative(path, root))
        waiting.extend(reversed(below))


def relative(path: Path, root: Path) -> str:
    """With `/`, and readable even where a name is not UTF-8."""
    text = path.relative_to(root).as_posix()
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def opened(file: SourceFile) -> BinaryIO:
    """Raises `Unreadable` for links, devices and folders, also for what has just become one."""
    try:
        _check(file.path.lstat().st_mode)
        # Without waiting for the other end of a pipe that took the file's place meanwhile.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        stream = os.fdopen(os.open(file.path, flags), "rb")
    except OSError as error:
        raise Unreadable(error.strerror or "it cannot be read") from None
    try:
        _check(os.fstat(stream.fileno()).st_mode)
    except Unreadable:
        stream.close()
        raise
    return stream


def _check(mode: int) -> None:
    if stat.S_ISLNK(mode):
        raise Unreadable("it is a symbolic link; links are not followed")
    if stat.S_ISDIR(mode):
        raise Unreadable("it is a folder that cannot be listed, or lies too deep")
    if not stat.S_ISREG(mode):
        raise Unreadable("it is not a plain file")


def read_bytes(file: SourceFile) -> bytes:
    """Raises `Unreadable` for links, devices, folders and what is too long, which is not read."""
    with opened(file) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > IMPORT_FILE_BYTES_MAX:
            raise Unreadable(f"it is longer than {IMPORT_FILE_BYTES_MAX:,} bytes")
        try:
            # No more memory than the file has bytes; what is appended meanwhile comes next time.
            return stream.read(size)
        except OSError as error:
            raise Unreadable(error.strerror or "it cannot be read") from None


def set_aside(file: SourceFile, reason: str, data: bytes = b"") -> Quarantined:
    """A file that could not be read, with `data` or, where that is missing, with its beginning.

    What cannot even be opened is set aside for that, whatever else is wrong with it.
    """
    if data:
        return quarantined(file.relative, reason, data)
    try:
        with opened(file) as stream:
            size = os.fstat(stream.fileno()).st_size
            data = stream.read(QUARANTINE_BYTES_MAX)
    except Unreadable as error:
        reason, size, data = str(error), 0, b""
    except OSError:
        size, data = 0, b""
    if size <= len(data):
        return quarantined(file.relative, reason, data)
    return Quarantined(
        path=printable(file.relative),
        reason=f"{printable(reason)} (the hash is of its first {len(data):,} bytes)",
        size_bytes=size,
        sha256=sha256(data).hexdigest(),
        data=data,
    )


def unzipped(data: bytes, packed_bytes: int | None = None) -> bytes:
    """The text of a file that may be gzip, by its first bytes; raises `Unreadable`.

    `packed_bytes` is the size of the file in which these bytes were packed themselves.
    """
    text = data
    for _ in range(GUNZIP_LAYERS_MAX):
        if not text.startswith(MAGIC):
            return text
        text = gunzip(text, packed_bytes or len(data))
    if text.startswith(MAGIC):
        raise Unreadable(f"it is packed more than {GUNZIP_LAYERS_MAX} times")
    return text


def parse_json(data: bytes) -> Any:
    """The value of a plain JSON text; raises `Unreadable` with the place of the mistake."""
    if data.startswith(MAGIC):
        raise Unreadable("gzip form, where plain JSON belongs")
    value = parse(data).value
    if isinstance(value, list) and any(isinstance(item, TooDeep) for item in value):
        raise Unreadable("its JSON is nested too deeply")
    return value


def unpack(text: Any) -> Any:
    """The value of base64(gzip(JSON)); bounded, so that a bomb is refused and not unpacked."""
    if not isinstance(text, str):
        raise Unreadable("it is marked compressed but holds no text")
    try:
        packed = base64.b64decode(text, validate=True)
        inflate = zlib.decompressobj(wbits=31)
        data = inflate.decompress(packed, VALUE_BYTES_MAX + 1)
    except (binascii.Error, ValueError):
        raise Unreadable("its compressed value is not base64") from None
    except zlib.error:
        raise Unreadable("its compressed value is damaged") from None
    if len(data) > VALUE_BYTES_MAX:
        raise Unreadable(f"its value unpacks to more than {VALUE_BYTES_MAX:,} bytes")
    if not inflate.eof or inflate.unused_data:
        raise Unreadable("its compressed value is cut off or has bytes after its end")
    return parse_json(data)
