"""Stores as they were before their schema was migrated, kept for a while.

    <store>.pre-0003-<made>-<until>           beside a SQLite file
    <schema>_pre_0003_<made>_<until>          tables in a schema of their own on a server

Milliseconds both; `0003` is where the migration went. Whoever restores, maintains or migrates after
that time removes it, and an erasure at once. Rubbish of killed rehearsals goes with the next one.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.errors import SchemaRefused
from memtend.limits import SERVER_NAME_BYTES_MAX
from memtend.store.beside import remove_file
from memtend.store.sqlite import SqliteEngine

if TYPE_CHECKING:
    from memtend.store.engine import Engine
    from memtend.store.postgres import PostgresEngine

_LONGEST_MS: Final = 10**13 - 1
_NAME: Final = re.compile(r".+[._]pre[-_](\d{4})[-_](\d+)[-_](\d+)")


class PreStore(NamedTuple):
    """A store as it was. `name` is a path or a schema, `wanted` the revision it was left for."""

    made_ms: int
    until_ms: int
    name: str
    wanted: str


def pre_stores(engine: Engine) -> list[PreStore]:
    """Those that are still there, newest first."""
    prefix = prefix_of(engine)
    if not isinstance(engine, SqliteEngine):
        names = _server(engine).schemas(prefix)
    elif engine.path is None:
        names = []
    else:
        folder = os.path.dirname(engine.path)
        names = [os.path.join(folder, name) for name in os.listdir(folder)]
    found = []
    for name in names:
        if name.startswith(prefix) and (match := _NAME.fullmatch(name)):
            wanted, made, until = match.groups()
            found.append(PreStore(int(made), int(until), name, wanted))
    return sorted(found, reverse=True)


def prefix_of(engine: Engine) -> str:
    """How the names of all of them begin."""
    if isinstance(engine, SqliteEngine):
        return f"{engine.path}.pre-"
    return f"{_server(engine).schema_name()}_pre_"


def name_of(engine: Engine, wanted: str, made_ms: int, until_ms: int) -> str:
    between = "-" if isinstance(engine, SqliteEngine) else "_"
    return prefix_of(engine) + between.join((wanted, str(made_ms), str(until_ms)))


def check_name(engine: Engine) -> None:
    """Refuse a schema on a server beside whose name none of these has room: it would be cut off,
    and with it the time at which the copy is removed."""
    if isinstance(engine, SqliteEngine):
        return
    here = _server(engine).schema_name()
    longest = name_of(engine, "0000", _LONGEST_MS, _LONGEST_MS)
    room = SERVER_NAME_BYTES_MAX - (len(longest) - len(here))
    if len(here.encode()) > room:
        why = f"beside {here} a copy would have too long a name; rename it to at most {room} bytes"
        raise SchemaRefused(url=engine.url, why=why)


def drop_pre_stores(engine: Engine, now_ms: int | None) -> list[PreStore]:
    """Remove those whose time is over (None: all of them, and what rehearsals have left)."""
    if now_ms is None:
        drop_rehearsals(engine)
    over = [one for one in pre_stores(engine) if now_ms is None or one.until_ms <= now_ms]
    for one in over:
        if isinstance(engine, SqliteEngine):
            remove_file(one.name)
        else:
            _server(engine).drop_schema(one.name)
    return over


def rehearsal_name(engine: Engine, new_id: str) -> str:
    """Of a copy that nobody keeps."""
    if isinstance(engine, SqliteEngine):
        return f"{engine.path}.rehearse-{new_id}"
    return f"{_server(engine).schema_name()}_rehearse_{new_id[:16]}"


def drop_rehearsals(engine: Engine) -> None:
    """What killed rehearsals have left. Nobody else may be rehearsing."""
    start = rehearsal_name(engine, "")
    if not isinstance(engine, SqliteEngine):
        for name in _server(engine).schemas(start):
            _server(engine).drop_schema(name)
    elif engine.path is not None:
        folder = os.path.dirname(engine.path)
        for name in os.listdir(folder):
            if os.path.join(folder, name).startswith(start):
                remove_file(os.path.join(folder, name))


def _server(engine: Engine) -> PostgresEngine:
    from memtend.store.postgres import PostgresEngine  # noqa: PLC0415 — an optional extra

    assert isinstance(engine, PostgresEngine)
    return engine
