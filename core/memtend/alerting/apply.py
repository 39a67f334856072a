"""Carrying alerts out on a store: what a look says is written down first, then people are told.

1. decided   in one write transaction, on what stands then: two checks at once open one alert
2. begun     for each channel, what is due is marked as being told, so that nobody else tells it
3. told      outside any transaction, for a mail server may take its time
4. marked    what was told, or that it was not

A crash after 1 or 2 tells it next time (after 2 when the mark has grown old), a crash after 3 tells
it twice. On a full disk the ballast makes room: that is when somebody must be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from memtend.alerting import telling
from memtend.alerting.finding import Look
from memtend.alerting.report import Delivery
from memtend.alerting.states import Decided, decide, resolved
from memtend.alerting.telling import Notice, Teller
from memtend.errors import MemtendError
from memtend.limits_upkeep import ALERT_FLAP_MS, ALERT_TELL_LATE_MS
from memtend.model.alert import Alert, AlertLevel, Kept
from memtend.store import alerts as kept_alerts

if TYPE_CHECKING:
    from memtend.model.alertpolicy import AlertPolicy
    from memtend.store.engine import Transaction
    from memtend.store.store import Store

_BROKEN: Final = (
    MemtendError, OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError,
)  # fmt: skip
Looking = Callable[[Mapping[tuple[str, str], AlertLevel]], Look]


def write_down(store: Store, looking: Looking, policy: AlertPolicy) -> Decided:
    """Step 1. `looking` is given the levels that stand; it runs under the lock, and is quick."""

    def work() -> Decided:
        with kept_alerts.alone(store) as tx:
            now_ms = store.clock.now_ms()
            known = kept_alerts.alerts_in(tx, now_ms - ALERT_FLAP_MS)
            held = {one.subject: one.level for one in known if one.stands}
            decided = decide(known, looking(held), now_ms, store.clock.new_id)
            kept_alerts.save_alerts(tx, decided.changed)
            kept_alerts.drop_old(tx, now_ms, policy.keep_ms)
            return decided

    return store.ballast.deleting(work)


def end(store: Store, rule: str, scope: str) -> bool:
    """What happened is over; whether an alert of it stood."""

    def work() -> bool:
        with kept_alerts.alone(store) as tx:
            now_ms = store.clock.now_ms()
            known = kept_alerts.alerts_in(tx, now_ms)
            standing = [one for one in known if one.stands and one.subject == (rule, scope)]
            kept_alerts.save_alerts(tx, (resolved(one, now_ms) for one in standing))
            return bool(standing)

    return store.ballast.deleting(work)


def tell(
    store: Store, label: str, tellers: Sequence[Teller], policy: AlertPolicy
) -> tuple[list[Delivery], list[Delivery]]:
    """Steps 2 to 4, for one channel after the other: who was told, and who was not."""
    reached: list[Delivery] = []
    missed: list[Delivery] = []
    for teller in tellers:
        if not _anything_due(store, teller.channel, policy):
            continue
        notices = store.ballast.deleting(partial(_begin, store, teller.channel, policy))
        if not notices:
            continue
        why = _told(teller, label, notices)
        store.ballast.deleting(partial(_end, store, teller.channel, notices, why))
        outcome = Delivery(channel=teller.name, alerts=len(notices), why=why or "")
        (reached if why is None else missed).append(outcome)
    return reached, missed


def _told(teller: Teller, label: str, notices: Sequence[Notice]) -> str | None:
    """One that breaks is no reason not to tell the others. Its words may hold a secret."""
    try:
        return teller.tell(label, notices)
    except _BROKEN as error:
        return f"it broke: {type(error).__name__}"


def _anything_due(store: Store, channel: str, policy: AlertPolicy) -> bool:
    now_ms = store.clock.now_ms()
    known = kept_alerts.alerts(store, now_ms - ALERT_TELL_LATE_MS)
    silences = kept_alerts.silences(store, now_ms)
    return any(
        telling.due(one, channel, policy, telling.silenced(one, silences), now_ms) for one in known
    )


def _begin(store: Store, channel: str, policy: AlertPolicy) -> list[Notice]:
    with kept_alerts.alone(store) as tx:
        now_ms = store.clock.now_ms()
        silences = kept_alerts.silences_in(tx, now_ms)
        notices, marked = [], []
        for one in kept_alerts.alerts_in(tx, now_ms - ALERT_TELL_LATE_MS):
            quiet = telling.silenced(one, silences)
            why = telling.due(one, channel, policy, quiet, now_ms)
            if why is not None:
                notices.append(Notice(Alert.of(one), why))
                marked.append(telling.begun(one, channel, now_ms))
        kept_alerts.save_alerts(tx, marked)
        return notices


def _end(store: Store, channel: str, notices: Iterable[Notice], failure: str | None) -> None:
    with kept_alerts.alone(store) as tx:
        now_ms = store.clock.now_ms()
        said = {notice.alert.id: notice for notice in notices}
        marked = [
            telling.told(one, channel, said[one.id], now_ms)
            if failure is None
            else telling.failed(one, channel)
            for one in _of(tx, said, now_ms)
        ]
        kept_alerts.save_alerts(tx, marked)


def _of(tx: Transaction, ids: Mapping[str, Notice], now_ms: int) -> list[Kept]:
    """As they are now: somebody may have acknowledged one while it was told."""
    known = kept_alerts.alerts_in(tx, now_ms - 2 * ALERT_TELL_LATE_MS)
    return [one for one in known if one.id in ids]
