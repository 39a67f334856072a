"""What a delta says beside what is here, some paths at a time.

A window is one namespace's paths: what is told of them, and the siblings that are stored. For a
delta of changes these are the paths that it names; for a full one all paths that either has, in
one pass over both in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from memtend.limits import DELTA_PAGE_BYTES, MERGE_ROWS
from memtend.model.delta import Carried, Item
from memtend.store.sync_rows import Here

if TYPE_CHECKING:
    from memtend.store.engine import Row, Transaction

Place: TypeAlias = tuple[str, str]
"""Key and field."""
Array: TypeAlias = Callable[[Sequence[Any]], Any]
_NAMESPACE: Final = attrgetter("namespace")


class Window(NamedTuple):
    namespace: str
    told: dict[Place, Item]
    here: dict[Place, list[Here]]


def told_only(
    tx: Transaction, array: Array, numbers: Mapping[str, int], items: Iterable[Item]
) -> Iterator[Window]:
    """The paths that the delta names."""
    for namespace, group in groupby(items, key=_NAMESPACE):
        waiting = _Waiting(group)
        while told := waiting.take(None):
            places = {(item.key, item.field): item for item in told}
            number = numbers.get(namespace)
            here = {} if number is None else _here(tx, array, number, list(places))
            yield Window(namespace, places, here)


def everything(
    tx: Transaction, _array: Array, numbers: Mapping[str, int], items: Iterable[Item]
) -> Iterator[Window]:
    """The paths that the delta names and those that are here."""
    left = sorted(numbers, reverse=True)
    for namespace, group in groupby(items, key=_NAMESPACE):
        while left and left[-1] < namespace:
            name = left.pop()
            yield from _joined(tx, name, numbers[name], iter(()))
        number = numbers.get(namespace)
        if left and left[-1] == namespace:
            left.pop()
        yield from _joined(tx, namespace, number, group)
    for name in reversed(left):
        yield from _joined(tx, name, numbers[name], iter(()))


def _joined(
    tx: Transaction, namespace: str, number: int | None, items: Iterator[Item]
) -> Iterator[Window]:
    waiting = _Waiting(items)
    after: Place = ("", "")
    while True:
        here, upto = ({}, None) if number is None else _page(tx, number, after)
        told = waiting.take(upto)
        if waiting.next is not None and (upto is None or _place(waiting.next) <= upto):
            upto = _place(told[-1])  # as much as fits; what is here beyond it comes again
            here = {place: rows for place, rows in here.items() if place <= upto}
        if told or here:
            yield Window(namespace, {_place(item): item for item in told}, here)
        if upto is None:
            return
        after = upto


class _Waiting:
    """Items, taken as many at a time as a window holds."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self.next: Item | None = next(items, None)

    def take(self, upto: Place | None) -> list[Item]:
        taken: list[Item] = []
        size = 0
        while self.next is not None and (upto is None or _place(self.next) <= upto):
            if taken and (len(taken) >= MERGE_ROWS or size >= DELTA_PAGE_BYTES):
                break
            taken.append(self.next)
            size += sum(len(s.text) for s in self.next.siblings if isinstance(s, Carried))
            self.next = next(self._items, None)
        return taken


def _place(item: Item) -> Place:
    return item.key, item.field


def _page(
    tx: Transaction, number: int, after: Place
) -> tuple[dict[Place, list[Here]], Place | None]:
    """The next paths that are here and the last of them; None once there are no more."""
    rows = tx.fetch("here_after", (number, *after, MERGE_ROWS))
    if len(rows) < MERGE_ROWS:
        return _grouped(rows), None
    here = _grouped(rows)
    last = max(here)
    if len(here) > 1:
        del here[last]  # there may be more of its siblings
        return here, max(here)
    return _grouped(tx.fetch("here_at", (number, *last))), last


def _here(
    tx: Transaction, array: Array, number: int, places: list[Place]
) -> dict[Place, list[Here]]:
    plain = [key for key, field in places if not field]
    rows = tx.fetch("here_plain", (number, array(plain))) if plain else []
    for key, group in groupby([place for place in places if place[1]], key=lambda place: place[0]):
        fields = [field for _, field in group]
        rows += tx.fetch("here_fields", (number, key, array(fields)))
    return _grouped(rows)


def _grouped(rows: list[Row]) -> dict[Place, list[Here]]:
    found: dict[Place, list[Here]] = {}
    for one in map(Here.of, rows):
        found.setdefault((one.old.key, one.old.field), []).append(one)
    return found
