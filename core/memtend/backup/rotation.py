"""Grandfather-father-son rotation: which backups to keep, and why. Pure.

Counts keep the newest backup of each of the last N days, weeks, months and years (UTC, ISO weeks):

    >>> from datetime import UTC, datetime, timedelta
    >>> end = datetime(2026, 1, 31, 18, tzinfo=UTC)
    >>> taken = [end - timedelta(days=n) for n in range(60)]
    >>> for at, reasons in keep_reasons(taken, Gfs(daily=2, monthly=2)).items():
    ...     print(f"{at:%b %d}", *reasons, sep=" | ")
    Jan 31 | newest | daily 1 | monthly 1
    Jan 30 | daily 2
    Dec 31 | monthly 2

Periods are counted by the backups that exist, not by the calendar, and age is counted from the
newest backup or from now, whichever is earlier: when backups stop for a month, rotation does not
eat the old ones, and one wrong clock alone, here or at the store, makes nothing look old.

1. The newest backup of each store is kept, and every pinned one, whatever its age.
2. Everything younger than `within_ms` is kept.
3. What is older than `max_age_ms` is kept for no count: a maximum age is a maximum. The monthly and
   yearly counts therefore begin to matter when it is raised or taken away.
4. Among the others the counts decide.
5. What a kept backup builds on is kept with it, whatever its age.

Several stores in one repository are judged each by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from memtend.durations import show_duration
from memtend.model.retention import Gfs, Retention

_PERIODS: Final[dict[str, Callable[[datetime], tuple[int, ...]]]] = {
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: tuple(at.isocalendar()[:2]),
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: (at.year,),
}
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Held(NamedTuple):
    """One backup in a repository. `base` names what it builds on, `pins` who wants it kept."""

    name: str
    number: int
    store_id: str
    at_ms: int
    base: str | None = None
    pins: tuple[str, ...] = ()


class Verdict(NamedTuple):
    """`reasons` say why the backup is kept, or, where `keep` is false, why nothing keeps it."""

    held: Held
    keep: bool
    reasons: tuple[str, ...]


def rotate(held: Iterable[Held], retention: Retention, now_ms: int) -> tuple[Verdict, ...]:
    """A verdict on every backup, oldest first."""
    every = sorted(held, key=lambda one: (one.number, one.name))
    by_store: dict[str, list[Held]] = defaultdict(list)
    for one in every:
        by_store[one.store_id].append(one)
    reasons: dict[str, list[str]] = {one.name: [] for one in every}
    too_old: set[str] = set()
    for group in by_store.values():
        too_old |= _judge(group, retention, now_ms, reasons)
    _keep_needed(every, reasons)
    age = show_duration(retention.max_age_ms) if retention.max_age_ms else ""
    return tuple(
        Verdict(one, bool(kept := reasons[one.name]), tuple(kept) or (_why(one, too_old, age),))
        for one in every
    )


def keep_reasons(taken: Iterable[datetime], gfs: Gfs) -> dict[datetime, tuple[str, ...]]:
    """What the counts alone keep of these instants, newest first."""
    instants = sorted(set(taken), reverse=True)
    reasons: dict[datetime, list[str]] = {at: [] for at in instants}
    for at in instants[:1]:
        reasons[at].append("newest")
    for period, key in _PERIODS.items():
        seen: set[tuple[int, ...]] = set()
        for at in instants:
            if len(seen) == getattr(gfs, period):
                break
            if (now := key(at.astimezone(UTC))) not in seen:
                seen.add(now)
                reasons[at].append(f"{period} {len(seen)}")
    return {at: tuple(found) for at, found in reasons.items() if found}


def _judge(
    group: list[Held], retention: Retention, now_ms: int, reasons: dict[str, list[str]]
) -> set[str]:
    """Note the reasons of one store's backups. The names of those beyond the maximum age."""
    newest = group[-1]  # by number: no clock has a say in that
    reference_ms = min(now_ms, newest.at_ms)
    oldest_ms = None if retention.max_age_ms is None else reference_ms - retention.max_age_ms
    fresh = [one for one in group if oldest_ms is None or one.at_ms >= oldest_ms]
    reasons[newest.name].append("newest")
    for one in group:
        reasons[one.name] += (f"pinned as {pin}" for pin in sorted(one.pins))
    for one in fresh:
        if retention.within_ms and one.at_ms > reference_ms - retention.within_ms:
            reasons[one.name].append(f"within {show_duration(retention.within_ms)}")
    # Of backups at one instant the last one stands for it.
    last = {one.at_ms: one.name for one in fresh}
    counted = keep_reasons(map(_instant, last), retention)
    for at_ms, name in last.items():
        found = counted.get(_instant(at_ms), ())
        reasons[name] += (reason for reason in found if reason != "newest")
    return {one.name for one in group} - {one.name for one in fresh}


def _keep_needed(every: list[Held], reasons: Mapping[str, list[str]]) -> None:
    """Descendants come later in number, so that one pass from the newest finds all that is needed.

    A `base` with a greater number than what builds on it is none that this program ever wrote; it
    is kept as well, and so is what it builds on.
    """
    known = {one.name: one for one in every}
    waiting = [one for one in reversed(every) if reasons[one.name]]
    for one in waiting:
        base = known.get(one.base) if one.base else None
        if base is None:
            continue
        if not reasons[base.name]:
            waiting.append(base)
        if not any(reason.startswith("needed") for reason in reasons[base.name]):
            reasons[base.name].append(f"needed by backup {one.number}")


def _why(one: Held, too_old: set[str], age: str) -> str:
    if one.name in too_old:
        return f"older than {age}"
    return "a newer one stands for its day, week, month and year, or too many are newer"


def _instant(at_ms: int) -> datetime:
    return _START + timedelta(milliseconds=at_ms)
