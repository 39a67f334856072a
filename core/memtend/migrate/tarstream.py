"""A tar file from strangers, read from front to back and never extracted.

Names are only names here: whoever reads decides what a name means, and what is no plain file is
handed over with the reason why it is refused. Headers that lengthen a name are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from memtend.limits_foreign import IMPORT_FILE_BYTES_MAX, TAR_HEADER_BYTES_MAX, TAR_MEMBERS_MAX
from memtend.model.unreadable import Unreadable

_BLOCK: Final = 512
_FILES: Final = (b"0", b"\0", b"7")
_FOLDER: Final = b"5"
_LONG_NAME: Final = b"L"
_LONG_LINK: Final = b"K"
_PAX: Final = b"x"
_PAX_OF_ALL: Final = b"g"
_KINDS: Final = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
}
_RECORD = re.compile(rb"(\d{1,9}) ([^=]+)=")


class Member(NamedTuple):
    """One entry. `refused` says why it is not read; folders are not refused, only empty."""

    name: str
    folder: bool
    refused: str | None


class TarStream:
    """The members of a tar in its own order; raises `Unreadable` where it is damaged or ends."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")
        self._left = 0  # of the current member
        self._padding = 0

    def __iter__(self) -> Iterator[Member]:
        long_name: str | None = None
        long_size: int | None = None
        for _ in range(TAR_MEMBERS_MAX):
            self._skip(self._left + self._padding)
            header = self._take(_BLOCK)
            if not header.strip(b"\0"):
                return
            kind = _checked(header)
            size = _number(header[124:136]) if long_size is None else long_size
            self._left, self._padding = size, -size % _BLOCK
            if kind == _LONG_NAME:
                long_name = _text(self._extension().rstrip(b"\0"))
            elif kind == _PAX:
                name, long_size = _pax(self._extension())
                long_name = name or long_name
            elif kind not in (_PAX_OF_ALL, _LONG_LINK):
                refused = None if kind in _FILES else _KINDS.get(kind, "no plain file")
                folder = kind == _FOLDER
                yield Member(long_name or _name(header), folder, None if folder else refused)
                long_name = long_size = None
        raise Unreadable(f"it has more than {TAR_MEMBERS_MAX:,} members")

    def read(self) -> bytes:
        """What the current member holds; raises `Unreadable` if that is too long."""
        if self._left > IMPORT_FILE_BYTES_MAX:
            raise Unreadable(f"it is longer than {IMPORT_FILE_BYTES_MAX:,} bytes")
        size, self._left = self._left, 0
        return self._take(size)

    def _extension(self) -> bytes:
        if self._left > TAR_HEADER_BYTES_MAX:
            raise Unreadable(f"a name in it is longer than {TAR_HEADER_BYTES_MAX:,} bytes")
        return self.read()

    def _take(self, size: int) -> bytes:
        parts: list[memoryview] = []
        while size > 0:
            part = self._part(size)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _skip(self, size: int) -> None:
        while size > 0:
            size -= len(self._part(size))
        self._left = self._padding = 0

    def _part(self, size: int) -> memoryview:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                raise Unreadable("it ends within a member, or without its end")
            self._rest = memoryview(piece)
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def _checked(header: bytes) -> bytes:
    """The kind of member; raises `Unreadable` unless the header's own sum is right."""
    if sum(header) - sum(header[148:156]) + 8 * ord(" ") != _number(header[148:156]):
        raise Unreadable("a header in it is damaged")
    return header[156:157]


def _number(field: bytes) -> int:
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]{0,12}", digits):
        raise Unreadable("a header in it is damaged")
    return int(digits or b"0", 8)


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _pax(data: bytes) -> tuple[str | None, int | None]:
    """The path and the size that an extended header states."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        record = _RECORD.match(data, at)
        end = at + int(record[1]) if record else 0
        if record is None or not record.end() < end <= len(data) or data[end - 1] != ord("\n"):
            raise Unreadable("a header in it is damaged")
        found[record[2]] = data[record.end() : end - 1]
        at = end
    path, size = found.get(b"path"), found.get(b"size")
    if size is not None and not re.fullmatch(rb"[0-9]{1,19}", size):
        raise Unreadable("a header in it is damaged")
    return None if path is None else _text(path), None if size is None else int(size)
