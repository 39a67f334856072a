"""A foreign SQLite database, read without trusting it and without changing a byte of it.

    with opened(path) as database:
        for row in database.rows("memory_entries"):
            ...                           # a `Row`, or `Damaged` where rows cannot be read

No file appears beside the source, and everything that its own program has committed is seen: a
quiet database is read in place as immutable, one with a log or a journal from a copy
(`foreign_copy`). If a quiet one changes while it is read, what was just read is dropped and a copy
is read on from there, so every row is as it was at one moment, though not all of the same one.

Nothing in the file is believed. Only plain tables are read: a view, a virtual table or a generated
column would run what the file's author wrote. Sizes, steps and pages have limits. Where pages are
damaged, rows before and behind them are still read, and `Damaged` stands for the rest.

This must run in a process that does not itself have the database open: closing any handle of a file
drops this process's locks on it (POSIX).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from memtend.limits import (
    FOREIGN_COLUMNS_MAX,
    FOREIGN_DB_BYTES_MAX,
    FOREIGN_PAGE_BYTES,
    FOREIGN_PAGE_ROWS,
    FOREIGN_ROW_BYTES_MAX,
    FOREIGN_STEPS_MAX,
    FOREIGN_TABLES_MAX,
    FOREIGN_VALUES,
)
from memtend.migrate.foreign_copy import copied, look_at, uri_of
from memtend.model.unreadable import Unreadable

ROWID: Final = "rowid"
_STEPS: Final = 100_000
_LAST: Final = 2**63 - 1
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
_CAREFUL: Final = ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON",
                   "ignore_check_constraints = ON", "mmap_size = 0")  # fmt: skip


class NotText(bytes):
    """A column that is declared text in the file and is not UTF-8."""


class Row(NamedTuple):
    """One row: every column by its name. Text that is no UTF-8 is `NotText`, a blob `bytes`."""

    rowid: int
    values: dict[str, Any]


class Damaged(NamedTuple):
    """Rows that cannot be read: this one, or where `rowid` is None nobody knows which."""

    rowid: int | None
    why: str


@contextmanager
def opened(path: Path, *, check: bool = True) -> Iterator[ForeignDb]:
    """The database at `path` for reading; raises `Unreadable`. A check reads all of the file."""
    with ExitStack() as stack:
        yield ForeignDb(path, stack, check)


class ForeignDb:
    """An open database. `damage` is what its own check says is wrong with it, or None."""

    def __init__(self, path: Path, stack: ExitStack, check: bool) -> None:
        self.path = path
        self.damage: str | None = None
        self._stack = stack
        self._seen = look_at(path)
        if self._seen.main.size > FOREIGN_DB_BYTES_MAX:
            raise Unreadable(f"it is longer than {FOREIGN_DB_BYTES_MAX:,} bytes")
        self._in_place = self._seen.quiet
        if self._in_place:
            self._database = self._connected(path, "mode=ro&immutable=1")
            self.damage = self._checked() if check else None
            if not self._moved():
                return
        self._take_copy()
        self.damage = self._checked() if check else None

    def tables(self) -> dict[str, str]:
        """What the schema lists, by name: `table`, `view` or `virtual table`. No indexes."""
        listed = self._fetched(
            "SELECT name, type, rootpage FROM sqlite_schema "
            "WHERE type IN ('table', 'view') ORDER BY name LIMIT ?",
            (FOREIGN_TABLES_MAX,),
        )
        return {
            str(name): "virtual table" if kind == "table" and not rootpage else str(kind)
            for name, kind, rootpage in listed
            if isinstance(name, str) and not name.startswith("sqlite_")
        }

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a plain table; raises `Unreadable` for everything else."""
        kind = self.tables().get(table)
        if kind != "table":
            raise Unreadable(f"{table} is a {kind}" if kind else f"it has no table {table}")
        listed = self._fetched("SELECT name, hidden FROM pragma_table_xinfo(?)", (table,))
        names = tuple(name for name, _ in listed)
        if not all(isinstance(name, str) for name in names):
            raise Unreadable(f"{table} has a column whose name is no text")
        if any(hidden for _, hidden in listed):
            raise Unreadable(f"{table} has generated columns")
        if any(name.lower() == ROWID for name in names):
            raise Unreadable(f"{table} hides its row numbers")
        return names

    def count(self, table: str) -> int:
        self.columns(table)
        return int(self._fetched(f"SELECT COUNT(*) FROM {_quoted(table)} NOT INDEXED")[0][0])  # noqa: S608

    def tally(self, table: str, column: str) -> dict[str, int]:
        """How many rows have which value in a column, the commonest first; other values are left
        out."""
        if column not in self.columns(table):
            return {}
        statement = f"SELECT {_quoted(column)}, COUNT(*) FROM {_quoted(table)} NOT INDEXED"  # noqa: S608
        found = self._fetched(f"{statement} GROUP BY 1 ORDER BY 2 DESC LIMIT ?", (FOREIGN_VALUES,))
        return {value: count for value, count in found if type(value) is str}

    def rows(self, table: str) -> Iterator[Row | Damaged]:
        """All rows by row number, read in pages; those behind damaged pages come last, in reverse.

        A row that alone is damaged or too long is one `Damaged` at its place.
        """
        names = self.columns(table)
        start = -_LAST - 1
        while True:
            page, damage = self._page(table, names, start, ">= ? ORDER BY rowid")
            yield from page
            if page:
                start = page[-1].rowid + 1
            if start > _LAST or (damage is None and not page):
                return
            if damage is not None:
                number = self._number(table, start)
                if number is None:
                    yield damage
                    yield from self._backwards(table, names, start)
                    return
                one, why = self._page(table, names, number, "= ?")
                yield one[0] if one else Damaged(number, (why or damage).why)
                start = number + 1

    def matching(self, table: str, column: str, value: Any) -> list[Row]:
        """The first rows with this value in a column; with an index on it, no others are read."""
        names = self.columns(table)
        if column not in names:
            raise Unreadable(f"{table} has no column {column}")
        statement = f"SELECT {_listed(names)} FROM {_quoted(table)} WHERE {_quoted(column)} IS ?"  # noqa: S608
        found = self._fetched(f"{statement} ORDER BY rowid LIMIT ?", (value, FOREIGN_PAGE_ROWS))
        return [_row(row, names) for row in found]

    def _page(
        self, table: str, names: tuple[str, ...], start: int, where: str
    ) -> tuple[list[Row], Damaged | None]:
        """Rows as far as they are whole and fit into a page, as of one moment."""
        statement = f"SELECT {_listed(names)} FROM {_quoted(table)} NOT INDEXED WHERE rowid {where}"  # noqa: S608
        while True:
            page: list[Row] = []
            damage, size = None, 0
            try:
                for row in self._run(f"{statement} LIMIT ?", (start, FOREIGN_PAGE_ROWS)):
                    page.append(_row(row, names))
                    size += sum(len(part) for part in row if isinstance(part, str | bytes))
                    if size >= FOREIGN_PAGE_BYTES:
                        break
            except sqlite3.Error as error:
                damage = Damaged(None, _why(error))
            if not self._moved():
                return page, damage
            self._take_copy()

    def _number(self, table: str, start: int) -> int | None:
        """The number of the next row, which can often be read where the row cannot."""
        statement = f"SELECT rowid FROM {_quoted(table)} NOT INDEXED WHERE rowid >= ?"  # noqa: S608
        try:
            found = self._run(f"{statement} ORDER BY rowid LIMIT 1", (start,)).fetchall()
        except sqlite3.Error:
            return None
        return int(found[0][0]) if found else None

    def _backwards(self, table: str, names: tuple[str, ...], start: int) -> Iterator[Row]:
        """What can be read from the other end down to `start`."""
        before = _LAST
        while before >= start:
            page, damage = self._page(table, names, before, "<= ? ORDER BY rowid DESC")
            yield from (row for row in page if row.rowid >= start)
            if damage is not None or not page:
                return
            before = page[-1].rowid - 1

    def _fetched(self, statement: str, given: tuple[Any, ...] = ()) -> list[Any]:
        while True:
            try:
                found, error = self._run(statement, given).fetchall(), None
            except sqlite3.Error as raised:
                found, error = [], raised
            if self._moved():
                self._take_copy()
            elif error is not None:
                raise Unreadable(_why(error)) from None
            else:
                return found

    def _run(self, statement: str, given: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        self._steps = 0
        return self._database.execute(statement, given)

    def _counted(self) -> bool:
        """True ends the statement."""
        self._steps += _STEPS
        return self._steps > FOREIGN_STEPS_MAX + self._seen.main.size

    def _checked(self) -> str | None:
        try:
            found = self._run("PRAGMA quick_check(1)").fetchall()
        except sqlite3.Error as error:
            return _why(error)
        return None if found == [("ok",)] else str(found[0][0])[:200]

    def _moved(self) -> bool:
        return self._in_place and look_at(self.path) != self._seen

    def _take_copy(self) -> None:
        folder = self._stack.enter_context(TemporaryDirectory(prefix="memtend-foreign-"))
        copy = copied(self.path, Path(folder))
        self._in_place = False
        self._database = self._connected(copy, "mode=rw")

    def _connected(self, path: Path, how: str) -> sqlite3.Connection:
        self._steps = 0
        try:
            database = sqlite3.connect(uri_of(path, how), uri=True, isolation_level=None)
            self._stack.enter_context(closing(database))
            database.text_factory = _text
            for limit, most in _LIMITS.items():
                database.setlimit(limit, most)
            database.set_progress_handler(self._counted, _STEPS)
            for pragma in _CAREFUL:
                database.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise Unreadable(_why(error)) from None
        return database


def _text(raw: bytes) -> str | NotText:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return NotText(raw)


def _row(row: tuple[Any, ...], names: tuple[str, ...]) -> Row:
    return Row(row[0], dict(zip(names, row[1:], strict=True)))


def _why(error: sqlite3.Error) -> str:
    """In SQLite's words; they hold no values."""
    return f"SQLite: {error}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join((ROWID, *map(_quoted, names)))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
