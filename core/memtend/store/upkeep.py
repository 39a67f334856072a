"""Small tables of upkeep and learning: what travels with a backup, what a restore leaves be.

They are about the store, not part of its state: a restore takes nothing of them back. What was
pruned, what was missed of it, what people were told, models and trials travel with backups, for a
store that is restored elsewhere. Ghosts, figures, latencies and the sample of accesses would make
each increment as large as themselves, and stay with the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import ormsgpack

from memtend.model.stored import SideRow
from memtend.store import sql_learning, sql_upkeep
from memtend.store.meta import crc_of

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Row, Transaction

TABLES: Final = sql_upkeep.TABLES | sql_learning.TABLES
TRAVELLING: Final = ("alert", "model", "pruning", "regret", "silence", "trial")
STAYING: Final = (*TABLES, "latency")


def save(tx: Transaction, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Put rows, without their checksums, in the place of those with the same keys."""
    tx.run_many(f"save_{table}", [(*row, crc_of(tuple(row))) for row in rows])


def sound(rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    """Rows of a table without their checksums; damaged ones, which `verify` finds, are left out."""
    for *cells, crc in rows:
        if crc_of(tuple(cells)) == crc:
            yield tuple(cells)


def side_rows(reader: Reader, *tables: str) -> Iterator[SideRow]:
    """For a backup, whose side tables come by name."""
    for table in tables:
        keys = TABLES[table][0]
        for cells in sound(reader.stream(f"stream_{table}")):
            name, field = cells[0], cells[1] if keys == 2 else ""
            yield SideRow(table, name, field, ormsgpack.packb(cells[keys:]))


def load(tx: Transaction, given: SideRow) -> None:
    """From a backup."""
    names = (given.name, given.field)[: TABLES[given.table][0]]
    save(tx, given.table, [(*names, *ormsgpack.unpackb(given.cells))])


def held(reader: Reader) -> dict[str, list[Row]]:
    """Everything, of a store whose place another state takes."""
    return {table: reader.fetch(f"stream_{table}") for table in STAYING}


def keep(tx: Transaction, live: Mapping[str, list[Row]]) -> None:
    """In a state that takes a live store's place: all of it, as it stands."""
    for table in TABLES:
        save(tx, table, sound(live[table]))
    tx.run_many("save_latency", live["latency"])
