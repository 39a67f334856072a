"""The store: one open database, and the write transaction that everything else composes."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from types import TracebackType
from typing import TYPE_CHECKING, Any

from memtend.clock import Clock
from memtend.codec.compress import Damaged, decompress
from memtend.codec.envelope import Body
from memtend.errors import InvalidSettings
from memtend.model.stored import StoreState
from memtend.store import schema
from memtend.store.absence import Absence
from memtend.store.accesslog import AccessLog
from memtend.store.ballast import Ballast
from memtend.store.change import Change
from memtend.store.engine import Call, Engine, Reader, Row
from memtend.store.interned import Namespaces, Replicas
from memtend.store.latencies import Latencies
from memtend.store.meta import Meta
from memtend.store.opening import engine_for, identify, seal_key
from memtend.store.resolvers import Resolvers

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.archived import ArchivedTexts


class Store:
    """Made by `Store.open`. Threads and forked children may share one."""

    def __init__(self, engine: Engine, clock: Clock, key: bytes) -> None:
        self.clock = clock
        self.engine = engine
        self.key = key
        self.url = self.engine.url
        self.absence = Absence(self.engine)
        self.namespaces = Namespaces(self.engine, self.absence)
        self.replicas = Replicas(self.engine)
        self._dictionaries: dict[int, Any] = {}
        self.archive: ArchivedTexts | None = None
        """Where reads find values that are archived; whoever opens the store says it."""
        self.models_url: str | None = None
        """Where the files of its models are; None: where the settings say."""
        self.ballast = Ballast(self.engine.path)
        self.resolvers = Resolvers()
        self.latencies = Latencies(clock)
        self.accesses = AccessLog(self)
        self._noticed = -1

    @classmethod
    def open(
        cls,
        url: str,
        *,
        clock: Clock,
        create: bool = True,
        durability: str = "full",
        key_path: str | None = None,
    ) -> Store:
        """Open or create. `durability` is `full` (survives power loss) or `normal`."""
        if durability not in ("full", "normal"):
            raise InvalidSettings(name="durability", why=f"{durability!r} is not full or normal")
        engine = engine_for(url, create=create, durable=durability == "full")
        identify(engine, clock)
        store = cls(engine, clock, seal_key(engine, key_path, clock))
        store.ballast.fill()
        return store

    def notice(self, meta: Meta) -> None:
        """Refuse to write to a store whose schema has been migrated under us.

        A migration raises `config`, which every write reads anyway.
        """
        if meta.config != self._noticed:
            schema.check(self.engine)
            self._noticed = meta.config

    def meta(self) -> Meta:
        return Meta.of(self.engine.read("meta"), self.url)

    def change(
        self,
        actor: str,
        reads: Sequence[Call] = (),
        lease: Lease | None = None,
        config: int | None = None,
    ) -> Changing:
        """One write transaction. `reads` come back with the locked meta row, in one round trip.

        With `lease`, the transaction is refused unless that lease is still the newest (§3). With
        `config`, it raises `ConfigChanged` unless policies and grants are still of that version.
        """
        return Changing(self, actor, reads, lease, config)

    def own_replica(self) -> str:
        """The id under which this store writes now."""
        return self.replicas.id(self.meta().replica_no)

    def replica_of(self, tx: Reader, meta: Meta) -> str:
        """This store's id, read inside the transaction: another process may have drawn it."""
        known = self.replicas.ids.get(meta.replica_no)
        if known is not None:
            return known
        self.replicas.ids = {row[0]: str(row[1]) for row in tx.fetch("replicas")}
        return self.replicas.ids[meta.replica_no]

    def state(self, reader: Reader) -> StoreState:
        """Identity and clocks as one consistent view sees them."""
        meta = Meta.of(reader.fetch("meta"), self.url)
        rows = reader.fetch("replicas")
        vv = {replica: seen for _, replica, seen, *_ in rows}
        own = next(row[1] for row in rows if row[0] == meta.replica_no)
        vv[own] = meta.n
        return StoreState(
            store_id=meta.store_id,
            replica=own,
            epoch=meta.epoch,
            lease_epoch=meta.lease_epoch,
            schema=schema.HEAD,
            seq=meta.seq,
            hlc=meta.hlc,
            vv={replica: seen for replica, seen in vv.items() if seen},
            floor={replica: floor for _, replica, _, floor, *_ in rows if floor},
            audit_n=meta.audit_n,
            audit_head=bytes(meta.audit_head),
            sum=bytes(meta.sum),
            tokens={row[0]: row[1] for row in reader.fetch("stream_lease")},
            policy_digest=_policy_digest(reader),
        )

    def dictionary(self, number: int) -> Any:
        """A trained zstd dictionary; raises `Damaged` where rows name one that is not there."""
        if number not in self._dictionaries:
            import zstandard  # noqa: PLC0415 — most processes never meet a dictionary

            rows = self.engine.read("dictionary", (number,))
            if not rows:
                raise Damaged(f"dictionary {number} is missing")
            self._dictionaries[number] = zstandard.ZstdCompressionDict(bytes(rows[0][0]))
        return self._dictionaries[number]

    def text_of(self, body: Body, codec: int, data: bytes) -> bytes:
        """The canonical text of a stored value; raises `Damaged`."""
        number = body.dictionary
        if number is None:
            return decompress(codec, data, body.size)
        known = number in self._dictionaries
        try:
            return decompress(codec, data, body.size, self.dictionary(number))
        except Damaged:
            if not known:
                raise
            # A restore may have given the number to another dictionary than was read here.
            self._dictionaries.pop(number, None)
            return decompress(codec, data, body.size, self.dictionary(number))

    def forget_dictionaries(self) -> None:
        """A restore may give numbers to other dictionaries than those that were read here."""
        self._dictionaries.clear()

    def close(self) -> None:
        self.engine.close()


def _policy_digest(reader: Reader) -> str | None:
    rows = reader.fetch("setting", ("policies",))
    return sha256(rows[0][0].encode()).hexdigest() if rows else None


class ConfigChanged(Exception):
    """Policies or grants were changed since the caller read them. Nothing was written."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(version)


class Changing:
    """A write transaction as a `with` block; a class, because it runs on every put."""

    __slots__ = ("_actor", "_calls", "_change", "_config", "_lease", "_store", "_write")

    def __init__(
        self,
        store: Store,
        actor: str,
        reads: Sequence[Call],
        lease: Lease | None,
        config: int | None,
    ) -> None:
        self._store, self._actor, self._lease, self._config = store, actor, lease, config
        fence: list[Call] = []
        if lease is not None:
            fence = [("lease_now", ()), ("lease_grant", (lease.resource, lease.fence.n))]
        self._calls: list[Call] = [("meta_locked", ()), *fence, *reads]

    def __enter__(self) -> tuple[Change, list[list[Row]]]:
        store = self._store
        now_ms = store.clock.now_ms()
        self._write = store.engine.write()
        tx = self._write.__enter__()
        try:
            answers = tx.fetch_all(self._calls)
            meta = Meta.of(answers.pop(0), store.url)
            store.notice(meta)
            if self._config not in (None, meta.config):
                raise ConfigChanged(meta.config)
            if self._lease is not None:
                check_lease(store, self._lease, meta, answers.pop(0), answers.pop(0))
            replica = store.replica_of(tx, meta)
        except BaseException as error:
            self._write.__exit__(type(error), error, error.__traceback__)
            raise
        self._change = Change(tx, meta, replica, now_ms, store.key, self._actor, store.engine.array)
        return self._change, answers

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            try:
                self._change.flush()
            except BaseException as failure:
                self._write.__exit__(type(failure), failure, failure.__traceback__)
                raise
        self._write.__exit__(kind, error, trace)


def check_lease(store: Store, lease: Lease, meta: Meta, now: list[Row], granted: list[Row]) -> None:
    """Refuse a write whose lease was taken away or has run out."""
    from memtend.store.lease_rows import check_fence, clock_ms, grants_of  # noqa: PLC0415

    grants = grants_of(granted, store.url, meta.lease_epoch)
    check_fence(lease, grants, clock_ms(store, now))
