"""Stores on PostgreSQL for one history after the other: databases that are emptied, not made anew.

Every second place is a SQLite file, if so wished, so that deltas travel between the engines.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from memtend.clock import ManualClock
from memtend.memory import Memory
from memtend.services import Services
from memtend.settings import Settings
from memtend.store.opening import identify
from memtend.store.postgres import PostgresEngine
from memtend.store.store import Store
from memtend.store.swapping import drop_kept, kept_stores
from tests.fixtures.postgres import PostgresServer
from tests.laws.sql_stores import SqliteStores, prepare, sqlite_stores

KEY = b"k" * 32
_TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
    "AND tablename NOT IN ('alembic_version', 'setting')"
)


class Lending(PostgresEngine):
    """Lends one connection again and again, where the product makes one for every snapshot."""

    _spare: Any = None

    @contextmanager
    def connect(self) -> Iterator[Any]:  # type: ignore[override]
        connection, self._spare = self._spare, None
        if connection is None:
            connection = PostgresEngine.connect(self)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        connection.commit()
        connection.isolation_level = connection.read_only = None
        self._spare = connection

    def close(self) -> None:
        if self._spare is not None:
            self._spare.close()
        super().close()


class PostgresStores:
    """Databases in the places that `files` leaves."""

    def __init__(self, urls: dict[int, str], files: SqliteStores) -> None:
        self.folder = files.folder
        self._files = files
        self._settings = Settings(plans_url=f"{self.folder}/plans")
        self._engines: dict[int, Lending] = {}
        for i, url in urls.items():
            with Memory.open(url, clock=ManualClock(seed=i)) as memory:
                prepare(memory)
            self._engines[i] = Lending(url, durable=False)
        self._wipe = ""

    def is_file(self, i: int) -> bool:
        return i not in self._engines

    def fresh(self, i: int, clock: ManualClock) -> Services:
        if self.is_file(i):
            return self._files.fresh(i, clock)
        engine = self._engines[i]
        if not self._wipe:
            deletes = [f'DELETE FROM "{name}"' for (name,) in engine.script(_TABLES)]
            deletes.append("DELETE FROM setting WHERE name <> 'policies'")
            self._wipe = "; ".join(deletes)
        if kept_stores(engine):
            drop_kept(engine, None)
        engine.script(self._wipe)
        identify(engine, clock)
        return Services(Memory(Store(engine, clock, KEY)), self._settings)

    def copied(self, source: int, i: int, clock: ManualClock) -> Services:
        return self._files.copied(source, i, clock)

    def again(self, i: int, clock: ManualClock) -> Services:
        return self._files.again(i, clock)

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()


@contextmanager
def postgres_stores(
    server: PostgresServer, folder: Path, places: int, *, mixed: bool
) -> Iterator[PostgresStores]:
    with ExitStack() as held:
        files = held.enter_context(sqlite_stores(folder, places if mixed else 0))
        ours = range(0, places, 2 if mixed else 1)
        urls = {i: held.enter_context(server.database()) for i in ours}
        stores = PostgresStores(urls, files)
        held.callback(stores.close)
        yield stores
