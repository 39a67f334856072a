"""A connection to a SQLite file that nobody vouches for: limits on all that a file can ask for.

The file is opened as immutable, so it must stand alone (no log, no journal) and nothing appears
beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from memtend.limits_foreign import FOREIGN_COLUMNS_MAX, FOREIGN_ROW_BYTES_MAX
from memtend.migrate.foreign_copy import uri_of
from memtend.migrate.foreign_schema import refuse_long_schema
from memtend.model.unreadable import Unreadable

STEPS: Final = 100_000
"""So many steps of SQLite's machine lie between two calls of the brake."""
_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: FOREIGN_ROW_BYTES_MAX,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_COLUMN: FOREIGN_COLUMNS_MAX,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 50,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 10,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 10,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 20,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_CAREFUL: Final = (
    "trusted_schema = OFF",
    "query_only = ON",
    "cell_size_check = ON",
    "ignore_check_constraints = ON",
    "mmap_size = 0",
)


FAILURES: Final = (sqlite3.Error, UnicodeDecodeError)
"""What reading raises; the second where SQLite's own message quotes what is no text."""


class NotText(bytes):
    """A column that is declared text in the file and is not UTF-8."""


def connected(path: Path, brake: Callable[[], bool]) -> sqlite3.Connection:
    """Raises `Unreadable`. `brake` ends a statement by answering True."""
    refuse_long_schema(path)
    uri = uri_of(path, "mode=ro&immutable=1")
    with ExitStack() as stack:
        try:
            database = sqlite3.connect(uri, uri=True, isolation_level=None)
            stack.enter_context(closing(database))
            database.text_factory = _text
            for limit, most in _LIMITS.items():
                database.setlimit(limit, most)
            database.set_progress_handler(brake, STEPS)
            for pragma in _CAREFUL:
                database.execute(f"PRAGMA {pragma}")
        except FAILURES as error:
            raise Unreadable(said(error)) from None
        stack.pop_all()  # the caller closes it
    return database


def said(error: Exception) -> str:
    """In SQLite's words; they hold no values."""
    if isinstance(error, UnicodeDecodeError):
        return "SQLite: the schema has text that is no UTF-8"
    return f"SQLite: {error}"


def quoted(name: str) -> str:
    """A name of the file's own schema within a statement."""
    return '"' + name.replace('"', '""') + '"'


def _text(raw: bytes) -> str | NotText:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return NotText(raw)
