"""Waking those who wait: by the server on PostgreSQL, within one process on SQLite.

    with writing(store) as (books, _):
        ...
        notify(tx, "inbox")          # on PostgreSQL, told to everybody when this commits
    ring(store, "inbox")             # on SQLite, told to the threads of this process

    with Waiter(store, "inbox") as waiter:      # listens from here on: now look once more
        waiter.wait(timeout_s)                  # True if something was told, False at the time-out

Being told is a hint and nothing more: a wake-up may be lost (a connection broke, a proxy does not
pass it on) or come for nothing. So who waits looks at the tables again after every wait, and never
waits for longer than `Pauses` says.
"""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import suppress
from hashlib import blake2b
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from memtend.errors import MemtendError
from memtend.limits import WAIT_NOTIFIED_S_MAX, WAIT_POLL_S_MAX, WAIT_POLL_S_MIN
from memtend.store.engine import keep_for_ever, survives_fork

if TYPE_CHECKING:
    from memtend.store.engine import Engine, Transaction
    from memtend.store.store import Store

_CHANNEL_BYTES = 16


class _Bell:
    """One per store and channel in this process, for as long as somebody waits for it."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.rung = 0


_bells: weakref.WeakValueDictionary[tuple[str, str], _Bell] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def _renew() -> None:
    """In a forked child nobody of the parent's waits, and its locks may be held by nobody."""
    global _bells, _lock
    _bells, _lock = weakref.WeakValueDictionary(), threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def _place(engine: Engine) -> str:
    return engine.path or f"{engine.kind}:{id(engine)}"


def notify(tx: Transaction, channel: str) -> None:
    """Within a write: tell everybody who listens, if and when it commits."""
    tx.tell(_name(channel))


def ring(store: Store, channel: str) -> None:
    """After a write: tell the threads of this process. Nothing to do where a server tells."""
    with _lock:
        bell = _bells.get((_place(store.engine), channel))
    if bell is not None:
        with bell.changed:
            bell.rung += 1
            bell.changed.notify_all()


def _name(channel: str) -> str:
    """A name that any server takes, and that gives nothing away."""
    return "memtend_" + blake2b(channel.encode(), digest_size=_CHANNEL_BYTES).hexdigest()


class Waiter:
    """For one thread. It listens from its making until it is closed."""

    def __init__(self, store: Store, channel: str) -> None:
        self._ear: _BellEar | _ServerEar
        if store.engine.kind == "sqlite":
            self._ear = _BellEar(_place(store.engine), channel)
        else:
            self._ear = _ServerEar(store.engine, _name(channel))

    def wait(self, timeout_s: float) -> bool:
        """Wait until something is told; True if it was, False when the time is over."""
        return self._ear.wait(max(0.0, timeout_s))

    def close(self) -> None:
        self._ear.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _BellEar:
    def __init__(self, place: str, channel: str) -> None:
        with _lock:
            self._bell = _bells.setdefault((place, channel), _Bell())
        self._heard = self._bell.rung

    def wait(self, timeout_s: float) -> bool:
        bell = self._bell
        with bell.changed:
            told = bell.changed.wait_for(lambda: bell.rung != self._heard, timeout_s)
            self._heard = bell.rung
        return told

    def close(self) -> None:
        """The bell goes with the last who holds it."""


class _ServerEar:
    """A connection of its own, made anew when it breaks or when the process was forked."""

    def __init__(self, engine: Any, name: str) -> None:
        self._engine = engine
        self._name = name
        self._connection: Any = None
        survives_fork(self)
        with suppress(MemtendError):  # `wait` tries again
            self._listen()

    def _listen(self) -> None:
        connection = self._engine.listen(self._name)
        self._connection = connection

    def wait(self, timeout_s: float) -> bool:
        import psycopg  # noqa: PLC0415 — an optional extra

        if self._connection is None:
            try:
                self._listen()
            except MemtendError:  # the server is away: looking will tell
                threading.Event().wait(timeout_s)
                return False
            return True  # what was told meanwhile was not heard
        try:
            for _ in self._connection.notifies(timeout=timeout_s, stop_after=1):
                return True
        except psycopg.OperationalError:
            self.close()
            return True
        return False

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def foresee(self) -> None:
        """Nothing: a server does not care which process it was that connected."""

    def abandon(self) -> None:
        if self._connection is not None:
            from memtend.store.postgres import unplug  # noqa: PLC0415

            unplug(self._connection)
            keep_for_ever(self._connection)
            self._connection = None


class Pauses:
    """How long to wait before looking again: longer each time nothing came, never for long.

    Part of each pause is left to chance, so that many who wait do not look all at once. `told` says
    that the caller has a `Waiter`, which on a server hears of everything.
    """

    def __init__(self, store: Store, *, told: bool = True) -> None:
        self._clock = store.clock
        told = told and store.engine.kind != "sqlite"
        self._longest_s = WAIT_NOTIFIED_S_MAX if told else WAIT_POLL_S_MAX
        self._next_s = self._longest_s if told else WAIT_POLL_S_MIN

    def next_s(self, left_s: float) -> float:
        """The next pause; not beyond `left_s`."""
        pause_s = self._next_s
        self._next_s = min(2 * pause_s, self._longest_s)
        share = int(self._clock.new_id()[:4], 16) / 0xFFFF
        return max(0.0, min(left_s, pause_s * (0.75 + share / 4)))
