"""Foreign files: listed without following links, read within bounds, parsed without loss.

JSON is read so that nothing is bent on the way: doubled keys, NaN and numbers that a value cannot
hold stay visible in what `parse_json` returns and quarantine the one item that has them.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from memtend.errors import LimitExceeded
from memtend.limits import (
    IMPORT_DEPTH_MAX,
    IMPORT_FILE_BYTES_MAX,
    IMPORT_FILES_MAX,
    VALUE_BYTES_MAX,
)
from memtend.model.unreadable import Unreadable

GZIP_MAGIC = b"\x1f\x8b"


class SourceFile(NamedTuple):
    """`relative` is for people and lineage; only `path` is ever opened."""

    path: Path
    relative: str


class DoubledKeys(dict[str, Any]):
    """A JSON object that gave a key twice. Its value is not known, so it is never stored."""


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


def read_bytes(file: SourceFile) -> bytes:
    """Raises `Unreadable` for links, devices, folders and what is too big."""
    try:
        about = file.path.lstat()
        if stat.S_ISLNK(about.st_mode):
            raise Unreadable("it is a symbolic link; links are not followed")
        if not stat.S_ISREG(about.st_mode):
            raise Unreadable("it is not a plain file")
        with file.path.open("rb") as stream:
            data = stream.read(IMPORT_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Unreadable(error.strerror or "it cannot be read") from None
    if len(data) > IMPORT_FILE_BYTES_MAX:
        raise Unreadable(f"it is longer than {IMPORT_FILE_BYTES_MAX:,} bytes")
    return data


def parse_json(data: bytes) -> Any:
    """The value of a JSON text; raises `Unreadable` with the place of the mistake."""
    if data.startswith(GZIP_MAGIC):
        raise Unreadable("gzip form; this version reads plain JSON only")
    if not data.strip():
        raise Unreadable("it is empty")
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error.msg}, line {error.lineno}") from None
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from None
    except RecursionError:
        raise Unreadable("its JSON is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else DoubledKeys(found)


def as_text(value: Any, otherwise: bytes) -> bytes:
    """The bytes of one item for the quarantine: what was parsed, NaN and all."""
    try:
        return json.dumps(value, ensure_ascii=True).encode()
    except RecursionError:
        return otherwise


def refuse_doubled_keys(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, DoubledKeys):
            raise Unreadable("an object in it gives a key twice")
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


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
