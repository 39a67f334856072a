"""How long the schema of a foreign database is, found out before SQLite reads it.

SQLite reads all of a schema before it answers anything, and takes minutes for one that lists some
hundred thousand views. So its pages are counted first, in the file itself; whatever looks wrong on
them is left to SQLite, which says so better.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from memtend.limits_foreign import FOREIGN_SCHEMA_BYTES_MAX, FOREIGN_SCHEMA_ENTRIES_MAX
from memtend.model.unreadable import Unreadable

_HEADER_BYTES: Final = 100
_LEAF, _INTERIOR = 13, 5
_LEAF_HEADER_BYTES, _INTERIOR_HEADER_BYTES = 8, 12


def refuse_long_schema(path: Path) -> None:
    """Raises `Unreadable` for more entries or bytes than any program's own schema has."""
    entries = size = seen = 0
    with path.open("rb") as stream:
        page_bytes = _page_bytes(stream.read(_HEADER_BYTES))
        waiting = [1]
        while waiting:
            seen += 1
            number = waiting.pop()
            stream.seek((number - 1) * page_bytes)
            children, sizes = _cells(stream.read(page_bytes), _HEADER_BYTES if number == 1 else 0)
            waiting += children
            entries += len(sizes)
            size += sum(sizes)
            # Each page below the first holds an entry, or leads to one that does.
            if max(entries, seen) > FOREIGN_SCHEMA_ENTRIES_MAX or size > FOREIGN_SCHEMA_BYTES_MAX:
                raise Unreadable("its schema is longer than that of any program")


def _page_bytes(header: bytes) -> int:
    stated = int.from_bytes(header[16:18], "big")
    return 65_536 if stated == 1 else max(stated, 512)


def _cells(page: bytes, start: int) -> tuple[list[int], list[int]]:
    """The pages below this one, and the sizes of the entries on it; its tree begins at `start`."""
    kind = page[start] if start < len(page) else 0
    if kind not in (_LEAF, _INTERIOR):
        return [], []
    count = int.from_bytes(page[start + 3 : start + 5], "big")
    first = start + (_LEAF_HEADER_BYTES if kind == _LEAF else _INTERIOR_HEADER_BYTES)
    places = [int.from_bytes(page[at : at + 2], "big") for at in range(first, first + 2 * count, 2)]
    if kind == _LEAF:
        return [], [_varint(page, at) for at in places]
    below = [int.from_bytes(page[at : at + 4], "big") for at in places]
    below.append(int.from_bytes(page[start + 8 : start + 12], "big"))
    return [number for number in below if number > 1], []


def _varint(page: bytes, at: int) -> int:
    value = 0
    for byte in page[at : at + 8]:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value
    return value
