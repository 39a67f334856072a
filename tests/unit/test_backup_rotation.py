"""Which backups rotation keeps: tables of instant and reasons, and laws about all histories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.backup.rotation import Held, Verdict, rotate
from memtend.model.retention import Retention

DAY_MS = 86_400_000
NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)  # a Wednesday
NONE = Retention(within_ms=0, daily=0, weekly=0, monthly=0, yearly=0, max_age_ms=None)


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1_000)


def fulls(*instants: str) -> list[Held]:
    """Backups at `06-17 12:00` of 2026, or at `2025-06-17 12:00`; in order of number."""
    texts = [one if one[4] == "-" else f"2026-{one}" for one in instants]
    times = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts]
    return [Held(f"b{n}", n, "s", ms(at)) for n, at in enumerate(times, 1)]


def table(held: list[Held], retention: Retention, now: datetime = NOW) -> dict[str, str]:
    """Kept instants and their reasons."""
    return {
        f"{datetime.fromtimestamp(v.held.at_ms / 1_000, UTC):%y-%m-%d %H:%M}": " | ".join(v.reasons)
        for v in rotate(held, retention, ms(now))
        if v.keep
    }


def test_the_newest_of_each_day_is_kept() -> None:
    taken = fulls("06-14 01:00", "06-15 01:00", "06-15 23:00", "06-16 01:00", "06-16 23:00")
    assert table(taken, NONE.model_copy(update={"daily": 2})) == {
        "26-06-15 23:00": "daily 2",
        "26-06-16 23:00": "newest | daily 1",
    }


def test_days_are_counted_by_the_backups_that_exist() -> None:
    """Backups stopped for three months; the seven days before are all still there."""
    taken = fulls("03-01 01:00", "03-02 01:00", "03-03 01:00", "06-17 11:00")
    assert table(taken, NONE.model_copy(update={"daily": 4})) == {
        "26-03-01 01:00": "daily 4",
        "26-03-02 01:00": "daily 3",
        "26-03-03 01:00": "daily 2",
        "26-06-17 11:00": "newest | daily 1",
    }


def test_weeks_begin_on_monday_and_years_of_weeks_are_their_own() -> None:
    """29 December 2025 is a Monday of week 1 of 2026."""
    taken = fulls("2025-12-28 10:00", "2025-12-29 10:00", "2026-01-04 10:00", "2026-01-05 10:00")
    assert table(taken, NONE.model_copy(update={"weekly": 9})) == {
        "25-12-28 10:00": "weekly 3",
        "26-01-04 10:00": "weekly 2",
        "26-01-05 10:00": "newest | weekly 1",
    }


def test_months_and_years() -> None:
    taken = fulls("2024-02-01 10:00", "2025-03-01 10:00", "2025-03-31 23:59", "2026-04-01 00:00")
    assert table(taken, NONE.model_copy(update={"monthly": 2, "yearly": 3})) == {
        "24-02-01 10:00": "yearly 3",
        "25-03-31 23:59": "monthly 2 | yearly 2",
        "26-04-01 00:00": "newest | monthly 1 | yearly 1",
    }


def test_the_defaults() -> None:
    """Hourly for a day, daily for forty: all of the last day, 7 days, weeks up to 30 days old."""
    start = datetime(2026, 5, 8, 12, tzinfo=UTC)
    instants = [start + timedelta(days=n) for n in range(40)]
    instants += [NOW - timedelta(hours=n) for n in range(23, -1, -1)]
    taken = [Held(f"b{n}", n, "s", ms(at)) for n, at in enumerate(instants, 1)]
    found = table(taken, Retention())
    whole = "newest | within 1d | daily 1 | weekly 1 | monthly 1 | yearly 1"
    assert found.pop("26-06-17 12:00") == whole
    assert found.pop("26-06-16 23:00") == "within 1d | daily 2"
    recent = {name for name, why in found.items() if why == "within 1d"}
    assert len(recent) == 22
    assert {name: why for name, why in found.items() if name not in recent} == {
        "26-05-31 12:00": "weekly 4 | monthly 2",
        "26-06-07 12:00": "weekly 3",
        "26-06-11 12:00": "daily 7",
        "26-06-12 12:00": "daily 6",
        "26-06-13 12:00": "daily 5",
        "26-06-14 12:00": "daily 4 | weekly 2",
        "26-06-15 12:00": "daily 3",
    }


@pytest.mark.parametrize(("age_days", "kept"), [(30, 2), (29, 1), (None, 2)])
def test_nothing_older_than_the_maximum_age_is_kept_for_a_count(
    age_days: int | None, kept: int
) -> None:
    """The age itself is still young enough."""
    taken = fulls("05-18 12:00", "06-17 12:00")
    age_ms = None if age_days is None else age_days * DAY_MS
    policy = Retention(max_age_ms=age_ms)
    assert len(table(taken, policy)) == kept
    dropped = [v for v in rotate(taken, policy, ms(NOW)) if not v.keep]
    assert [v.reasons for v in dropped] == [("older than 29d",)] * (2 - kept)


def test_when_backups_stop_rotation_does_not_eat_the_old_ones() -> None:
    taken = fulls("06-15 12:00", "06-16 12:00", "06-17 12:00")
    assert len(table(taken, Retention(), NOW + timedelta(days=3_650))) == 3


def test_a_backup_from_the_future_makes_nothing_old() -> None:
    """The store's clock was a century ahead for one backup."""
    taken = fulls("06-15 12:00", "06-16 12:00", "2126-06-17 12:00")
    assert len(table(taken, Retention())) == 3


def test_pins_are_kept_and_so_is_what_they_build_on() -> None:
    base, middle, pinned, other, newest = fulls(
        "01-01 12:00", "01-02 12:00", "01-03 12:00", "01-04 12:00", "06-17 12:00"
    )
    held = [
        base,
        middle._replace(base="b1"),
        pinned._replace(base="b2", pins=("before-migration", "audit")),
        other._replace(base="b3"),
        newest,
    ]
    assert table(held, NONE) == {
        "26-01-01 12:00": "needed by backup 2",
        "26-01-02 12:00": "needed by backup 3",
        "26-01-03 12:00": "pinned as audit | pinned as before-migration",
        "26-06-17 12:00": "newest",
    }


def test_several_stores_are_judged_each_by_itself() -> None:
    held = fulls("01-01 12:00", "02-01 12:00", "06-16 12:00", "06-17 12:00")
    held = [one._replace(store_id="old") if n < 2 else one for n, one in enumerate(held)]
    assert set(table(held, NONE)) == {"26-02-01 12:00", "26-06-17 12:00"}


def test_the_newest_is_the_one_with_the_greatest_number() -> None:
    """Whatever the clocks said."""
    held = fulls("06-17 12:00", "06-16 12:00")
    assert table(held, NONE) == {"26-06-16 12:00": "newest"}


histories = st.lists(
    st.tuples(
        st.integers(0, 900 * DAY_MS // 3_600_000),  # hours
        st.sampled_from(["s", "t"]),
        st.integers(0, 3),  # builds on the one so far before it in its store
        st.booleans(),
    ),
    max_size=60,
)
policies = st.builds(
    Retention,
    within_ms=st.sampled_from([0, DAY_MS]),
    daily=st.integers(0, 9),
    weekly=st.integers(0, 5),
    monthly=st.integers(0, 5),
    yearly=st.integers(0, 3),
    max_age_ms=st.sampled_from([None, DAY_MS, 30 * DAY_MS, 400 * DAY_MS]),
)


def history(steps: list[tuple[int, str, int, bool]]) -> list[Held]:
    held: list[Held] = []
    for number, (hours, store, back, pinned) in enumerate(sorted(steps), 1):
        own = [one.name for one in held if one.store_id == store]
        base = own[-back] if 0 < back <= len(own) else None
        pins = ("p",) if pinned and number % 7 == 0 else ()
        at_ms = ms(NOW) - 900 * DAY_MS + hours * 3_600_000
        held.append(Held(f"b{number}", number, store, at_ms, base, pins))
    return held


def kept(verdicts: tuple[Verdict, ...]) -> list[Held]:
    return [one.held for one in verdicts if one.keep]


@given(histories, policies, st.integers(-400, 400))
@settings(deadline=None, max_examples=300)
def test_laws(steps: list[tuple[int, str, int, bool]], policy: Retention, days: int) -> None:
    """Whatever is kept can be restored, the newest and the pinned are, and again changes nothing.

    Every backup has a verdict with a reason. A later clock or a shorter maximum age keeps no more.
    """
    held = history(steps)
    now_ms = ms(NOW) + days * DAY_MS
    verdicts = rotate(held, policy, now_ms)
    assert [one.held for one in verdicts] == held
    assert all(one.reasons for one in verdicts)
    left = kept(verdicts)
    names = {one.name for one in left}
    assert all(one.base in names for one in left if one.base)
    assert all(one in left for one in held if one.pins)
    for store in {one.store_id for one in held}:
        assert [one for one in held if one.store_id == store][-1] in left
    assert kept(rotate(left, policy, now_ms)) == left
    assert kept(rotate(reversed(held), policy, now_ms)) == left
    assert set(kept(rotate(held, policy, now_ms + 50 * DAY_MS))) <= set(left) or (
        policy.within_ms and days < 0
    )
    tighter = policy.model_copy(update={"max_age_ms": DAY_MS})
    assert set(kept(rotate(held, tighter, now_ms))) <= set(left)
