"""What a migration of the schema needs of the place where a store lies, and one change of it.

SQLite and PostgreSQL fulfil it; the protocol above is the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import ormsgpack

from memtend.codec.statesum import addend, pack_sum
from memtend.model.upgrade import Loss
from memtend.store import schema
from memtend.store.change import Change
from memtend.store.meta import Meta

if TYPE_CHECKING:
    from memtend.clock import Clock
    from memtend.store.engine import Engine, Reader, Row, Transaction

ACTOR: Final = "migrate"
"""The audit action of a migration, and who wrote it."""
ELSEWHERE: Final = "taken back"
"""In the place of the database's name: the next program to open it begins a line of history."""
_HISTORY: Final = ("migration", " WHERE what <> 'schema'")
"""Rows that tell of the schema alone are no loss when the schema goes back."""
_PASSING: Final = ("access_log", "latency")


class Hand(NamedTuple):
    """One transaction on the store: statements, the driver's connection, the way to a revision."""

    tx: Transaction
    connection: Any
    to: Callable[[str], None]

    def ask(self, text: str) -> list[Row]:
        """Run a question that is not among the statements."""
        rows: list[Row] = self.connection.execute(text).fetchall()
        return rows


class Ground(Protocol):
    """Where a store lies, of whatever schema."""

    @property
    def engine(self) -> Engine: ...

    def alone(self) -> AbstractContextManager[None]:
        """Within it nobody else migrates this store; raises `StoreBusy`."""

    def copied(self, new_id: str, found: str) -> AbstractContextManager[Ground]:
        """A scratch copy, gone afterwards. Writers go on meanwhile."""

    def revising(self) -> AbstractContextManager[Hand]:
        """One transaction with every writer kept out. Durable when it returns."""

    def keep(self, hand: Hand, name: str, found: str) -> None:
        """A whole copy of the store as the transaction found it, under a name of its own."""

    def forget(self, name: str) -> None:
        """Remove the copy of a transaction that was not carried out."""

    def swap_back(
        self, name: str, keep: str, found: str, adapt: Callable[[Transaction, Meta], None]
    ) -> None:
        """The kept copy takes the store's place; the store is kept in its turn. `adapt` is called
        on the copy with what is known of the store."""

    def kept(self, name: str) -> tuple[str, Meta]:
        """Revision and meta row of a kept copy."""

    def size_bytes(self) -> int: ...

    def free_bytes(self) -> int | None:
        """Beside the store, where that can be known."""


class Fingerprint(NamedTuple):
    """All rows of a store, whatever its schema. `sum` adds their hashes, as `meta` does."""

    rows: int
    sum: bytes
    digest: str


def fingerprint(reader: Reader) -> Fingerprint:
    """Path, event, deadline and hash of every row. Whether the hashes are right, `verify` says."""
    rows = total = 0
    digest = blake2b(digest_size=32)
    for row in reader.stream("fingerprint"):
        found = bytes(row[-1])
        rows += 1
        total += addend(found)
        digest.update(ormsgpack.packb((*row[:-1], found)))
    return Fingerprint(rows, pack_sum(total), digest.hexdigest())


def losses(ask: Callable[[str], list[Row]], found: str, wanted: str) -> tuple[Loss, ...]:
    """What the store holds and the wanted revision has no place for. `ask` runs a question.

    How long operations took is counted all the time, and what is accessed is sampled all the time:
    nobody would be held back by their loss.
    """
    have, will = schema.shape(found), schema.shape(wanted)
    lost = []
    for table, columns in sorted(have.items()):
        if table in _PASSING:
            continue
        gone = ("",) if table not in will else sorted(set(columns) - set(will[table]))
        but = _HISTORY[1] if table == _HISTORY[0] else ""
        if gone and (count := ask(f"SELECT count(*) FROM {table}{but}")[0][0]):  # noqa: S608
            lost += [Loss(table, column, count) for column in gone]
    return tuple(lost)


def note(hand: Hand, engine: Engine, key: bytes, clock: Clock, detail: str) -> None:
    """Write into the audit trail what is done, and let every open program notice.

    `meta`, names of replicas and the trail are the same in every revision.
    """
    meta = Meta.of(hand.tx.fetch("meta_locked"), engine.url)
    replica = next(row[1] for row in hand.tx.fetch("replicas") if row[0] == meta.replica_no)
    change = Change(hand.tx, meta, str(replica), clock.now_ms(), key, ACTOR, engine.array)
    change.config += 1
    change.note(ACTOR, detail)
    change.flush()


def successor(old: Meta, live: Meta) -> Meta:
    """The meta row of an earlier state that takes a later one's place: what is monotone goes on."""
    return old._replace(
        epoch=max(old.epoch, live.epoch),
        lease_epoch=max(old.lease_epoch, live.lease_epoch) + 1,
        hlc=max(old.hlc, live.hlc),
        seq=max(old.seq, live.seq) + 1,
        config=max(old.config, live.config) + 1,
        file_id=ELSEWHERE,
    )


@contextmanager
def forgetting(ground: Ground, name: str) -> Iterator[None]:
    """A copy that was kept for a transaction that then was not carried out is of no use."""
    try:
        yield
    except BaseException:
        ground.forget(name)
        raise


def columns_of(rows: Sequence[Row]) -> list[str]:
    return [str(name) for (name,) in rows]
