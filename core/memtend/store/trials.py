"""Trials of times to live: what is tried on which namespace, since when, how it ended.

What a trial is about is in its `facts`, JSON that whoever tries gives its meaning. A row that does
not match its checksum is left out here, and found by `verify`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from memtend.limits_learning import TRIALS_LISTED_MAX
from memtend.store.upkeep import save as save_rows
from memtend.store.upkeep import sound

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Row, Transaction
    from memtend.store.store import Store


class Trial(NamedTuple):
    """One row, its facts opened. It runs as long as `ended_ms` is None."""

    id: str
    namespace: str
    state: str
    facts: Mapping[str, Any]
    began_ms: int
    ended_ms: int | None = None


def save(tx: Transaction, trial: Trial) -> None:
    """Enter a trial, or say how it stands, within the transaction of which it tells."""
    facts = orjson.dumps(dict(trial.facts), option=orjson.OPT_SORT_KEYS).decode()
    save_rows(tx, "trial", [trial._replace(facts=facts)])  # type: ignore[arg-type]


def listed(store: Store) -> list[Trial]:
    """Newest first. Of very many those that run are all here, however old."""
    return _newest_first(store.engine.read("trials", (TRIALS_LISTED_MAX,)))


def listed_in(tx: Reader) -> list[Trial]:
    """The same within a transaction that changes them."""
    return _newest_first(tx.fetch("trials", (TRIALS_LISTED_MAX,)))


def running(store: Store) -> list[Trial]:
    """Those that have not ended, oldest first."""
    return _opened(store.engine.read("trials_running"))


def _newest_first(rows: Iterable[Row]) -> list[Trial]:
    return sorted(_opened(rows), key=lambda one: (-one.began_ms, one.id))


def _opened(rows: Iterable[Row]) -> list[Trial]:
    return [
        Trial(trial_id, namespace, state, orjson.loads(facts), began_ms, ended_ms)
        for trial_id, namespace, state, facts, began_ms, ended_ms in sound(rows)
    ]
