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

from memtend.limits_foreign import (
    FOREIGN_DB_BYTES_MAX,
    FOREIGN_PAGE_BYTES,
    FOREIGN_PAGE_ROWS,
    FOREIGN_SCHEMA_ENTRIES_MAX,
    FOREIGN_STEPS_MAX,
    FOREIGN_VALUES,
)
from memtend.migrate.foreign_connection import (
    FAILURES,
    STEPS,
    NotText,
    connected,
    quoted,
    said,
)
from memtend.migrate.foreign_copy import copied, look_at
from memtend.model.unreadable import Unreadable

__all__ = ["Damaged", "ForeignDb", "NotText", "Row", "opened"]
ROWID: Final = "rowid"
_LAST: Final = 2**63 - 1
_COPIES: Final = 2


class Row(NamedTuple):
    """One row: every column by its name. Text that is no UTF-8 is `NotText`, a blob `bytes`."""

    rowid: int
    values: dict[str, Any]


class Damaged(NamedTuple):
    """Rows that cannot be read: this one, or where `rowid` is None nobody knows which."""

    rowid: int | None
    why: str


_DISORDER: Final = Damaged(None, "row numbers are out of order")


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
        self._columns: dict[str, tuple[str, ...]] = {}
        self._looked = 0
        self._seen = look_at(path)
        if self._seen.main.size > FOREIGN_DB_BYTES_MAX:
            raise Unreadable(f"it is longer than {FOREIGN_DB_BYTES_MAX:,} bytes")
        self._in_place = self._seen.quiet
        if self._in_place:
            self._database = self._connected(path)
            self.damage = self._checked() if check else None
            if not self._moved():
                return
        for _ in range(_COPIES):  # damage is believed when a second copy has it too
            self._take_copy()
            self.damage = self._checked() if check else None
            if self.damage is None:
                return

    def tables(self) -> dict[str, str]:
        """What the schema lists, by name: `table`, `view` or `virtual table`. No indexes."""
        listed = self._fetched(
            "SELECT name, type, rootpage FROM sqlite_schema "
            "WHERE type IN ('table', 'view') ORDER BY name LIMIT ?",
            (FOREIGN_SCHEMA_ENTRIES_MAX,),
        )
        return {
            str(name): "virtual table" if kind == "table" and not rootpage else str(kind)
            for name, kind, rootpage in listed
            if isinstance(name, str) and not name.startswith("sqlite_")
        }

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a plain table; raises `Unreadable` for everything else."""
        if table not in self._columns:
            self._columns[table] = self._looked_up(table)
        return self._columns[table]

    def _looked_up(self, table: str) -> tuple[str, ...]:
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
        """Raises `Unreadable` also where pages are damaged: they can be counted without end."""
        self._refuse_damage()
        self.columns(table)
        return int(self._fetched(f"SELECT COUNT(*) FROM {quoted(table)} NOT INDEXED")[0][0])  # noqa: S608

    def tally(self, table: str, column: str) -> dict[str, int]:
        """How many rows have which text in a column, the commonest first; `Unreadable` as above."""
        self._refuse_damage()
        if column not in self.columns(table):
            return {}
        statement = f"SELECT {quoted(column)}, COUNT(*) FROM {quoted(table)} NOT INDEXED"  # noqa: S608
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
            if page and page[0].rowid < start:
                page, damage = [], _DISORDER
            yield from page
            if page:
                start = page[-1].rowid + 1
            if start > _LAST or (damage is None and not page):
                return
            if damage is not None:
                number = self._number(table, start)
                if number is None or damage is _DISORDER:
                    yield damage
                if number is None:
                    yield from self._backwards(table, names, start)
                    return
                one, why = self._page(table, names, number, "= ?")
                yield one[0] if one else Damaged(number, (why or damage).why)
                start = number + 1

    def matching(self, table: str, column: str, value: Any) -> list[Row]:
        """The first rows with this value in a column; with an index on it, no others are read.

        All calls together may look through a few tables, so a missing index costs no hours.
        """
        names = self.columns(table)
        if column not in names:
            raise Unreadable(f"{table} has no column {column}")
        if self._looked > self._steps_max:
            raise Unreadable(f"{table} has no index on {column}, and too many rows without one")
        statement = f"SELECT {_listed(names)} FROM {quoted(table)} WHERE {quoted(column)} IS ?"  # noqa: S608
        found = self._fetched(f"{statement} ORDER BY rowid LIMIT ?", (value, FOREIGN_PAGE_ROWS))
        self._looked += self._steps
        return [_row(row, names) for row in found]

    def _page(
        self, table: str, names: tuple[str, ...], start: int, where: str
    ) -> tuple[list[Row], Damaged | None]:
        """Rows as far as they are whole and fit into a page, as of one moment.

        Row numbers that do not rise (or fall) are those of a tree that leads back into itself.
        """
        rising = not where.endswith("DESC")
        statement = f"SELECT {_listed(names)} FROM {quoted(table)} NOT INDEXED WHERE rowid {where}"  # noqa: S608
        while True:
            page: list[Row] = []
            damage: Damaged | None = None
            size = 0
            try:
                for row in self._run(f"{statement} LIMIT ?", (start, FOREIGN_PAGE_ROWS)):
                    if page and (row[0] > page[-1].rowid) != rising:
                        damage = _DISORDER
                        break
                    page.append(_row(row, names))
                    size += sum(len(part) for part in row if isinstance(part, str | bytes))
                    if size >= FOREIGN_PAGE_BYTES:
                        break
            except FAILURES as error:
                damage = Damaged(None, said(error))
            if not self._moved():
                return page, damage
            self._take_copy()

    def _number(self, table: str, start: int) -> int | None:
        """The number of the next row, which can often be read where the row cannot."""
        statement = f"SELECT rowid FROM {quoted(table)} NOT INDEXED WHERE rowid >= ?"  # noqa: S608
        try:
            found = self._run(f"{statement} ORDER BY rowid LIMIT 1", (start,)).fetchall()
        except FAILURES:
            return None
        return int(found[0][0]) if found and found[0][0] >= start else None

    def _backwards(self, table: str, names: tuple[str, ...], start: int) -> Iterator[Row]:
        """What can be read from the other end down to `start`."""
        before = _LAST
        while before >= start:
            page, damage = self._page(table, names, before, "<= ? ORDER BY rowid DESC")
            yield from (row for row in page if start <= row.rowid <= before)
            if damage is not None or not page or page[0].rowid > before:
                return
            before = page[-1].rowid - 1

    def _fetched(self, statement: str, given: tuple[Any, ...] = ()) -> list[Any]:
        while True:
            try:
                found, error = self._run(statement, given).fetchall(), None
            except FAILURES as raised:
                found, error = [], raised
            if self._moved():
                self._take_copy()
            elif error is not None:
                raise Unreadable(said(error)) from None
            else:
                return found

    def _run(self, statement: str, given: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        self._steps = 0
        return self._database.execute(statement, given)

    def _counted(self) -> bool:
        """True ends the statement."""
        self._steps += STEPS
        return self._steps > self._steps_max

    @property
    def _steps_max(self) -> int:
        return FOREIGN_STEPS_MAX + self._seen.main.size

    def _refuse_damage(self) -> None:
        if self.damage is not None:
            raise Unreadable("it is damaged")

    def _checked(self) -> str | None:
        try:
            found = self._run("PRAGMA quick_check(1)").fetchall()
        except FAILURES as error:
            return said(error)
        return None if found == [("ok",)] else " ".join(str(found[0][0]).split())[:200]

    def _moved(self) -> bool:
        return self._in_place and look_at(self.path) != self._seen

    def _take_copy(self) -> None:
        folder = self._stack.enter_context(TemporaryDirectory(prefix="memtend-foreign-"))
        copy = copied(self.path, Path(folder))
        self._in_place = False
        self._columns.clear()
        self._database = self._connected(copy)

    def _connected(self, path: Path) -> sqlite3.Connection:
        self._steps = 0
        return self._stack.enter_context(closing(connected(path, self._counted)))


def _row(row: tuple[Any, ...], names: tuple[str, ...]) -> Row:
    return Row(row[0], dict(zip(names, row[1:], strict=True)))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join((ROWID, *map(quoted, names)))
