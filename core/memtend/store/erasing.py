"""Erasing: taking rows out without the trace that a deletion leaves.

A deleted record leaves its name in the change log, so that peers and backups learn that it ended.
An erased one must not. Its events join the floor instead, above an event of our own, so that a
peer that has not heard of it bootstraps instead of missing it (CRDT_SPEC 5.5); backups and imports
learn of it from the ledger. Each function is one transaction under the fence of the lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.limits import ERASE_HASHES_MAX
from memtend.model.subject import Subject
from memtend.store import accesslog
from memtend.store.change import Old
from memtend.store.ghosts import forget as forget_ghosts
from memtend.store.interned import ERASURE_KEY
from memtend.store.ledger import entries_of, path_entry
from memtend.store.meta import crc_of

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.change import Change
    from memtend.store.store import Store

ACTOR: Final = "erase"
_PAGE: Final = 1_000


class Erased(NamedTuple):
    """What one step took out."""

    rows: int = 0
    bytes: int = 0
    log: int = 0
    access: int = 0
    ledger: int = 0

    def plus(self, other: Erased) -> Erased:
        return Erased(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Eraser:
    """One erasure. `begin` writes the ledger; from then on nothing of the subject comes back.

    `upto` is the change-sequence number of the erasure: what is written later lives.
    """

    def __init__(self, store: Store, subject: Subject, lease: Lease) -> None:
        self._store = store
        self._subject = subject
        self._lease = lease
        self.key = b""
        self.upto = 0
        self.entries: list[tuple[str, bytes]] = []
        """What the ledger says of the subject."""
        self.dropped = 0
        self.hashes: list[bytes] = []
        """Of the rows that went, as many as are worth looking for in the files."""
        self.events: dict[int, set[int]] = {}
        """The events that the rows came from, by the number of their replica."""

    def begin(self, seqs: Sequence[int], rows: int) -> Erased:
        """Write the ledger and drop the first rows, in one transaction."""
        store = self._store
        known = store.namespaces.load()
        reads = [("setting", (ERASURE_KEY,))]
        with store.change(ACTOR, reads, self._lease) as (change, [found]):
            key = found[0][0] if found else store.clock.new_id() + store.clock.new_id()
            if not found:
                change.tx.run("save_setting", (ERASURE_KEY, key, crc_of((ERASURE_KEY, key))))
                change.config += 1
            self.key = bytes.fromhex(key)
            change.mint()
            self.upto = change.seq
            self.entries = entries_of(self._subject, self.key, known)
            self._remember(change, self.entries)
            dropped = self._drop(change, seqs)
            change.note("erase", f"{self._subject.kind.value}, {rows:,} rows")
        return dropped.plus(Erased(ledger=len(self.entries)))

    def drop(self, seqs: Sequence[int]) -> Erased:
        """Drop more rows. Those that were replaced meanwhile are gone already."""
        with self._store.change(ACTOR, lease=self._lease) as (change, _):
            change.mint()
            return self._drop(change, seqs)

    def forget(self, ns: int, keys: Sequence[str]) -> Erased:
        """Take the names of records that are no more out of change log and access counts."""
        with self._store.change(ACTOR, lease=self._lease) as (change, _):
            change.mint()
            ends: dict[int, int] = {}
            erased = self._forget(change, ns, keys, ends)
            raise_floor(change, ends)
            return erased

    def _drop(self, change: Change, seqs: Sequence[int]) -> Erased:
        array = self._store.engine.array
        if not seqs:
            raise_floor(change, {})
            return Erased()
        rows = change.tx.fetch("old_by_seq", (array(seqs),))
        olds = [old for old in map(Old._make, rows) if old.seq <= self.upto]
        ends: dict[int, int] = {}
        places: dict[int, dict[str, None]] = {}
        for old in olds:
            change.drop(old, self._store.namespaces.path(old.ns))
            ends[old.r] = max(ends.get(old.r, 0), old.n)
            self.events.setdefault(old.r, set()).add(old.n)
            places.setdefault(old.ns, {})[old.key] = None
        # By number: the tags of a row whose body is damaged are not known.
        change.tx.run("untag_all", (array([old.seq for old in olds]),))
        change.write_rows()
        self.dropped += len(olds)
        self.hashes += [bytes(old.hash) for old in olds][: ERASE_HASHES_MAX - len(self.hashes)]
        erased = Erased(len(olds), sum(old.size for old in olds))
        for ns, keys in places.items():
            erased = erased.plus(self._forget(change, ns, list(keys), ends))
        raise_floor(change, ends)
        return erased

    def _forget(self, change: Change, ns: int, keys: Sequence[str], ends: dict[int, int]) -> Erased:
        """Drop what is left of names; `ends` collects the events that leave the change log.

        Where labels decide, a name under which somebody else's value stands is not ours to drop.
        """
        tx, array = change.tx, self._store.engine.array
        left = {key for (key,) in tx.fetch("keys_left", (ns, array(list(keys))))}
        gone = [key for key in keys if key not in left]
        by_label = self._subject.by_label
        unlogged = (
            ns,
            array(gone if by_label else list(keys)),
            change.seq if by_label else self.upto,
        )
        log = 0
        for r, n, count in tx.fetch("log_ends", unlogged):
            ends[r] = max(ends.get(r, 0), n)
            log += count
        access = len(tx.fetch("accesses", (ns, array(gone))))
        tx.run("unlog", unlogged)
        tx.run("forget_accesses", (ns, array(gone)))
        path, names = self._store.namespaces.path(ns), gone if by_label else keys
        forget_ghosts(self._store, tx, path, names)
        accesslog.forget(self._store, tx, path, ns, names)
        entries = []
        if by_label:
            entries = [path_entry(self.key, path, key) for key in gone]
            self._remember(change, entries)
        return Erased(log=log, access=access, ledger=len(entries))

    def _remember(self, change: Change, entries: Iterable[tuple[str, bytes]]) -> None:
        rows = [(kind, digest, change.hlc, change.seq) for kind, digest in entries]
        if rows:
            change.tx.run_many("erase", [(*row, crc_of(row)) for row in rows])


def raise_floor(change: Change, ends: Mapping[int, int]) -> None:
    """Let go of events by the number of their replica, and of all of ours: peers that have not seen
    them, above all the one just minted, get everything anew."""
    for number, replica, seen, floor, created_ms, _ in change.tx.fetch("replicas"):
        own = change.n if number == change.meta.replica_no else 0
        raised = max(floor, own, ends.get(number, 0))
        if raised > floor:
            row = (number, replica, seen, raised, created_ms)
            change.tx.run("save_replica", (seen, raised, crc_of(row), number))


def named_keys(store: Store, ns: int, key: str | None = None) -> Iterator[list[str]]:
    """Keys that change log or access counts of a namespace name, in pages."""
    if key is not None:
        yield [key]
        return
    for statement in ("log_keys", "access_keys"):
        after = ""
        while rows := store.engine.read(statement, (ns, after, _PAGE)):
            yield [key for (key,) in rows]
            after = rows[-1][0]
