"""The history of figures: one point a series and time, kept and let go.

Nobody backs it up: it says how this store has been doing, and stays with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from memtend.limits import BATCH_MAX, SLICE_ROWS_MAX
from memtend.model.series import read_series
from memtend.store.meta import crc_of
from memtend.store.upkeep import save

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Row
    from memtend.store.store import Store

Point = tuple[int, float]
"""When, in milliseconds, and how much."""
_SCOPES: Final = {"namespace": "ns", "agent": "agent", "session": "session"}


def record(store: Store, at_ms: int, values: Iterable[tuple[str, float]]) -> int:
    """Keep values by their series; how many. What was kept for the same time gives way."""
    rows = [(series, at_ms, float(value)) for series, value in values]
    for start in range(0, len(rows), BATCH_MAX):
        with store.engine.write() as tx:
            save(tx, "metric", rows[start : start + BATCH_MAX])
    return len(rows)


def names(store: Store) -> list[str]:
    """Every series of which there is a point."""
    return [name for (name,) in store.engine.read("metric_series")]


def points(store: Store, name: str, since_ms: int = 0) -> list[Point]:
    """Of one series, oldest first."""
    return list(_sound(name, store.engine.read("metric_of", (name, since_ms))))


def newest(store: Store, name: str) -> Point | None:
    """Up to now: a clock that was ahead may have left later ones."""
    rows = store.engine.read("newest_metric", (name, store.clock.now_ms()))
    return next(_sound(name, rows), None)


def times(store: Store, before_ms: int) -> dict[str, list[int]]:
    """When there are points of each series before a time, oldest first."""
    found: dict[str, list[int]] = {}
    for name, at_ms in store.engine.read("metric_points", (before_ms,)):
        found.setdefault(name, []).append(at_ms)
    return found


def drop(store: Store, places: Iterable[tuple[str, int]]) -> None:
    """Let go of points, so many at a time that nobody waits for long to write."""
    gone = list(places)
    for start in range(0, len(gone), SLICE_ROWS_MAX):
        with store.engine.write() as tx:
            tx.run_many("drop_metric", gone[start : start + SLICE_ROWS_MAX])


def gone(reader: Reader) -> tuple[list[str], list[str]]:
    """Series that name a namespace, agent or session of which nothing is stored any more; and the
    others. An erasure drops the first ones, whoever they name."""
    here = {(scope, name) for scope, name, rows, _ in reader.fetch("tallies") if rows}
    here |= {("ns", path) for _, path, _ in reader.fetch("namespaces")}
    ended: list[str] = []
    others: list[str] = []
    for (series,) in reader.fetch("metric_series"):
        (others if _named(series) <= here else ended).append(series)
    return ended, others


def _named(series: str) -> set[tuple[str, str]]:
    """Scopes and names, as the tallies have them."""
    labels = dict(read_series(series)[1])
    found = {(scope, labels[label]) for label, scope in _SCOPES.items() if label in labels}
    if labels.get("scope") in _SCOPES.values():
        found.add((labels["scope"], labels.get("name", "")))
    return found


def _sound(name: str, rows: list[Row]) -> Iterator[Point]:
    """Damaged points, which `verify` finds, are left out."""
    for at_ms, value, crc in rows:
        if crc_of((name, at_ms, value)) == crc:
            yield at_ms, value
