"""The store: one open database, and the write transaction that everything else composes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from memtend.clock import Clock
from memtend.codec.compress import Damaged
from memtend.errors import StaleLease
from memtend.model.stored import StoreState
from memtend.store import schema
from memtend.store.ballast import Ballast
from memtend.store.change import Change
from memtend.store.engine import Call, Reader, Row
from memtend.store.interned import Namespaces, Replicas
from memtend.store.meta import Meta
from memtend.store.opening import engine_for, identify, seal_key

if TYPE_CHECKING:
    from memtend.model.lease import Lease


class Store:
    """Made by `Store.open`. Threads and forked children may share one."""

    def __init__(
        self, url: str, clock: Clock, *, create: bool, durable: bool, key_path: str | None
    ) -> None:
        self.clock = clock
        self.engine = engine_for(url, create=create, durable=durable)
        self.url = self.engine.url
        self.namespaces = Namespaces(self.engine)
        self.replicas = Replicas(self.engine)
        self._dictionaries: dict[int, Any] = {}
        self.config_seen = identify(self.engine, clock).config
        self.key = seal_key(self.engine, key_path, clock)
        self.ballast = Ballast(self.engine.path)
        self.ballast.fill()

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
        return cls(url, clock, create=create, durable=durability == "full", key_path=key_path)

    def meta(self) -> Meta:
        return Meta.of(self.engine.read("meta"), self.url)

    @contextmanager
    def change(
        self, actor: str, reads: Sequence[Call] = (), lease: Lease | None = None
    ) -> Iterator[tuple[Change, list[list[Row]]]]:
        """One write transaction. `reads` come back with the locked meta row, in one round trip.

        With `lease`, the transaction is refused unless that lease is still the newest (§3).
        """
        now_ms = self.clock.now_ms()
        calls: list[Call] = [("meta_locked", ())]
        if lease is not None:
            calls.append(("lease", (lease.resource,)))
        calls += reads
        with self.engine.write() as tx:
            answers = tx.fetch_all(calls)
            meta = Meta.of(answers.pop(0), self.url)
            if lease is not None:
                check_fence(lease, answers.pop(0), self.engine.server_ms() or now_ms)
            replica = self.replicas.ids.get(meta.replica_no) or self._replica(tx, meta)
            change = Change(tx, meta, replica, now_ms, self.key, actor, self.engine.array)
            self.config_seen = meta.config
            yield change, answers
            change.flush()

    def own_replica(self) -> str:
        """The id under which this store writes now."""
        return self.replicas.id(self.meta().replica_no)

    def _replica(self, tx: Reader, meta: Meta) -> str:
        """This store's id, read inside the transaction: another process may have drawn it."""
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

    def close(self) -> None:
        self.engine.close()


def check_fence(lease: Lease, rows: list[Row], now_ms: int) -> None:
    """Refuse a write whose lease was taken over or has run out."""
    for holder, n, epoch, expires_ms in rows:
        if (epoch, n) == tuple(lease.fence) and holder == lease.holder and now_ms < expires_ms:
            return
    raise StaleLease(resource=lease.resource, token=tuple(lease.fence))
