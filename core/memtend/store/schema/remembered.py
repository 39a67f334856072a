"""What Alembic had done to make a schema from nothing, done again without Alembic.

Making a store is the same list of statements every time. The first one in a process is made by
Alembic, and what it executes is noted; every later one executes that list: drills, rehearsals and
restores make scratch stores, and each would cost a quarter of a second on a server otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOOKS: Final = ("SELECT", "PRAGMA", "SHOW", "EXPLAIN")
_MADE: dict[tuple[str, str], tuple[str, ...]] = {}


def statements_for(connection: Connection, wanted: str) -> tuple[str, ...]:
    """The statements that make the schema `wanted` from nothing; none if not yet known."""
    return _MADE.get((connection.dialect.name, wanted), ())


def replay(connection: Connection, statements: tuple[str, ...]) -> None:
    """Execute them in the transaction that is open."""
    together = connection.dialect.name != "sqlite"  # whose driver takes one at a time
    for text in ("; ".join(statements),) if together else statements:
        connection.exec_driver_sql(text, execution_options={"no_parameters": True})


@contextmanager
def noting(connection: Connection, wanted: str) -> Iterator[None]:
    """Remember what is executed meanwhile, where all of it went well and needs no parameters."""
    from sqlalchemy import event  # noqa: PLC0415 — half a second that a normal open saves

    seen: list[tuple[str, Any]] = []

    def note(
        _connection: Any, _cursor: Any, text: str, given: Any, _context: Any, _many: bool
    ) -> None:
        if not text.lstrip().upper().startswith(_LOOKS):
            seen.append((text, given))

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", note)
    if not any(given for _, given in seen):
        _MADE[connection.dialect.name, wanted] = tuple(text for text, _ in seen)
