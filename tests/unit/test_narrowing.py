"""An index that leads elsewhere is noticed, also where a search passes its entries over."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from memtend import Labels, Memory
from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import StoreDamaged
from memtend.model.query import Query

ENTRY = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master WHERE name = ?"
INDEX = "ix_sibling_agent"


@pytest.fixture
def path(tmp_path: Path, clock: ManualClock) -> Path:
    path = tmp_path / "store.db"
    with Memory.open(f"sqlite:///{path}", clock=clock) as memory:
        labels = Labels(agent="ada")
        memory.put_many(Put(ns, f"k{n}", n, labels) for ns in ("one", "two") for n in range(9))
    return path


def behind_the_index(path: Path, statement: str) -> None:
    """Change the table as if the index were not there: so a flipped bit in the index looks."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA writable_schema = ON")
        [entry] = db.execute(ENTRY, (INDEX,)).fetchall()
        db.execute("DELETE FROM sqlite_master WHERE name = ?", (INDEX,))
        db.commit()
        db.execute("PRAGMA writable_schema = RESET")
        db.execute(statement)
        db.commit()
        db.execute("PRAGMA writable_schema = ON")
        db.execute("INSERT INTO sqlite_master VALUES (?,?,?,?,?)", entry)
        db.commit()


ELSEWHERE = {
    "key": "UPDATE sibling SET key = 'other' WHERE key = 'k0' AND ns = 65536",
    "namespace": "UPDATE sibling SET ns = 65537, key = 'first' WHERE key = 'k8' AND ns = 65536",
    "row": "DELETE FROM sibling WHERE key = 'k0' AND ns = 65536",
}


@pytest.mark.parametrize("what", ELSEWHERE)
@pytest.mark.parametrize("pattern", ["**", "two"])
def test_an_entry_that_leads_elsewhere_is_damage(
    path: Path, clock: ManualClock, what: str, pattern: str
) -> None:
    behind_the_index(path, ELSEWHERE[what])
    with Memory.open(f"sqlite:///{path}", clock=clock) as memory:
        query = Query(agent="ada", namespace=pattern)
        with pytest.raises(StoreDamaged):
            memory.search(query)
