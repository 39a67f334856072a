"""An open store seen by one agent: rights, the write path, what reading leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from memtend.clock import Clock, SystemClock
from memtend.drafting import Put, draft
from memtend.errors import StoreBusy, StoreFull, StoreUnavailable
from memtend.limits import CLOSE_BUSY_WAIT_MS
from memtend.limits_upkeep import LATENCY_WRITE_EVERY
from memtend.model.dot import Dot
from memtend.reaching import ColdReads
from memtend.store import writes
from memtend.store.access import AccessBuffer
from memtend.store.behind import write_behind
from memtend.store.config import Config
from memtend.store.expiry import drop_expired, leftovers
from memtend.store.reads import Reads
from memtend.store.store import Store
from memtend.store.views import Views

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.version import Resolver
    from memtend.store.config import Right
    from memtend.store.records import Records
    from memtend.store.resolvers import Resolvers


T = TypeVar("T")


class Session:
    """What `Memory` is built on. Thread-safe."""

    def __init__(
        self,
        store: Store,
        *,
        agent: str | None = None,
        resolvers: Mapping[str, Resolver] | None = None,
    ) -> None:
        self.store = store
        self.agent = agent
        self.config = Config(store)
        for name, function in (resolvers or {}).items():
            store.resolvers.register(name, function)
        if store.archive is None:
            store.archive = ColdReads(store)
        self._reads = Reads(store, store.clock.now_ms, Views(self.config, store.resolvers))
        self._access = AccessBuffer(store)
        self._latencies = store.latencies
        self._read_turns = store.latencies.read_turns
        self._actor = agent or "owner"

    @classmethod
    def open(
        cls,
        url: str = "memtend.db",
        *,
        agent: str | None = None,
        durability: str = "full",
        create: bool = True,
        clock: Clock | None = None,
        key_path: str | None = None,
        resolvers: Mapping[str, Resolver] | None = None,
    ) -> Self:
        """Open a store: a path, `sqlite:///path`, `sqlite://` (in memory) or `postgresql://…`."""
        store = Store.open(
            url,
            clock=clock or SystemClock(),
            create=create,
            durability=durability,
            key_path=key_path,
        )
        return cls(store, agent=agent, resolvers=resolvers)

    @property
    def resolvers(self) -> Resolvers:
        """Users' functions that policies name; shared by all who opened this store together."""
        return self.store.resolvers

    def _slide(self, namespace: str, key: str) -> None:
        """Refresh on read; `Memory`, which can touch, does it."""

    def flush(self) -> None:
        """Write what reads have noted: counts, latencies, a sample of accesses; slide deadlines.

        On a full disk, or while a writer does not let go for long, they are given up: reading goes
        on, and nobody misses a count.
        """
        write_behind(self.store)
        with suppress(StoreFull, StoreBusy):
            slide, stale = self._access.flush(self.config)
            for namespace, key in slide:
                self._slide(namespace, key)
            if stale:
                drop_expired(self.store, leftovers(self.store, stale), actor=self._actor)

    def close(self) -> None:
        """Flush and close. An error while flushing costs counters, so the store closes anyway.

        Who has only read does not wait long for a writer: then the counts are given up. So they are
        where the store is gone: what went wrong before is what a caller must hear of.
        """
        try:
            noted = self._latencies.is_filled or self.store.accesses.is_filled
            if noted or self._access.is_filled:
                with suppress(StoreUnavailable):
                    self.store.engine.hurry(CLOSE_BUSY_WAIT_MS)
                    self.flush()
        finally:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _records(self) -> Records:
        from memtend.store.records import Records  # noqa: PLC0415 — the models cost 0.1 s to import

        return Records(self.store, self._reads)

    def _write(
        self,
        puts: Sequence[Put],
        *,
        kind: int = 0,
        expected: frozenset[Dot] | None = None,
        action: str = "put",
        op_id: str | None = None,
        lease: Lease | None = None,
        settles: bool = False,
    ) -> list[Dot]:
        config, agent = self.config, self.agent

        def attempt() -> list[Dot]:
            if agent is not None:
                for namespace in {put.namespace for put in puts}:
                    self._allow("write", namespace)
            return writes.write(
                self.store,
                [
                    draft(config, put, agent, kind=kind, expected=expected, settles=settles)
                    for put in puts
                ],
                actor=self._actor,
                quotas=config.file.quotas,
                config=config.version,
                action=action,
                op_id=op_id,
                lease=lease,
            )

        dots = self._timed("put" if len(puts) == 1 else "put_many", attempt)
        if action != "touch":
            self.store.accesses.wrote((put.namespace, put.key) for put in puts)
        return dots

    def _delete(
        self,
        namespace: str,
        key: str,
        field: str = "",
        ctx: Mapping[str, int] | frozenset[Dot] | None = None,
        lease: Lease | None = None,
        settles: bool = False,
    ) -> bool:
        def attempt() -> bool:
            self._allow("write", namespace)
            version = self.config.version
            return writes.delete(
                self.store, namespace, key, field, actor=self._actor, config=version, ctx=ctx,
                lease=lease, settles=settles,
            )  # fmt: skip

        return self._timed("delete", attempt)

    def _timed(self, op: str, attempt: Callable[[], T]) -> T:
        """Run a write under the current config, and count how long it took."""
        latencies, often = self._latencies, op == "put"
        if often and not next(latencies.write_turns):
            return self.config.under_current(attempt)
        with latencies.timing(op, LATENCY_WRITE_EVERY if often else 1):
            done = self.config.under_current(attempt)
        if latencies.is_due():
            write_behind(self.store)
        return done

    def _allow(self, right: Right, namespace: str) -> None:
        if self.agent is not None:
            self.config.allow(self.agent, right, namespace)
