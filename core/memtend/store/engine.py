"""What the store asks of a database: named statements, one writer at a time, stable snapshots.

Two adapters fulfil it, SQLite and PostgreSQL, and one contract suite runs against both.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from memtend.errors import MemtendError

Row = tuple[Any, ...]
Call = tuple[str, Sequence[Any]]

NOT_TEXT: Final = "it is not Unicode text"


class Reader(Protocol):
    """One consistent view of the data."""

    def fetch(self, name: str, params: Sequence[Any] = ()) -> list[Row]: ...

    def stream(self, name: str, params: Sequence[Any] = ()) -> Iterator[Row]:
        """Rows one by one, in flat memory."""

    def share(self) -> str | None:
        """A name under which other processes find this very view, while it is open; None where
        the engine has no such thing."""


class Transaction(Reader, Protocol):
    """A write transaction. Leaving it normally commits; leaving it by an error changes nothing."""

    def fetch_all(self, calls: Sequence[Call]) -> list[list[Row]]:
        """Several reads at the price of one round trip."""

    def run(self, name: str, params: Sequence[Any] = ()) -> None: ...

    def run_many(self, name: str, rows: Iterable[Sequence[Any]]) -> None: ...

    def tell(self, channel: str) -> None:
        """Wake who listens on the server, when this commits; nothing where there is no server."""


class Engine(Protocol):
    url: str
    kind: str
    path: str | None
    """The database file, where there is one."""

    def read(self, name: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run one statement outside any transaction. The hottest call there is."""

    def write(self) -> AbstractContextManager[Transaction]:
        """The store's one writer. Returns when what it wrote is as durable as was asked."""

    def snapshot(self, shared: str | None = None) -> AbstractContextManager[Reader]:
        """A read transaction; writers go on meanwhile. `shared`: the view that has this name."""

    def array(self, values: Sequence[Any]) -> Any:
        """A list as one parameter of an `in_ints` or `in_texts` statement."""

    def file_id(self) -> str:
        """Names the physical database, so that a copy is noticed (CRDT_SPEC 1.2)."""

    def script(self, sql: str) -> list[Row]:
        """Run one maintenance statement (pragma, vacuum, integrity check)."""

    def integrity(self) -> list[str]:
        """What the engine's own check finds wrong with pages and indexes."""

    def notes(self) -> tuple[str, ...]:
        """What an operator should know of this engine's version."""

    def size_bytes(self) -> int: ...

    def server_ms(self) -> int | None:
        """The database server's own clock, or None where there is no server."""

    def hurry(self, busy_ms: int) -> None:
        """From now on, wait at most so long for other writers."""

    def leave(self) -> None:
        """Close what this thread has opened, for it is about to end."""

    def close(self) -> None: ...

    def _explain(self, error: Any) -> MemtendError:
        """The driver's error as one of ours."""


class Forkable(Protocol):
    def foresee(self) -> None:
        """In the parent, before a fork: note what the child will have to know."""

    def abandon(self) -> None:
        """In a forked child: leave the parent's connections alone and open new ones on demand."""


_engines: weakref.WeakSet[Any] = weakref.WeakSet()
_abandoned: list[object] = []


def survives_fork(engine: Forkable) -> None:
    _engines.add(engine)


def keep_for_ever(inherited: object) -> None:
    """Hold a parent's connection: freeing it would talk to the parent's server or file."""
    _abandoned.append(inherited)


def _before_fork() -> None:
    for engine in list(_engines):
        engine.foresee()


def _after_fork() -> None:
    for engine in list(_engines):
        engine.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
