"""The history of migrations: one row a run, of values or of the schema.

It travels with backups. What a restore brings is the state of the data, and history says what was
done to that data: a run over values that the restored state does not have counts as rolled back.
A run over the schema stays: a restore never takes the schema back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import ormsgpack

from memtend.errors import StoreDamaged
from memtend.model.stored import SideRow
from memtend.store.meta import crc_of

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Row, Transaction

State = Literal["rehearsed", "running", "done", "rolled back", "failed"]
ROLLED_BACK: Final = "rolled back"
_IN_FORCE: Final = ("running", "done")
TABLE: Final = "migration"


class Migration(NamedTuple):
    """One run. `plan` is a digest, `manifest` the backup before it, `facts` JSON without names."""

    run: str
    what: str
    family: str
    found: str
    wanted: str
    plan: str
    manifest: str
    state: str
    facts: str
    began_ms: int
    ended_ms: int | None = None


def save(tx: Transaction, migration: Migration) -> None:
    """Add a run, or say how it stands. What it is of and when it began never change."""
    tx.run("save_migration", (*migration, crc_of(tuple(migration))))


def opened(rows: Iterable[Row], url: str) -> list[Migration]:
    """Rows as runs; raises `StoreDamaged` where one was changed."""
    found = []
    for *cells, crc in rows:
        if crc_of(tuple(cells)) != crc:
            raise StoreDamaged(url=url, why=f"the migration {cells[0]!r} was changed")
        found.append(Migration._make(cells))
    return found


def side_rows(reader: Reader) -> Iterator[SideRow]:
    """For a backup."""
    for run, *cells in reader.stream("stream_migration"):
        yield SideRow(TABLE, run, "", ormsgpack.packb(cells))


def load(tx: Transaction, given: SideRow) -> None:
    """From a backup."""
    tx.run("save_migration", (given.name, *ormsgpack.unpackb(given.cells)))


def keep_history(tx: Transaction, live: Iterable[Row]) -> None:
    """In a state that takes a live one's place: runs that it does not know of, as they now stand.

    A damaged row is left out, as damaged peers are.
    """
    known = {row[0] for row in tx.fetch("stream_migration")}
    for *cells, crc in live:
        if crc_of(tuple(cells)) != crc:
            continue
        run = Migration._make(cells)
        if run.what == "schema":
            save(tx, run)
        elif run.run not in known:
            undone = run.state in _IN_FORCE
            save(tx, run._replace(state=ROLLED_BACK) if undone else run)
