"""The metadata rows beside the files of a lifecycle store: when a key was read, and what is lost.

The file always wins. A row adds the time of the last read, which no file has; and a row whose value
is in no file is reported: its file is gone, or holds another key of the same file name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from memtend.migrate.files import as_text
from memtend.migrate.foreign_db import ForeignDb, Row
from memtend.migrate.items import Quarantined, quarantined
from memtend.model.timestamps import NotATime, parse_moment
from memtend.model.unreadable import Unreadable

TABLE: Final = "memory_metadata"
_NEEDED: Final = ("key", "file_path")


class MetadataRows:
    """The rows of one database; `database` None has none. Of each key only a hash is kept."""

    def __init__(self, database: ForeignDb | None, name: str, folder: Path) -> None:
        self._database = database
        self._name = name
        self._folder = folder
        self._accessed: dict[int, int | None] = {}
        self._unread: set[str] = set()
        if database is None:
            return
        missing = [name for name in _NEEDED if name not in database.columns(TABLE)]
        if missing:
            raise Unreadable(f"{TABLE} has no column {missing[0]}")
        for row in database.rows(TABLE):
            if isinstance(row, Row) and isinstance(row.values["key"], str):
                self._accessed[hash(row.values["key"])] = _moment(row.values.get("accessed_at"))

    def met(self, key: str) -> int | None:
        """Note that a file has this key; returns when it was last read."""
        return self._accessed.pop(hash(key), None)

    def unread(self, file_name: str) -> None:
        """Note that a file could not be read: what it holds is quarantined already."""
        self._unread.add(file_name)

    def lost(self) -> Iterator[Quarantined]:
        """Rows whose key is in no file, and rows that cannot be read. Only after all files."""
        if self._database is None:
            return
        for row in self._database.rows(TABLE):
            if not isinstance(row, Row):
                yield quarantined(self._name, f"a metadata row cannot be read: {row.why}", b"")
                continue
            key = row.values["key"]
            why = self._why(key, row.values["file_path"])
            if why is not None:
                plain = {name: _plain(value) for name, value in row.values.items()}
                text = as_text(plain, b"")
                yield quarantined(self._name, why, text, key if isinstance(key, str) else None)

    def _why(self, key: Any, file_path: Any) -> str | None:
        if not isinstance(key, str):
            return "a metadata row whose key is no text"
        if hash(key) not in self._accessed:
            return None
        # Paths were absolute, of a machine that may be gone; the name is what is left of them.
        name = str(_plain(file_path)).replace("\\", "/").rsplit("/", 1)[-1]
        if name in self._unread:
            return None
        if name not in ("", ".", "..") and "\0" not in name and (self._folder / name).exists():
            return "a metadata row whose file holds another key: its value is gone"
        return "a metadata row without a file: its value is gone"


def _moment(value: Any) -> int | None:
    try:
        return parse_moment(value).ms
    except NotATime:
        return None


def _plain(column: Any) -> Any:
    return column.hex() if isinstance(column, bytes) else column
