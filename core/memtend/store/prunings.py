"""The history of prunings: one row a plan, written in the transactions that delete.

So after a crash it says exactly what went. `facts` names namespaces and rules, never a record:
`wrote` are the change numbers under which merged records were written, and `parted` those under
which they got their own labels back: by both, undo tells whether they have changed since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from memtend.store.upkeep import save, sound

if TYPE_CHECKING:
    from memtend.store.engine import Row, Transaction
    from memtend.store.store import Store

DAY_MS = 24 * 3_600_000
Spans = tuple[tuple[int, int], ...]
"""Change numbers, from the first to the last of each."""


class Pruning(NamedTuple):
    """One row, its facts opened. `runs` are the archive's that hold what was deleted, `cold` those
    that hold what was only archived."""

    plan: str
    at_ms: int
    records: int = 0
    size: int = 0
    undone_ms: int | None = None
    profile: str = ""
    approved: bool = False
    runs: tuple[int, ...] = ()
    cold: tuple[int, ...] = ()
    merged: int = 0
    archived: int = 0
    rules: Mapping[str, int] = {}
    namespaces: Mapping[str, int] = {}
    wrote: Spans = ()
    parted: Spans = ()

    @property
    def run(self) -> int:
        """The newest run of the archive that belongs to it; 0 for none."""
        return max((*self.runs, *self.cold), default=0)

    def grown(
        self, at_ms: int, run: int, size: int, gone: Iterable[tuple[str, str]], **more: Any
    ) -> Pruning:
        """With records more: the rule and the namespace of each."""
        places = list(gone)
        return self._replace(
            at_ms=at_ms,
            records=self.records + len(places),
            size=self.size + size,
            runs=tuple(sorted({*self.runs, run})),
            rules=dict(Counter(self.rules) + Counter(rule for rule, _ in places)),
            namespaces=dict(Counter(self.namespaces) + Counter(ns for _, ns in places)),
            **more,
        )

    def has_written(self, seq: int) -> bool:
        """Whether a row is as it was when it took others over."""
        return _within(seq, self.wrote)

    def is_older(self, seq: int) -> bool:
        """Whether a row was there before any took others over: a restore has brought it back."""
        return not self.wrote or seq < self.wrote[0][0]

    def has_parted(self, seq: int) -> bool:
        """Whether a row is as it was when it got its own labels back."""
        return _within(seq, self.parted)


_FACTS = Pruning._fields[5:]


def spanned(spans: Spans, first: int, last: int) -> Spans:
    """With the change numbers from `first` to `last`."""
    found = list(spans)
    if found and found[-1][1] + 1 == first:
        first = found.pop()[0]
    return (*found, (first, last))


def _within(seq: int, spans: Spans) -> bool:
    return any(first <= seq <= last for first, last in spans)


def of_plan(store: Store, plan: str) -> Pruning | None:
    """What is known of a plan; None where it was never applied."""
    return next(iter(opened(store.engine.read("pruning", (plan,)))), None)


def history(store: Store, limit: int) -> list[Pruning]:
    """Newest first."""
    return opened(store.engine.read("prunings", (limit,)))


def opened(rows: Iterable[Row]) -> list[Pruning]:
    """Sound rows; damaged ones are left out, and `verify` finds them."""
    found = []
    for plan, at_ms, records, size, _, undone_ms, facts in sound(rows):
        more = orjson.loads(facts)
        for name in ("wrote", "parted"):
            more[name] = tuple((first, last) for first, last in more.get(name, ()))
        for name in ("runs", "cold"):
            more[name] = tuple(more.get(name, ()))
        found.append(Pruning(plan, at_ms, records, size, undone_ms, **more))
    return found


def keep(tx: Transaction, one: Pruning) -> None:
    """Write it down, within the transaction of which it tells."""
    facts = {name: getattr(one, name) for name in _FACTS}
    text = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()
    save(tx, "pruning", [(*one[:4], one.run, one.undone_ms, text)])


def today(store: Store) -> Counter[str]:
    """How many records were pruned from each namespace within a day, and not brought back."""
    since = store.clock.now_ms() - DAY_MS
    counts: Counter[str] = Counter()
    for one in opened(store.engine.read("prunings_since", (since,))):
        if one.undone_ms is None:
            counts.update(one.namespaces)
    return counts


def forget_namespaces(tx: Transaction, erased: Iterable[str]) -> None:
    """Take the names of erased namespaces out of history, and what was regretted there."""
    names = set(erased)
    for name in names:
        tx.run("drop_ghosts_of", (name,))
        tx.run("drop_regrets_of", (name,))
    for one in opened(tx.fetch("stream_pruning")):
        left = {name: n for name, n in one.namespaces.items() if name not in names}
        if len(left) < len(one.namespaces):
            keep(tx, one._replace(namespaces=left))
