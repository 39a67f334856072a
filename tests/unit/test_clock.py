"""The guarded clock and the hybrid logical clock (CRDT_SPEC 2, 9.4)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.clock import Clock, Guard, GuardedClock, ManualClock, SystemClock, to_datetime, to_ms
from memtend.crdt.hlc import millis, pack, receive, tick, unpack
from memtend.errors import PeerClock
from memtend.limits import CLOCK_ALARM_MS, CLOCK_LOOK_MS, PEER_AHEAD_MS_MAX

MS = 1_000_000
YEAR_MS = 365 * 86_400_000
JUMP_MS = 10**7

looks = st.lists(
    st.tuples(st.integers(0, 3_600_000 * MS), st.integers(-JUMP_MS * MS, JUMP_MS * MS)),
    max_size=50,
)


@given(looks)
def test_guarded_time_stays_within_the_drift_limit(
    history: list[tuple[int, int]],
) -> None:
    """Whatever the wall clock shows, an hour is an hour to within 500 ppm."""
    guard, wall, boot = Guard(0, 0), 0, 0
    for elapsed, jump in history:
        wall, boot = wall + elapsed + jump, boot + elapsed
        after = guard.read(wall, boot)
        assert abs(after.at_ns - guard.at_ns - elapsed) <= elapsed // 2_000
        assert (after.off_ns is None) == (abs(wall - guard.at_ns - elapsed) <= CLOCK_ALARM_MS * MS)
        guard = after


@given(st.lists(st.tuples(st.integers(0, 200 * MS), st.integers(-(10**4), 10**4)), max_size=200))
def test_reading_never_goes_back(history: list[tuple[int, int]]) -> None:
    """Also between two looks at a wall clock that wanders and jumps."""
    wall, boot = 10**15, 0
    clock = GuardedClock(lambda: wall, lambda: boot, CLOCK_LOOK_MS)
    last = clock.now_ms()
    for elapsed, jump_ms in history:
        wall, boot = wall + elapsed + jump_ms * MS, boot + elapsed
        now = clock.now_ms()
        assert now >= last
        last = now


messages = st.tuples(st.just("hear"), st.integers(-2 * PEER_AHEAD_MS_MAX, 2 * PEER_AHEAD_MS_MAX))
ticks = st.tuples(st.just("tick"), st.integers(0, 100_000))
jumps = st.tuples(st.just("jump"), st.integers(-JUMP_MS, JUMP_MS))


@settings(max_examples=1_000)
@given(st.lists(messages | ticks | jumps, max_size=30), st.integers(0, 2**16 - 1))
def test_timestamps_rise_and_stay_near_real_time(
    history: list[tuple[str, int]], counter: int
) -> None:
    """Strictly rising, above all that was heard, at most 60 s ahead; refusals change nothing."""
    clock = ManualClock()
    high, latest = tick(0, clock.now_ms()), clock.now_ms()
    for verb, ms in history:
        before = high
        if verb == "hear":
            remote = pack(clock.now_ms() + ms, counter)
            try:
                high = receive(high, remote, clock.now_ms())
            except PeerClock:
                assert ms >= PEER_AHEAD_MS_MAX
                continue
            assert high > remote
        elif verb == "jump":
            clock.jump(ms)
            continue
        else:
            clock.advance(ms)
            high = tick(high, clock.now_ms())
        latest = max(latest, clock.now_ms())
        assert high > before
        assert millis(high) <= latest + PEER_AHEAD_MS_MAX


def _is_calm(clock: GuardedClock) -> bool:
    return clock.alarm_ms is None


def test_full_counter_carries() -> None:
    """2.5."""
    assert unpack(tick(pack(100, 2**16 - 1), 100)) == (101, 0)


def test_too_far_ahead_is_refused() -> None:
    """2.4: exactly 60 s is taken."""
    assert receive(0, pack(60_100, 0), 100) == pack(60_100, 1)
    with pytest.raises(PeerClock):
        receive(0, pack(60_101, 0), 100)


def test_alarm_ends_when_the_error_shrinks() -> None:
    clock = ManualClock()
    clock.jump(60_000)
    assert clock.alarm_ms == 60_000
    clock.jump(-58_000)
    assert clock.alarm_ms is None


def test_alarm_ends_when_the_wall_clock_is_accepted() -> None:
    clock = ManualClock(now_ms=1_000_000)
    clock.jump(-100_000)
    assert clock.now_ms() == 1_000_000
    assert clock.alarm_ms == -100_000
    clock.accept()
    assert clock.now_ms() == 900_000
    assert _is_calm(clock)


def test_alarm_ends_when_two_sources_agree_with_the_wall_clock() -> None:
    clock = ManualClock(now_ms=1_000_000)
    clock.jump(YEAR_MS)
    wall_ms = 1_000_000 + YEAR_MS
    assert not clock.agree({"peer": wall_ms})
    assert not clock.agree({"peer": wall_ms, "server": wall_ms + 2_001, "bucket": 1_000_000})
    assert clock.alarm_ms == YEAR_MS
    assert clock.agree({"peer": wall_ms, "server": wall_ms + 2_000})
    assert clock.now_ms() == wall_ms
    assert _is_calm(clock)


def test_agreement_without_alarm_changes_nothing() -> None:
    clock = ManualClock(now_ms=1_000_000)
    clock.jump(1_500)
    assert clock.agree({"peer": 1_001_500, "server": 1_001_500})
    assert clock.now_ms() == 1_000_000


def test_manual_clock_advances_exactly_and_repeats_its_ids() -> None:
    one, other = ManualClock(seed=7), ManualClock(seed=7)
    start = one.now_ms()
    for _ in range(10):
        one.advance(1)
    assert one.now_ms() == start + 10
    ids = [one.new_id() for _ in range(100)]
    assert ids == [other.new_id() for _ in range(100)]
    assert len({*ids, *(ManualClock(seed=8).new_id() for _ in range(1))}) == 101
    with pytest.raises(ValueError, match="forwards"):
        one.advance(-1)


def test_system_clock_is_a_clock() -> None:
    clock: Clock = SystemClock()
    assert abs(clock.now_ms() - SystemClock().now_ms()) < CLOCK_ALARM_MS
    assert clock.alarm_ms is None
    assert len(clock.new_id()) == 32
    assert clock.new_id() != clock.new_id()


@pytest.mark.no_cover  # who counts lines has a lock, too, and it does not survive a fork
def test_system_clock_survives_threads_and_fork() -> None:
    """A fork while other threads look at the clock leaves a child that can read it."""
    clock, stop = SystemClock(), threading.Event()

    def look() -> None:
        while not stop.is_set():
            assert clock.alarm_ms is None

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    statuses = []
    for _ in range(20):
        child = os.fork()
        if child == 0:
            os._exit(0 if clock.alarm_ms is None else 1)
        statuses.append(os.waitpid(child, 0)[1])
    stop.set()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 20


def test_clock_and_crdt_import_no_models() -> None:
    """Opening a store costs no pydantic."""
    code = (
        "import sys, memtend.clock, memtend.crdt.hlc, memtend.crdt.rows, memtend.crdt.tally;"
        "print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@given(st.integers(-(10**13), 10**14))
def test_milliseconds_survive_datetimes(ms: int) -> None:
    assert to_ms(to_datetime(ms)) == ms
