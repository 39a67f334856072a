"""Counters and sets: values that many agents change at once without losing each other's part.

A counter is one running share per replica, summed when read; a set is one row per element, where
an add wins over a concurrent remove (CRDT_SPEC 4.5, 4.6).
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from memtend.codec import canonical
from memtend.codec.envelope import COUNTER, ELEMENT
from memtend.drafting import Put
from memtend.errors import ConditionFailed, InvalidValue, KindMismatch
from memtend.limits import INTEGER_ABS_MAX, UPDATE_TRIES
from memtend.model.dot import Dot
from memtend.session import Session
from memtend.store import writes
from memtend.store.reads import Seen, counter_value, newest

if TYPE_CHECKING:
    from memtend.model.record import Labels

_Share = dict[str, int]


class Counting(Session):
    def increment(
        self,
        namespace: str,
        key: str,
        by: int = 1,
        *,
        op_id: str | None = None,
        labels: Labels | None = None,
    ) -> int:
        """Add `by` (which may be negative) to a counter and return its new value.

        A repeated `op_id` changes nothing. Raises `KindMismatch` where a plain value is stored.
        """
        if abs(by) > INTEGER_ABS_MAX:
            raise InvalidValue(name=key, why=f"{by} is not below 2^53")

        def grow(share: _Share) -> _Share:
            return share | ({"p": share["p"] + by} if by >= 0 else {"n": share["n"] - by})

        return self._count(namespace, key, grow, op_id, labels)

    def set_counter(self, namespace: str, key: str, value: int) -> int:
        """Start a new epoch of a counter at `value`; concurrent increments of the old one end."""

        def restart(share: _Share) -> _Share:
            epoch = max(self.store.clock.now_ms(), share["epoch"] + 1)
            return {"epoch": epoch, "p": max(value, 0), "n": max(-value, 0)}

        return self._count(namespace, key, restart)

    def add(self, namespace: str, key: str, element: Any) -> Dot:
        """Add an element to a set; it wins over a concurrent remove."""
        put = Put(namespace, key, element, field=element_field(element))
        return self._write([put], kind=ELEMENT, action="add")[0]

    def remove(self, namespace: str, key: str, element: Any) -> bool:
        """Take an element out of a set; False where it was not in it."""
        self._allow("write", namespace)
        field = element_field(element)
        return writes.delete(self.store, namespace, key, field, actor=self._actor)

    def members(self, namespace: str, key: str) -> list[Any]:
        """The elements of a set, in the order of their canonical JSON."""
        self._allow("read", namespace)
        seen = [newest(found) for found in self._records.fields(namespace, key).values()]
        return [one.value for one in sorted(seen, key=lambda one: one.text)]

    def _count(
        self,
        namespace: str,
        key: str,
        change: Callable[[_Share], _Share],
        op_id: str | None = None,
        labels: Labels | None = None,
    ) -> int:
        for _ in range(UPDATE_TRIES):
            seen = self._records.seen(namespace, key)
            if any(one.body.type != COUNTER for one in seen):
                raise KindMismatch(namespace=namespace, key=key, found="value", wanted="a counter")
            share = change(self._own_share(namespace, key, seen))
            put = Put(namespace, key, share, labels)
            expected = frozenset(one.body.dot for one in seen)
            try:
                self._write([put], kind=COUNTER, expected=expected, action="count", op_id=op_id)
            except ConditionFailed as error:
                lost = error
                continue
            return counter_value(self._records.seen(namespace, key))
        raise lost

    def _own_share(self, namespace: str, key: str, seen: list[Seen]) -> _Share:
        epoch = max((one.value["epoch"] for one in seen), default=None)
        if epoch is None:
            ns = self.store.namespaces.find(namespace)
            known = ns and self.store.engine.read("old", (ns[0], key, ""))
            ended = ns and self.store.engine.read("log_of", (ns[0], key))
            # It expired, swept or not: a new epoch, so that sweeping never changes a result (4.5).
            epoch = self.store.clock.now_ms() if known or ended else 0
        own = self.store.own_replica()
        shares = [one.value for one in seen if one.body.replica == own]
        mine = [share for share in shares if share["epoch"] == epoch]
        return dict(mine[0]) if mine else {"epoch": epoch, "p": 0, "n": 0}


def element_field(element: Any) -> str:
    """The field under which a set keeps an element: the hash of its canonical JSON."""
    return sha256(canonical.encode(element, "element")).hexdigest()
