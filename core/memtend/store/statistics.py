"""What the database knows of its own contents, and the space that it no longer needs.

Our statements name their columns so that SQLite takes the index that each was made for. Statistics
gain it nothing, and lead it to read whole indexes where a few of the newest rows are meant
(ADR 0031): somebody's are taken away. PostgreSQL makes its own, and is asked to do it now.

Free pages go back to the file system a few at a time, each slice under the writers' lock, where the
file was made to give them back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtend.limits_upkeep import FREE_PAGES_SLICE
from memtend.store.looking import space
from memtend.store.rewriting import rewrite
from memtend.store.sqlite_tx import SqliteReader

if TYPE_CHECKING:
    from memtend.store.store import Store

_LARGE: Final = ("sibling", "tag", "access", "log")
_STALE_SHARE: Final = 0.1
_STALE_ROWS: Final = 500
_INCREMENTAL: Final = 2
_PAGE_BYTES: Final = 4_096

_CHANGED: Final = (
    "SELECT n_live_tup::bigint, n_mod_since_analyze::bigint FROM pg_stat_user_tables "
    "WHERE schemaname = current_schema() AND relname = 'sibling'"
)


def misfit(store: Store) -> str:
    """Why the statistics do not fit; empty where they do."""
    engine = store.engine
    if engine.kind == "sqlite":
        found = engine.script("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")
        return "statistics that somebody made mislead the planner" if found else ""
    rows = engine.script(_CHANGED)
    live, changed = rows[0] if rows else (0, 0)
    if changed <= max(_STALE_ROWS, _STALE_SHARE * live):
        return ""
    return f"{changed:,} rows have changed since the statistics were made"


def mend(store: Store) -> None:
    """Make the statistics fit. A server's writers go on meanwhile."""
    engine = store.engine
    if engine.kind != "sqlite":
        for table in _LARGE:
            engine.script(f"ANALYZE {table}")
        return
    for table in ("sqlite_stat1", "sqlite_stat4"):
        engine.script(f"DROP TABLE IF EXISTS {table}")


def free_bytes(store: Store) -> int:
    return space(store.engine).free_bytes


def gives_back(store: Store) -> bool:
    """Whether free pages can go without writing the whole file again."""
    engine = store.engine
    return engine.kind != "sqlite" or engine.script("PRAGMA auto_vacuum")[0][0] == _INCREMENTAL


def give_back(store: Store) -> bool:
    """One slice; False when nothing is left to give back."""
    engine = store.engine
    if engine.kind != "sqlite":
        rewrite(store)  # only our tables, and without a lock that stops anybody
        return False
    with engine.write() as tx:
        if isinstance(tx, SqliteReader):
            tx.connection.execute(f"PRAGMA incremental_vacuum({FREE_PAGES_SLICE:d})").fetchall()
    return free_bytes(store) >= FREE_PAGES_SLICE * _PAGE_BYTES


def fold(store: Store) -> None:
    """Let the file become shorter, as far as no reader is in the way: what was given back is in the
    write-ahead log until then."""
    if store.engine.kind == "sqlite" and store.engine.path is not None:
        store.engine.script("PRAGMA wal_checkpoint(PASSIVE)")


def write_again(store: Store) -> tuple[str, ...]:
    """The whole database, so that nothing in it is free, and later gives free pages back by
    itself. Nobody can write meanwhile. Says what stood in the way."""
    if store.engine.kind == "sqlite":
        store.engine.script(f"PRAGMA auto_vacuum={_INCREMENTAL:d}")
    return tuple(note for note in rewrite(store, full=True).notes if "write-ahead log" not in note)
