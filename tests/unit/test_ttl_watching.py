"""What is regretted, and what follows from it: shares over keys, canaries, alarms."""

from __future__ import annotations

import random

import pytest

from memtend.learn.tuning.shares import Count, difference, share
from memtend.learn.tuning.watching import (
    KEYS_MIN,
    READS_MIN,
    Access,
    Arm,
    Terms,
    Verdict,
    arm,
    judge,
    watch,
)

HOUR_MS = 3_600_000
TERMS = Terms(
    began_ms=0, until_ms=100 * HOUR_MS, ttl_ms=HOUR_MS, old_ms=10 * HOUR_MS, slides=False,
    regret_max=0.05, byte_ms_a_miss=100.0 * HOUR_MS,
)  # fmt: skip


def write(at_ms: int, digest: int = 1) -> Access:
    return Access(digest, at_ms, 10, missed=False, wrote=True)


def read(at_ms: int, digest: int = 1, *, missed: bool = False) -> Access:
    return Access(digest, at_ms, 10, missed=missed, wrote=False)


def side(late: int, reads: int, keys: int = 40, cost: float = 1.0) -> Arm:
    """So many late reads of so many in all, spread over the keys."""
    counts = [late // keys + (n < late % keys) for n in range(keys)]
    return Arm(
        [Count(part, reads / keys) for part in counts],
        [Count(cost + n % 3 / 100, 1) for n in range(keys)],
        [Count(1.0, 1)] * keys,
    )


@pytest.mark.parametrize(
    ("at_ms", "slides", "regret"),
    [
        (HOUR_MS - 1, False, 0),  # missing before its time: somebody has deleted it
        (HOUR_MS, False, 1),
        (HOUR_MS, True, 0),  # reading has renewed it half way
        (HOUR_MS + HOUR_MS // 2, True, 1),
    ],
)
def test_regret_is_a_miss_after_its_time(at_ms: int, *, slides: bool, regret: int) -> None:
    log = [write(0), read(HOUR_MS // 2), read(at_ms, missed=True)]
    found = arm(log, TERMS._replace(slides=slides), HOUR_MS, 5 * HOUR_MS)
    assert found.regret == [Count(regret, 2)]


def test_keys_count_from_their_first_deadline_in_the_trial() -> None:
    terms = TERMS._replace(began_ms=HOUR_MS)
    before = [write(0), read(2 * HOUR_MS, missed=True)]
    assert arm(before, terms, HOUR_MS, 5 * HOUR_MS) == Arm([], [], [])
    again = [*before, write(2 * HOUR_MS), read(3 * HOUR_MS, missed=True)]
    assert arm(again, terms, HOUR_MS, 5 * HOUR_MS).regret == [Count(1, 1)]


def test_where_reading_renews_a_deadline_from_before_hides_no_regret() -> None:
    """A read in its old time finds the record, and would not have by the time that is tried."""
    log = [read(0), read(3 * HOUR_MS)]
    assert arm(log, TERMS, HOUR_MS, 5 * HOUR_MS) == Arm([], [], [])  # reading renews nothing
    sliding = TERMS._replace(slides=True)
    assert arm(log, sliding, HOUR_MS, 5 * HOUR_MS).regret == [Count(1, 1)]
    assert arm(log, sliding, 10 * HOUR_MS, 5 * HOUR_MS).regret == [Count(0, 1)]


def test_bytes_are_kept_until_the_next_write_or_the_end_of_their_time() -> None:
    log = [write(0), write(HOUR_MS // 2), read(3 * HOUR_MS, missed=True)]
    found = arm(log, TERMS, HOUR_MS, 9 * HOUR_MS)
    assert found.bytes == [Count(10 * 1.5 * HOUR_MS, 3)]
    assert found.cost == [Count(15 / 100 + 1, 3)]
    assert arm(log, TERMS, None, 9 * HOUR_MS).bytes == [Count(10 * 9 * HOUR_MS, 3)]


def test_a_canary_goes_on_until_its_time_is_over() -> None:
    better, now = side(0, 400, cost=0.5), side(0, 400, cost=1.0)
    early = judge(better, now, TERMS, TERMS.until_ms - 1, 2 * TERMS.until_ms)
    assert (early.verdict, early.why) == (Verdict.WAIT, "its time is not over")
    assert judge(better, now, TERMS, TERMS.until_ms, 2 * TERMS.until_ms).verdict is Verdict.PROMOTE


def test_a_canary_that_costs_more_or_shows_nothing_is_taken_back() -> None:
    now_ms, longest_ms = TERMS.until_ms, 2 * TERMS.until_ms
    worse, same = side(0, 400, cost=1.5), side(0, 400)
    assert judge(worse, same, TERMS, now_ms, longest_ms).verdict is Verdict.ROLL_BACK
    few = side(0, 40, keys=KEYS_MIN - 1, cost=0.1)
    assert judge(few, same, TERMS, now_ms, longest_ms).verdict is Verdict.WAIT
    assert judge(few, same, TERMS, longest_ms - 1, longest_ms).verdict is Verdict.WAIT
    assert judge(few, same, TERMS, longest_ms, longest_ms).verdict is Verdict.ROLL_BACK


def test_what_is_cheaper_and_regretted_is_not_promoted() -> None:
    """Not for certain, so that it is no alarm; nor for all keys before it is known."""
    cheap, now = side(24, 400, cost=0.1), side(0, 400)
    for now_ms, verdict in ((TERMS.until_ms, "wait"), (2 * TERMS.until_ms, "roll back")):
        assert judge(cheap, now, TERMS, now_ms, 2 * TERMS.until_ms).verdict == verdict
    as_before = judge(cheap, side(24, 400), TERMS, TERMS.until_ms, 2 * TERMS.until_ms)
    assert as_before.verdict is Verdict.PROMOTE


@pytest.mark.parametrize(
    ("tried", "rest", "alarm"),
    [
        (side(80, 400), side(4, 400), True),
        (side(22, 400), side(0, 400), False),  # above 5 %, but not beyond its interval
        (side(80, 400), side(80, 400), False),  # the others miss as much: it is not the trial
        (side(29, 29), side(0, 400), False),  # too few reads
        (side(400, 400, keys=1), side(0, 400), False),  # one key, however often
        (side(80, 400), Arm([], [], []), True),
    ],
)
def test_an_alarm_needs_reads_keys_and_certainty(tried: Arm, rest: Arm, *, alarm: bool) -> None:
    found = judge(tried, rest, TERMS, 0, 2 * TERMS.until_ms)
    assert (found.verdict is Verdict.ALARM) is alarm


def test_what_was_regretted_before_is_no_alarm_now() -> None:
    much = side(80, 400)
    assert much.reads >= READS_MIN
    assert watch(much, TERMS).verdict is Verdict.ALARM
    assert watch(much, TERMS._replace(regret_before=0.2)).verdict is Verdict.WAIT
    assert watch(side(4, 400), TERMS).why == "it holds"


def test_a_share_is_as_certain_as_its_keys() -> None:
    """A hundred reads of one key are less evidence than one read of each of a hundred."""
    spread = share([Count(n % 10 == 0, 1) for n in range(100)])
    lumped = share([Count(10, 10)] + [Count(0, 10)] * 9)
    assert spread.value == lumped.value == 0.1
    assert lumped.high - lumped.low > 2 * (spread.high - spread.low)
    assert share([]) == (0.0, 0.0, 1.0, 0)
    assert share([Count(0, 5)] * 20).low == 0
    assert 0 < share([Count(0, 5)] * 20).high < 0.15


def test_the_interval_of_a_share_covers_it() -> None:
    """Nine times of ten, where keys differ in how often they are missed."""
    rng, inside = random.Random(3), 0
    for _ in range(400):
        counts = []
        for _ in range(60):
            own = rng.betavariate(0.5, 4.5)  # a tenth on average
            counts.append(Count(sum(rng.random() < own for _ in range(20)), 20))
        found = share(counts)
        inside += found.low <= 0.1 <= found.high
    assert 0.84 <= inside / 400 <= 0.95


def test_a_difference_of_equal_sides_reaches_nought() -> None:
    one = [Count(float(n % 5), 1) for n in range(50)]
    found = difference(one, one)
    assert found.low < 0 < found.high
    assert found.value == 0
    assert difference([Count(p + 9, w) for p, w in one], one).low > 0
