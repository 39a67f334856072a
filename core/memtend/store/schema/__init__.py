"""The schema's revisions. Alembic and the ORM load only when a store is made or migrated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from memtend.errors import MemtendError, StoreOutdated, StoreTooNew

if TYPE_CHECKING:
    from memtend.store.engine import Engine

HEAD: Final = "0003"
"""The newest revision. A test compares it with Alembic's own answer."""

_VERSION = "SELECT version_num FROM alembic_version"


def revision(engine: Engine) -> str | None:
    """The revision of a store, or None where there is no schema yet."""
    try:
        rows = engine.script(_VERSION)
    except MemtendError:
        if has_tables(engine):
            raise
        return None
    return str(rows[0][0]) if rows else None


def check(engine: Engine) -> None:
    """Refuse a store of another schema: newer is not ours to touch, older must be migrated."""
    found = revision(engine)
    if found != HEAD:
        kind = StoreTooNew if found is not None and found > HEAD else StoreOutdated
        raise kind(url=engine.url, found=found, known=HEAD)


def upgrade(engine: Engine, connect: Any) -> None:
    """Bring the schema to `HEAD`. `connect` opens a plain driver connection."""
    from alembic import command  # noqa: PLC0415 — half a second that a normal open saves
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415

    dialect = "sqlite" if engine.kind == "sqlite" else "postgresql+psycopg"
    maker = create_engine(f"{dialect}://", creator=connect, poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", "memtend:store/schema")
    with _explained(engine), maker.begin() as connection:
        if engine.kind == "sqlite":
            # The driver would commit each statement: a process killed here left half a schema.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)
    if engine.kind != "sqlite" or engine.path is not None:
        maker.dispose()


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    """What the driver refused, as one of our errors."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    try:
        yield
    except DBAPIError as error:
        raise engine._explain(error.orig) from error


def has_tables(engine: Engine) -> bool:
    catalog = "sqlite_master WHERE type = 'table'"
    if engine.kind != "sqlite":
        catalog = "information_schema.tables WHERE table_schema = current_schema()"
    return bool(engine.script(f"SELECT 1 FROM {catalog} LIMIT 1"))  # noqa: S608 — constant text
