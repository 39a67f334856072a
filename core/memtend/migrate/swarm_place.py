"""Where swarm programs keep their memory: one SQLite file, and whatever else lies beside it.

Two programs use the same file and table names; the columns of `memory_entries` tell them apart.
What is read is the file itself, a folder that holds it as `memory.db`, or one with `.swarm` in it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from memtend.errors import SourceUnknown
from memtend.limits_foreign import IMPORT_FILES_MAX
from memtend.migrate.files import SourceFile, relative, set_aside
from memtend.migrate.foreign_copy import Look, look_at
from memtend.migrate.foreign_db import Damaged, ForeignDb, NotText, opened
from memtend.migrate.items import Found, PassedOver, Quarantined, printable, quarantined
from memtend.model.unreadable import Unreadable

TABLE: Final = "memory_entries"
FOLDER: Final = ".swarm"
_NAME: Final = "memory.db"
_CONFIGURATION: Final = ("memory_schema.json", "memory_config.json")
_OF_THE_DATABASE: Final = (_NAME, f"{_NAME}-wal", f"{_NAME}-shm", f"{_NAME}-journal")


def database_of(root: Path) -> Path | None:
    """The file, if there is one; nothing is opened."""
    if root.is_file():
        return root
    places = (root / FOLDER / _NAME, root / _NAME)
    return next((path for path in places if path.exists() or path.is_symlink()), None)


def has_columns(root: Path, wanted: frozenset[str], *, damaged: bool = False) -> bool:
    """Whether the table there has these columns.

    `damaged` is the answer for a file at the usual place that cannot be read: somebody has to say
    that it cannot.
    """
    path = database_of(root)
    if path is None:
        return False
    try:
        return wanted <= _columns(path, look_at(path))
    except Unreadable:
        return damaged and path.name == _NAME and (path != root or path.parent.name == FOLDER)


@lru_cache(maxsize=8)
def _columns(path: Path, _look: Look) -> frozenset[str]:
    """Of each state of a file once: every kind asks."""
    with opened(path, check=False) as database:
        return frozenset(database.columns(TABLE)) if TABLE in database.tables() else frozenset()


def located(root: Path, kind: str) -> tuple[Path, str]:
    """The database below `root` and its name for people; raises `SourceUnknown`."""
    path = database_of(root)
    if path is None:
        raise SourceUnknown(source=str(root), why=f"no {FOLDER}/{_NAME} of {kind} is in it")
    return path, relative(path, path.parent if path == root else root)


def wanted_columns(database: ForeignDb, wanted: frozenset[str], kind: str) -> None:
    """Raises `SourceUnknown` for the database of another program."""
    missing = sorted(wanted - frozenset(database.columns(TABLE)))
    if missing:
        why = f"{TABLE} has no column {', '.join(missing)}, so it is not of {kind}"
        raise SourceUnknown(source=str(database.path), why=why)


def other_tables(database: ForeignDb, name: str, known: tuple[str, ...]) -> Iterator[PassedOver]:
    """Tables that are no part of the kind, with what they hold."""
    for table, kind in database.tables().items():
        if table in known and kind == "table":
            continue
        try:
            held = f"{database.count(table):,} rows" if kind == "table" else f"a {kind}"
        except Unreadable as error:
            held = str(error)
        reason = f"the table {table} is no part of this kind of memory: {held}"
        yield PassedOver(path=printable(name), reason=printable(reason))


def others(path: Path, root: Path) -> Iterator[PassedOver]:
    """What lies beside the database; not what lies beside a file that was named itself."""
    if path == root:
        return
    for number, other in enumerate(sorted(path.parent.iterdir())):
        if number >= IMPORT_FILES_MAX or other.name in _OF_THE_DATABASE:
            continue
        why = "it is no memory of this kind"
        if other.name in _CONFIGURATION:
            why = "configuration; `memtend policies from` translates it"
        yield PassedOver(path=relative(other, root), reason=why)


def unreadable_file(path: Path, name: str, why: str) -> Quarantined:
    """The file as a whole; its rows are still read as far as that goes."""
    return set_aside(SourceFile(path, printable(name)), why)


def damaged_rows(found: Damaged, name: str, table: str) -> Found:
    where = table if found.rowid is None else f"{table} row {found.rowid}"
    return quarantined(name, f"rows cannot be read: {found.why}", b"", where)


def row_bytes(values: dict[str, Any]) -> bytes:
    """A row for the quarantine: JSON, with what is no text as base64."""
    return json.dumps(values, default=_base64).encode()


def _base64(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return base64.b64encode(value).decode()


def text_of(values: dict[str, Any], column: str) -> str | None:
    """Raises `Unreadable` for what is neither text nor absent."""
    value = values.get(column)
    if value is None or isinstance(value, str):
        return value
    what = "text in UTF-8" if isinstance(value, NotText) else "text"
    raise Unreadable(f"its {column} is no {what}")
