"""Counters, sets and maps: what many agents change at once without losing each other's part.

A counter is one running part per replica, summed when read; a set is one row per element and a map
one per field, where an add wins over a concurrent remove (CRDT_SPEC 4.5, 4.6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from memtend.codec import canonical
from memtend.crdt import tally
from memtend.crdt.hlc import pack
from memtend.crdt.rows import RowKind, Siblings, is_visible
from memtend.drafting import Put
from memtend.errors import ConditionFailed, InvalidValue, KindMismatch
from memtend.limits import INTEGER_ABS_MAX, UPDATE_TRIES
from memtend.model.dot import Dot
from memtend.model.names import check_name
from memtend.model.policy import Reading
from memtend.session import Session
from memtend.store.seen import Seen, counter_value, newest
from memtend.store.views import of_kind

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.record import Labels


class Counting(Session):
    def increment(
        self,
        namespace: str,
        key: str,
        by: int = 1,
        *,
        op_id: str | None = None,
        labels: Labels | None = None,
        ttl_ms: int | None = None,
        lease: Lease | None = None,
    ) -> int:
        """Add `by` (which may be negative) to a counter and return its new value.

        A repeated `op_id` changes nothing. `ttl_ms` None takes the policy's, 0 means permanent.
        Raises `KindMismatch` where a plain value is stored.
        """
        if abs(by) > INTEGER_ABS_MAX:
            raise InvalidValue(name=key, why=f"{by} is not below 2^53")

        def grow(parts: Siblings, at: _At) -> tally.Written:
            return tally.increment(
                parts, by, dot=at.dot, hlc=at.hlc, exp_ms=None, now_ms=at.now_ms,
                was_here=at.was_here,
            )  # fmt: skip

        self._count(
            namespace, key, grow, op_id=op_id, labels=labels, ttl_ms=ttl_ms, lease=lease
        )  # fmt: skip
        return self._total(namespace, key)

    def set_counter(
        self, namespace: str, key: str, value: int, *, lease: Lease | None = None
    ) -> int:
        """Start a new epoch of a counter at `value`; concurrent increments of the old one end."""

        def restart(parts: Siblings, at: _At) -> tally.Written:
            return tally.reset(parts, dot=at.dot, hlc=at.hlc, exp_ms=None, start=value)

        self._count(namespace, key, restart, lease=lease)
        return self._total(namespace, key)

    def add(
        self,
        namespace: str,
        key: str,
        element: Any,
        *,
        ctx: Mapping[str, int] | None = None,
        lease: Lease | None = None,
    ) -> Dot:
        """Add an element to a set; it wins over a concurrent remove."""
        put = Put(namespace, key, element, ctx=ctx, field=element_field(element))
        return self._write([put], kind=RowKind.ELEMENT, action="add", lease=lease)[0]

    def remove(
        self,
        namespace: str,
        key: str,
        element: Any,
        *,
        ctx: Mapping[str, int] | None = None,
        lease: Lease | None = None,
    ) -> bool:
        """Take an element out of a set; False where it was not in it.

        With `ctx`, an element that was added since that look stays.
        """
        return self._delete(namespace, key, element_field(element), ctx, lease)

    def members(self, namespace: str, key: str) -> list[Any]:
        """The elements of a set, in the order of their canonical JSON."""
        found = self._parts(namespace, key, RowKind.ELEMENT).values()
        return [one.value for one in sorted(found, key=lambda one: one.text)]

    def put_field(
        self,
        namespace: str,
        key: str,
        field: str,
        value: Any,
        *,
        labels: Labels | None = None,
        ttl_ms: int | None = None,
        ctx: Mapping[str, int] | None = None,
        op_id: str | None = None,
        lease: Lease | None = None,
    ) -> Dot:
        """Set one field of a map; other fields, and who writes them meanwhile, are not touched."""
        put = Put(namespace, key, value, labels, ttl_ms, ctx=ctx, field=check_name(field, "field"))
        return self._write([put], kind=RowKind.FIELD, action="put_field", op_id=op_id, lease=lease)[
            0
        ]

    def get_field(self, namespace: str, key: str, field: str, default: Any = None) -> Any:
        """One field of a map, or `default`. Of several concurrent values the newest."""
        check_name(field, "field")
        found = self._parts(namespace, key, RowKind.FIELD).get(field)
        return default if found is None else found.value

    def fields(self, namespace: str, key: str) -> dict[str, Any]:
        """A whole map, in the order of its fields."""
        found = self._parts(namespace, key, RowKind.FIELD)
        return {field: found[field].value for field in sorted(found)}

    def delete_field(
        self,
        namespace: str,
        key: str,
        field: str,
        *,
        ctx: Mapping[str, int] | None = None,
        lease: Lease | None = None,
    ) -> bool:
        """Remove one field of a map; False where it was not there. A concurrent write survives."""
        return self._delete(namespace, key, check_name(field, "field"), ctx, lease)

    def _parts(self, namespace: str, key: str, kind: RowKind) -> dict[str, Seen]:
        """What is visible of a set or a map, by field; elements and fields do not mix."""
        self._allow("read", namespace)
        fields = self._records.fields(namespace, key).items()
        own = {field: [one for one in seen if one.body.type == kind] for field, seen in fields}
        return {field: newest(seen) for field, seen in own.items() if seen}

    def _extend(self, namespace: str, key: str, ttl_ms: int, lease: Lease | None = None) -> Dot:
        """Give a counter a new deadline: this replica's part is written again, unchanged."""
        return self._count(namespace, key, _keep, ttl_ms=ttl_ms, action="touch", lease=lease)

    def _settle_counter(
        self,
        namespace: str,
        key: str,
        value: int | None,
        strays: frozenset[Dot],
        seen: frozenset[Dot],
    ) -> Dot:
        """Drop what is no counter there. `value` begins a new epoch in the place of exactly `seen`,
        None keeps the sum."""

        def restart(parts: Siblings, at: _At) -> tally.Written:
            return tally.reset(parts, dot=at.dot, hlc=at.hlc, exp_ms=None, start=value or 0)

        change, exactly = (_keep, None) if value is None else (restart, seen)
        return self._count(namespace, key, change, action="resolve", strays=strays, exactly=exactly)

    def _count(
        self,
        namespace: str,
        key: str,
        change: Callable[[Siblings, _At], tally.Written],
        *,
        op_id: str | None = None,
        labels: Labels | None = None,
        ttl_ms: int | None = None,
        action: str = "count",
        lease: Lease | None = None,
        strays: frozenset[Dot] | None = None,
        exactly: frozenset[Dot] | None = None,
    ) -> Dot:
        counts = self._reads.views.reading(namespace, key) is Reading.COUNTER
        for _ in range(UPDATE_TRIES):
            found = [one.sibling for one in self._records.opened(namespace, key)]
            parts = [one for one in found if one.kind == RowKind.COUNTER]
            now_ms = self.store.clock.now_ms()
            if not counts and any(is_visible(one, now_ms) for one in found if one not in parts):
                raise KindMismatch(namespace=namespace, key=key, found="value", wanted="a counter")
            was_here = bool(self._records.endings(namespace, key))
            # The dot's number is minted in the write; the rule only asks whose it is.
            at = _At(Dot(self.store.own_replica(), 0), pack(now_ms, 0), now_ms, was_here)
            part, kept = change(parts, at)
            gone = frozenset(one.dot for one in parts if one not in kept) | (strays or frozenset())
            put = Put(namespace, key, canonical.decode(part.text), labels, ttl_ms, ctx=gone)
            expected = frozenset(one.dot for one in found)
            alive = {one.dot for one in found if one in parts or is_visible(one, now_ms)}
            if exactly is not None and exactly != alive:
                said = {"expected": f"{len(exactly)} values", "found": "others"}
                raise ConditionFailed(namespace=namespace, key=key, **said)
            try:
                return self._write(
                    [put], kind=RowKind.COUNTER, expected=expected, action=action, op_id=op_id,
                    lease=lease, settles=strays is not None,
                )[0]  # fmt: skip
            except ConditionFailed as error:
                lost = error
        raise lost

    def _total(self, namespace: str, key: str) -> int:
        return counter_value(of_kind(self._records.seen(namespace, key), RowKind.COUNTER))


def _keep(parts: Siblings, at: _At) -> tally.Written:
    return tally.increment(
        parts, 0, dot=at.dot, hlc=at.hlc, exp_ms=None, now_ms=at.now_ms, was_here=at.was_here
    )


class _At(NamedTuple):
    """When and by whom a counter is changed."""

    dot: Dot
    hlc: int
    now_ms: int
    was_here: bool


def element_field(element: Any) -> str:
    """The field under which a set keeps an element: the hash of its canonical JSON."""
    return sha256(canonical.encode(element, "element")).hexdigest()
