"""Bringing a database that was built beside into line with the store whose place it takes.

What must survive any restore (CRDT_SPEC 8.2, 8.5): the line of history that the backup holds has
ended and a new one begins under a new id; sequence, clock and lease tokens never go back; leases
granted before are worth nothing; the audit trail says what happened. Names that other processes
keep by number stay under their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from memtend.errors import StoreBusy
from memtend.store import messages_moving, migrations, upkeep
from memtend.store.audit import SECTION, section
from memtend.store.building import Numbers, is_local
from memtend.store.change import Change
from memtend.store.interned import ERASURE_KEY, is_closed, replica_row
from memtend.store.meta import Meta, crc_of
from memtend.store.peers import put_peer, sound

if TYPE_CHECKING:
    from memtend.clock import Clock
    from memtend.store.engine import Engine, Reader, Row, Transaction

RESTORE: Final = "restore"
"""The audit action of a restore."""
MESSAGES: Final = "messages"
"""In it, what was sent and settled by then, as `messages_moving.mark_of` says it."""
NO_MESSAGES: Final = (0, 0, 0)
UNDO: Final = '"mode":"undo"'
"""In the detail of a restore that brought back a kept store."""


class Live(NamedTuple):
    """What the live store has that a restore must not take back."""

    meta: Meta
    namespaces: dict[str, int]
    replicas: list[Row]
    leases: list[Row]
    accepted: list[Row]
    catalog: list[Row]
    ops: list[Row]
    settings: list[Row]
    erasures: list[Row]
    erasure_key: bytes | None
    peers: list[Row]
    migrations: list[Row]
    upkeep: dict[str, list[Row]]
    last: Row | None
    """The last audit entry."""
    messages: messages_moving.Ended

    @classmethod
    def of(cls, reader: Reader, url: str) -> Live:
        settings = reader.fetch("stream_setting")
        meta = Meta.of(reader.fetch("meta"), url)
        last = reader.fetch("audits", (meta.audit_n - 1, 1))
        return cls(
            meta,
            {path: number for number, path, _ in reader.fetch("namespaces")},
            reader.fetch("replicas"),
            reader.fetch("stream_lease"),
            reader.fetch("stream_lease_accepted"),
            reader.fetch("stream_catalog"),
            reader.fetch("stream_op"),
            [row for row in settings if is_local(row[0])],
            reader.fetch("stream_erasure"),
            next((bytes.fromhex(row[1]) for row in settings if row[0] == ERASURE_KEY), None),
            reader.fetch("peers"),
            reader.fetch("stream_migration"),
            upkeep.held(reader),
            last[0] if last else None,
            messages_moving.Ended.of(reader),
        )

    @property
    def untouched(self) -> bool:
        """Whether a backup was restored here and nothing has been written since.

        Such a store is not kept: undo is to bring back what was there before. What an undo has
        brought back is nowhere else, and so is kept like any other.
        """
        if self.meta.n or self.last is None:
            return False
        detail = self.last[4]  # that of a restore of a part is a sentence
        if self.last[2] != RESTORE or not detail.startswith("{") or UNDO in detail:
            return False
        return self.messages.mark == tuple(orjson.loads(detail).get(MESSAGES, NO_MESSAGES))

    @property
    def numbers(self) -> Numbers:
        replicas = {row[1]: (row[0], row[4]) for row in self.replicas}
        return Numbers(self.namespaces, replicas, self.erasure_key)


class Reached(NamedTuple):
    """How far the monotone things are known to have come, from wherever it is known."""

    seq: int = 0
    hlc: int = 0
    epoch: int = 0
    lease_epoch: int = 0
    tokens: Mapping[str, int] = {}

    def join(self, other: Reached) -> Reached:
        names = self.tokens.keys() | other.tokens.keys()
        tokens = {name: max(self.tokens.get(name, 0), other.tokens.get(name, 0)) for name in names}
        return Reached(
            max(self.seq, other.seq),
            max(self.hlc, other.hlc),
            max(self.epoch, other.epoch),
            max(self.lease_epoch, other.lease_epoch),
            tokens,
        )


class Deed(NamedTuple):
    """What is done and by whom, for the audit trail. `everybody`: peers must follow (8.3).

    `backups` are rows of the catalog that a store without a predecessor begins with. `action` is
    what the trail calls it.
    """

    actor: str
    detail: Mapping[str, Any]
    reached: Reached = Reached()
    everybody: bool = False
    backups: Sequence[Row] = ()
    action: str = RESTORE


def adapt(
    engine: Engine, live: Live | None, deed: Deed, clock: Clock, key: bytes, file_id: str
) -> Meta:
    """Make the database behind `engine` the successor of `live`; None where nothing is known."""
    with engine.write() as tx:
        found = Meta.of(tx.fetch("meta_locked"), engine.url)
        reached = deed.reached.join(_reached(found, tx.fetch("stream_lease")))
        if live is not None:
            reached = reached.join(_reached(live.meta, live.leases))
            _keep_names(tx, live, engine.url)
            _keep_facts(tx, live)
        else:
            # Nobody knows what the lost store granted: seconds are above anything counted.
            reached = reached._replace(lease_epoch=max(reached.lease_epoch, _seconds(clock)))
        tx.run_many("catalog", deed.backups)
        fresh = clock.new_id()
        number = _begin_line(tx, found, fresh, clock.now_ms())
        meta = found._replace(
            replica_no=number,
            epoch=reached.epoch + deed.everybody,
            lease_epoch=reached.lease_epoch + 1,
            hlc=reached.hlc,
            seq=reached.seq + 1,
            n=0,
            config=max(found.config, live.meta.config if live else 0) + 1,
            file_id=file_id,
        )
        _void_leases(tx, reached.tokens)
        tx.run("save_meta", meta.params())
        change = Change(tx, meta, fresh, clock.now_ms(), key, deed.actor, engine.array)
        detail = dict(deed.detail)
        if (other := section(tx, key, meta.audit_n)) is not None:
            detail[SECTION] = other
        if live is not None:
            detail["previous"] = f"{live.meta.audit_n}:{bytes(live.meta.audit_head).hex()}"
        if (mark := messages_moving.mark_of(tx)) != NO_MESSAGES:
            detail[MESSAGES] = mark
        change.note(deed.action, orjson.dumps(detail, option=orjson.OPT_SORT_KEYS).decode())
        change.flush()
        return meta


def _reached(meta: Meta, leases: list[Row]) -> Reached:
    tokens = {row[0]: row[1] for row in leases}
    return Reached(meta.seq, meta.hlc, meta.epoch, meta.lease_epoch, tokens)


def _seconds(clock: Clock) -> int:
    return clock.now_ms() // 1_000


def _keep_names(tx: Transaction, live: Live, url: str) -> None:
    """Add what the live store has named meanwhile, under its numbers."""
    paths = {path: number for number, path, _ in tx.fetch("namespaces")}
    replicas = {row[1]: row[0] for row in tx.fetch("replicas")}
    theirs = {row[1]: row[0] for row in live.replicas}
    if _clash(paths, live.namespaces) or _clash(replicas, theirs):
        why = "the store gave out too many new names while the restore was built"
        raise StoreBusy(url=url, waited_s=0, why=why)
    named = {number: path for path, number in paths.items()}
    for path, number in live.namespaces.items():
        if path not in paths and number not in named:
            tx.run("load_namespace", (number, path, 0))
            tx.run("tally", ("ns", path, 0, 0))
        elif path not in paths and is_closed(named[number]):  # opened again meanwhile
            tx.run("rename_namespace", (path, number))
            tx.run("drop_tally", ("ns", named[number]))
            tx.run("tally", ("ns", path, 0, 0))
    for number, replica, _, _, created_ms, _ in live.replicas:
        if replica not in replicas:
            tx.run("add_replica", replica_row(number, replica, 0, 0, created_ms))


def _clash(here: Mapping[str, int], there: Mapping[str, int]) -> bool:
    """Whether a name has two numbers, or a number two names of which none is closed."""
    named = {number: name for name, number in here.items()}
    for name, number in there.items():
        other = named.get(number, name)
        if here.get(name, number) != number:
            return True
        if other != name and not is_closed(name) and not is_closed(other):
            return True
    return False


def _keep_facts(tx: Transaction, live: Live) -> None:
    """Backups taken, operations whose effect is in the state, erasures, evidence, tokens, peers,
    migrations, upkeep."""
    seen = {row[1]: row[2] for row in tx.fetch("replicas")}
    own = Meta.of(tx.fetch("meta"), "")
    seen |= {row[1]: own.n for row in tx.fetch("replicas") if row[0] == own.replica_no}
    known = {row[0] for row in tx.fetch("stream_op")}
    for row in live.catalog:
        tx.run("catalog", row)
    for row in live.ops:
        dots = orjson.loads(row[2])
        if row[0] not in known and all(n <= seen.get(replica, 0) for replica, n in dots):
            tx.run("save_op", row)
    for row in live.settings:
        tx.run("save_setting", row)
    for row in live.erasures:
        tx.run("erase", row)
    messages_moving.keep_ended(tx, live.messages)
    migrations.keep_history(tx, live.migrations)
    upkeep.keep(tx, live.upkeep)
    for peer in sound(live.peers):
        # The state lies on another line than the one whose sequence they were told.
        put_peer(tx, peer._replace(at_seq=0, at_vv={}))
    accepted = {row[0]: row[1:3] for row in tx.fetch("stream_lease_accepted")}
    for row in live.accepted:
        if row[1:3] > accepted.get(row[0], (-1, 0)):
            tx.run("save_lease_accepted", row)


def _begin_line(tx: Transaction, found: Meta, fresh: str, now_ms: int) -> int:
    """End the line of history that the backup holds and begin one under a new id."""
    rows = tx.fetch("replicas")
    number, replica, _, floor, created_ms, _ = next(r for r in rows if r[0] == found.replica_no)
    ended = (number, replica, found.n, floor, created_ms)
    tx.run("save_replica", (found.n, floor, crc_of(ended), number))
    fresh_no = max(int(row[0]) for row in rows) + 1
    tx.run("add_replica", replica_row(fresh_no, fresh, 0, 0, now_ms))
    return fresh_no


def _void_leases(tx: Transaction, tokens: Mapping[str, int]) -> None:
    """Tokens go on from the highest; whoever holds a lease or waits for one begins again."""
    for resource, n in tokens.items():
        row = (resource, n, n)
        tx.run("save_lease", (*row, crc_of(row)))
    tx.run("void_leases")
    tx.run("void_tickets")


def look(engine: Engine) -> Live:
    """The live store as it is now; `swap` looks again under the write lock."""
    with engine.snapshot() as reader:
        return Live.of(reader, engine.url)
