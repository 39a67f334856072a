"""Shards: a store cut into stretches of namespaces, for several processes to look at.

A shard is a stretch of the order of names, not a list of them: it is two names long however many
namespaces lie in it, and one that is made meanwhile lies in exactly one shard. Several processes
that are given the shards of one call look at everything once, and at nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple


class Shard(NamedTuple):
    """The namespaces from `first` up to, and without, `until`; None: to the end.

    `rows` is what the totals said when the store was cut, to tell large from small. The whole
    store is a shard, too.
    """

    first: str = ""
    until: str | None = None
    rows: int = 0

    def holds(self, namespace: str) -> bool:
        return self.first <= namespace and (self.until is None or namespace < self.until)

    @property
    def is_whole(self) -> bool:
        return not self.first and self.until is None


WHOLE: Final = Shard()


def shards_of(counts: Mapping[str, int], shards_max: int) -> tuple[Shard, ...]:
    """Cut a store with `counts` rows in each namespace into at most `shards_max` stretches, so
    that the largest one is as small as can be. A namespace is never cut in two.

    >>> shards_of({"a": 5, "b": 3, "c": 4, "d": 1}, 2)
    (Shard(first='', until='c', rows=8), Shard(first='c', until=None, rows=5))
    """
    names = sorted(counts)
    low = max(counts.values(), default=0)
    high = sum(counts.values())
    while low < high:
        middle = (low + high) // 2
        fits = sum(1 for _ in _stretches(names, counts, middle)) <= max(shards_max, 1)
        low, high = (low, middle) if fits else (middle + 1, high)
    stretches = list(_stretches(names, counts, low))
    ends = [*(first for first, _ in stretches[1:]), None]
    firsts = ["", *(first for first, _ in stretches[1:])]
    sizes = [rows for _, rows in stretches] or [0]
    return tuple(map(Shard, firsts, ends, sizes))


def _stretches(
    names: list[str], counts: Mapping[str, int], rows_max: int
) -> Iterator[tuple[str, int]]:
    """Where each begins and what is in it, when none may hold more than `rows_max` rows."""
    first, rows = None, 0
    for name in names:
        if first is None or rows + counts[name] > rows_max:
            if first is not None:
                yield first, rows
            first, rows = name, 0
        rows += counts[name]
    if first is not None:
        yield first, rows
