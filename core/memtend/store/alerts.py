"""Alerts and silences at rest.

Their facts are JSON, so that a field more needs no new schema. A row that does not match its
checksum is left out here, and found by `verify`: damage to an alert is no reason to stop looking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from memtend.clock import to_datetime, to_ms
from memtend.limits_upkeep import ALERTS_KEPT_MAX
from memtend.model.alert import AlertLevel, AlertState, Kept, Silence, Told
from memtend.store import upkeep

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Row, Transaction
    from memtend.store.store import Store

_PLAIN = ("fact", "hint", "value", "seen", "calm_ms", "wide", "lapses_ms", "by_hand", "by", "note")
_ABSENT: dict[str, Any] = {"fact": "", "hint": "", "value": None, "seen": 1}


@contextmanager
def alone(store: Store) -> Iterator[Transaction]:
    """A write transaction that decides by what it reads: on a server, too, one after the other."""
    with store.engine.write() as tx:
        tx.fetch("meta_locked")
        yield tx


def alerts_in(reader: Reader, ended_since_ms: int) -> list[Kept]:
    """What stands, and what ended since."""
    return [_kept(row) for row in upkeep.sound(reader.fetch("alerts_since", (ended_since_ms,)))]


def alerts(store: Store, ended_since_ms: int) -> list[Kept]:
    return [
        _kept(row) for row in upkeep.sound(store.engine.read("alerts_since", (ended_since_ms,)))
    ]


def ended(store: Store, limit: int) -> list[Kept]:
    """What has ended, the newest first."""
    return [_kept(row) for row in upkeep.sound(store.engine.read("alerts_ended", (limit,)))]


def save_alerts(tx: Transaction, changed: Iterable[Kept]) -> None:
    upkeep.save(tx, "alert", map(_row, changed))


def drop_old(tx: Transaction, now_ms: int, keep_ms: int) -> None:
    """Let go of what ended long ago, and of silences that are over."""
    tx.run("forget_alerts", (now_ms - keep_ms,))
    for (ended_ms,) in tx.fetch("alerts_beyond", (ALERTS_KEPT_MAX,)):
        tx.run("forget_alerts", (ended_ms + 1,))
    tx.run("forget_silences", (now_ms,))


def silences_in(reader: Reader, now_ms: int) -> list[Silence]:
    """Those that still hold."""
    rows = upkeep.sound(reader.fetch("stream_silence"))
    return [found for found in map(_silence, rows) if to_ms(found.until) > now_ms]


def silences(store: Store, now_ms: int) -> list[Silence]:
    rows = upkeep.sound(store.engine.read("stream_silence"))
    return [found for found in map(_silence, rows) if to_ms(found.until) > now_ms]


def save_silence(tx: Transaction, silence: Silence) -> None:
    facts = orjson.dumps({"by": silence.by, "why": silence.why}).decode()
    row = (silence.id, silence.pattern, to_ms(silence.until), facts)
    upkeep.save(tx, "silence", [row])


def _row(one: Kept) -> Row:
    facts: dict[str, Any] = {name: getattr(one, name) for name in _PLAIN}
    facts["openings"] = list(one.openings)
    facts["told"] = {channel: list(mark) for channel, mark in one.told.items()}
    return (
        one.id, one.rule, one.scope, one.level.value, one.state.value,
        orjson.dumps(facts).decode(), one.first_ms, one.last_ms, one.ended_ms,
    )  # fmt: skip


def _kept(row: Row) -> Kept:
    alert_id, rule, scope, level, state, text, first_ms, last_ms, ended_ms = row
    facts: dict[str, Any] = orjson.loads(text)
    plain = _ABSENT | {name: facts[name] for name in _PLAIN if name in facts}
    marks = {channel: _told(mark) for channel, mark in facts.get("told", {}).items()}
    return Kept(
        id=alert_id, rule=rule, scope=scope, level=AlertLevel(level), state=AlertState(state),
        first_ms=first_ms, last_ms=last_ms, ended_ms=ended_ms,
        openings=tuple(facts.get("openings") or (first_ms,)), told=marks, **plain,
    )  # fmt: skip


def _told(mark: list[Any]) -> Told:
    at_ms, level, *rest = mark
    return Told(at_ms, AlertLevel(level), *rest)


def _silence(row: Row) -> Silence:
    silence_id, pattern, until_ms, text = row
    facts: dict[str, Any] = orjson.loads(text)
    return Silence(
        id=silence_id,
        pattern=pattern,
        until=to_datetime(until_ms),
        by=facts.get("by", ""),
        why=facts.get("why", ""),
    )
