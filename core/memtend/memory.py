"""`Memory`: what agents call. Namespaced records that outlive neither their TTL nor their policy.

    >>> from memtend import Memory
    >>> with Memory.open("sqlite://") as memory:
    ...     _ = memory.put("knowledge/rest", "retries", {"max": 3})
    ...     memory.get("knowledge/rest", "retries")
    {'max': 3}

A write that returned has happened, for every process, and with `durability="full"` also after a
power cut. A read never returns a value whose bytes are not the ones written: damage raises
`RecordDamaged`. An expired record is invisible at once, whenever it is swept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from memtend.counting import Counting
from memtend.crdt.rows import RowKind
from memtend.drafting import Put, check_times
from memtend.errors import ConditionFailed, InvalidName, LimitExceeded, NotFound
from memtend.limits import BATCH_MAX, GET_MANY_MAX, SCAN_MAX, TOUCH_SHARE, UPDATE_TRIES
from memtend.limits_upkeep import LATENCY_READ_EVERY
from memtend.model.dot import Dot
from memtend.model.names import check_path
from memtend.model.policy import Cleanup, Reading
from memtend.store.reads import MISSING
from memtend.store.seen import newest

if TYPE_CHECKING:
    from memtend.leasing import HeldLease, Leases
    from memtend.messaging import Messages
    from memtend.model.lease import Lease
    from memtend.model.look import Look
    from memtend.model.query import Query
    from memtend.model.record import Labels, Record
    from memtend.model.stats import Stats


class Memory(Counting):
    """Thread-safe. Opened `as` an agent, it may do what that agent's grants allow."""

    # reading

    def get(self, namespace: str, key: str, default: Any = None) -> Any:
        """The value, or `default` where nothing is visible.

        Of several concurrent ones the newest, or what the policy's function makes of them; the sum
        of a counter; the whole of a set or a map where the policy says so.
        """
        if next(self._read_turns):
            with self._latencies.timing("get", LATENCY_READ_EVERY):
                return self.get(namespace, key, default)
        if self.agent is not None:
            self._allow("read", namespace)
        value = self._reads.value(namespace, key)
        if value is MISSING:
            return self._absent(namespace, key, default)
        counts, place = self._access.counts, (namespace, key)
        counts[place] += 1
        if len(counts) > self._access.limit:
            self.flush()
        return value

    def get_many(self, namespace: str, keys: Sequence[str]) -> dict[str, Any]:
        """The visible values among `keys`, in one statement."""
        self._allow("read", namespace)
        if len(keys) > GET_MANY_MAX:
            raise LimitExceeded(what="keys", name=namespace, actual=len(keys), limit=GET_MANY_MAX)
        ns = self.store.namespaces.find(namespace)
        if ns is None:
            return {}
        joined = "".join(keys)
        if not joined.isascii() or "\0" in joined:
            raise InvalidName(what="key", name=joined, why="one of the keys is not ASCII")
        with self._latencies.timing("get_many"):
            return self._reads.many(namespace, ns, keys)

    def scan(
        self, namespace: str, *, prefix: str = "", after: str = "", limit: int = 100
    ) -> list[tuple[str, Any]]:
        """Keys and values of one namespace in key order, from after `after`, at most `limit`."""
        self._allow("read", namespace)
        if not 0 < limit <= SCAN_MAX:
            raise LimitExceeded(what="limit", name=namespace, actual=limit, limit=SCAN_MAX)
        ns = self.store.namespaces.find(namespace)
        if ns is None or (prefix and not _NAME_MIN <= min(prefix) <= max(prefix) <= _NAME_MAX):
            return []
        with self._latencies.timing("scan"):
            return self._reads.page(namespace, ns, prefix, after, limit)

    def read(self, namespace: str, key: str) -> Record | None:
        """The whole record: value, labels, times, dot, number of conflicting siblings."""
        self._allow("read", namespace)
        with self._latencies.timing("read"):
            return self._records.one(namespace, key)

    def siblings(self, namespace: str, key: str) -> list[Record]:
        """All concurrent values of a key, sorted by canonical JSON, whatever the policy shows."""
        self._allow("read", namespace)
        return self._records.siblings(namespace, key)

    def context(self) -> dict[str, int]:
        """What this replica has seen of every replica's writes, now."""
        with self.store.engine.snapshot() as view:
            return self.store.state(view).vv

    def look(self, namespace: str, key: str) -> Look:
        """All that is visible of a key, with the context in which to answer it (`put(ctx=…)`)."""
        from memtend.model.look import Look  # noqa: PLC0415

        self._allow("read", namespace)
        records, context = self._records.looked(namespace, key)
        return Look(tuple(records), context)

    def tagged(self, tag: str, *, limit: int = 100) -> list[tuple[str, str, Any]]:
        """`(namespace, key, value)` of records with this tag, in the order of writing."""
        if not 0 < limit <= SCAN_MAX:
            raise LimitExceeded(what="limit", name=tag, actual=limit, limit=SCAN_MAX)
        with self._latencies.timing("tagged"):
            found = self._reads.tagged(tag, limit)
        if self.agent is None or not self.config.grants:
            return found
        return [one for one in found if self.config.allows(self.agent, "read", one[0])]

    def search(self, query: Query) -> list[Record]:
        """Records for which every condition holds and which this agent may read."""
        with self._latencies.timing("search"):
            if self.agent is None or not self.config.grants:
                return self._records.search(query)
            return self._records.search(query, partial(self.config.allows, self.agent, "read"))

    # writing

    def put(
        self,
        namespace: str,
        key: str,
        value: Any,
        *,
        labels: Labels | None = None,
        ttl_ms: int | None = None,
        ctx: Mapping[str, int] | None = None,
        op_id: str | None = None,
        lease: Lease | None = None,
    ) -> Dot:
        """Store a value; it replaces what is here (with `ctx`: what the writer had seen).

        `ttl_ms` None takes the policy's, 0 means permanent. Without `labels`, those of the record
        that is replaced stay. A repeated `op_id` changes nothing and returns the first dot. With
        `lease`, as in every other write, it raises `StaleLease` once that is not good any more.
        """
        put = Put(namespace, key, value, labels, ttl_ms, ctx=ctx)
        return self._write([put], op_id=op_id, lease=lease)[0]

    def put_many(
        self, puts: Iterable[Put], *, op_id: str | None = None, lease: Lease | None = None
    ) -> list[Dot]:
        """All of them in one transaction, or none."""
        batch = list(puts)
        if len(batch) > BATCH_MAX:
            raise LimitExceeded(what="batch", name="put_many", actual=len(batch), limit=BATCH_MAX)
        return self._write(batch, op_id=op_id, lease=lease) if batch else []

    def put_if(
        self,
        namespace: str,
        key: str,
        value: Any,
        expected: Iterable[Dot],
        *,
        lease: Lease | None = None,
        **more: Any,
    ) -> Dot:
        """Compare and set: raises `ConditionFailed` unless exactly `expected` is visible."""
        put = Put(namespace, key, value, **more)
        return self._write([put], expected=frozenset(expected), action="put_if", lease=lease)[0]

    def update(
        self,
        namespace: str,
        key: str,
        change: Callable[[Any], Any],
        default: Any = None,
        **more: Any,
    ) -> Any:
        """Read what `get` shows, change, compare and set; again if another writer came between."""
        for _ in range(UPDATE_TRIES):
            seen = self._records.seen(namespace, key)
            found = self._reads.views.show(namespace, key, seen) if seen else None
            before = default if found is None else found.value
            after = change(before)
            try:
                self.put_if(namespace, key, after, [one.body.dot for one in seen], **more)
            except ConditionFailed as error:
                lost = error
                continue
            return after
        raise lost

    def delete(
        self,
        namespace: str,
        key: str,
        *,
        ctx: Mapping[str, int] | None = None,
        lease: Lease | None = None,
    ) -> bool:
        """Remove a record; False where there was none. With `ctx`, what the caller had not seen
        stays; of a set or a map by policy, each element or field goes for itself."""
        gone = False
        if self._reads.views.reading(namespace, key) in (Reading.SET, Reading.MAP):
            for field in self._records.fields(namespace, key):
                gone = self._delete(namespace, key, field, ctx, lease) or gone
        return self._delete(namespace, key, ctx=ctx, lease=lease) or gone

    def touch(
        self, namespace: str, key: str, ttl_ms: int | None = None, *, lease: Lease | None = None
    ) -> Dot | None:
        """Give a live record a new deadline, counted from now; of several siblings, the newest.

        Writes nothing (and returns None) when the new deadline is less than 10 % later. Raises
        `NotFound` where nothing is visible: an expired record cannot be brought back (4.3).
        """
        check_times(Put(namespace, key, None, ttl_ms=ttl_ms))
        return self._touch(namespace, key, ttl_ms, lease)

    def _touch(
        self, namespace: str, key: str, ttl_ms: int | None, lease: Lease | None, read: bool = False
    ) -> Dot | None:
        seen = self._records.seen(namespace, key)
        if not seen:
            raise NotFound(namespace=namespace, key=key)
        ttl = self.config.policy(namespace, key).ttl_ms if ttl_ms is None else ttl_ms or None
        top = newest(self._reads.views.own(namespace, key, seen) or seen)
        left_ms = float("inf") if top.exp is None else top.exp - self.store.clock.now_ms()
        if ttl and ttl * (1 - TOUCH_SHARE) < left_ms and (read or left_ms <= ttl):
            return None  # reading gives time, and takes none away
        if top.body.type == RowKind.COUNTER:
            return self._extend(namespace, key, ttl or 0, lease)
        # Whoever extends a value has not judged those beside it.
        own = frozenset({top.body.dot}) if len(seen) > 1 else None
        put = Put(namespace, key, top.value, None, ttl or 0, ctx=own)
        expected = frozenset(one.body.dot for one in seen)
        return self._write([put], expected=expected, action="touch", lease=lease)[0]

    # with others

    @cached_property
    def leases(self) -> Leases:
        """Leases on resources: acquire, renew, release, held, multi, accept."""
        from memtend.leasing import Leases  # noqa: PLC0415

        return Leases(self)

    def lease(self, resource: str, **terms: Any) -> AbstractContextManager[HeldLease]:
        """Hold a lease for the length of a `with` block; see `Leases.lease`."""
        return self.leases.lease(resource, **terms)

    def alease(self, resource: str, **terms: Any) -> AbstractAsyncContextManager[HeldLease]:
        """The same for `async with`."""
        return self.leases.alease(resource, **terms)

    @cached_property
    def messages(self) -> Messages:
        """Durable messages: send, receive, ack, broadcast, request."""
        from memtend.messaging import Messages  # noqa: PLC0415

        return Messages(self)

    # upkeep

    def stats(self) -> Stats:
        """Counts and bytes, from totals kept in every write: never a scan."""
        from memtend.store.totals import stats  # noqa: PLC0415

        return stats(self.store, self.config.file.quotas)

    def _absent(self, namespace: str, key: str, default: Any) -> Any:
        check_path(namespace, key)
        policy = self.config.policy(namespace, key)
        if policy.reading is Reading.SET and (members := self.members(namespace, key)):
            return members
        if policy.reading is Reading.MAP and (fields := self.fields(namespace, key)):
            return fields
        if self._access.miss((namespace, key), leftover=policy.cleanup is Cleanup.LAZY):
            self.flush()
        return default

    def _slide(self, namespace: str, key: str) -> None:
        with suppress(NotFound, ConditionFailed):  # gone or written meanwhile: nothing to slide
            self._touch(namespace, key, None, None, read=True)


_NAME_MIN, _NAME_MAX = "+", "z"
"""The lowest and the highest character of any name."""
