"""Alerts open, rise, fall and end: each turn by itself, and the laws of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.alerting.finding import Finding, Look
from memtend.alerting.states import Decided, decide
from memtend.clock import ManualClock
from memtend.limits_upkeep import (
    ALERT_CALM_MS,
    ALERT_FLAP_MS,
    ALERT_LAPSE_MS,
    ALERT_SAMPLE_MS,
    ALERT_SCOPES_MAX,
)
from memtend.model.alert import AlertLevel, AlertState, Kept

INFO, WARNING, ERROR, CRITICAL = AlertLevel
RULES = frozenset({"disk", "agents"})
HOUR = 3_600_000


class World:
    """Alerts and the looks at them, in the order of time."""

    def __init__(self) -> None:
        self.clock = ManualClock(1_000_000)
        self.kept: dict[str, Kept] = {}

    def look(self, *found: Finding, **more: Any) -> Decided:
        look = Look(**{"findings": found, "observed": RULES, **more})
        now_ms = self.clock.now_ms()
        late = [k for k in self.kept.values() if k.stands or k.ended_ms >= now_ms - ALERT_FLAP_MS]  # type: ignore[operator]
        decided = decide(late, look, now_ms, self.clock.new_id)
        self.kept |= {one.id: one for one in decided.changed}
        return decided

    def standing(self) -> list[Kept]:
        return [one for one in self.kept.values() if one.stands]

    def only(self) -> Kept:
        [one] = self.kept.values()
        return one

    def change(self, **fields: Any) -> None:
        one = self.only()
        self.kept[one.id] = one._replace(**fields)


@pytest.fixture
def world() -> World:
    return World()


def disk(level: AlertLevel = WARNING, **more: Any) -> Finding:
    return Finding("disk", "store", level, f"{level} of disk", **more)


def test_the_same_found_again_is_the_same_alert(world: World) -> None:
    assert len(world.look(disk()).opened) == 1
    world.clock.advance(HOUR)
    assert not any(world.look(disk())[1:])
    one = world.only()
    assert (one.seen, one.last_ms - one.first_ms) == (2, HOUR)


def test_it_is_raised_lowered_and_resolved(world: World) -> None:
    world.look(disk())
    assert len(world.look(disk(CRITICAL)).raised) == 1
    assert len(world.look(disk(ERROR)).lowered) == 1
    assert world.only().fact == "error of disk"
    assert len(world.look().resolved) == 1
    assert world.only().ended_ms == world.clock.now_ms()


def test_what_gets_worse_than_what_somebody_saw_is_open_again(world: World) -> None:
    world.look(disk())
    world.change(state=AlertState.ACKNOWLEDGED, by="ada")
    world.look(disk())
    assert world.only().state is AlertState.ACKNOWLEDGED
    world.look(disk(ERROR))
    assert world.only().state is AlertState.OPEN
    world.change(state=AlertState.ACKNOWLEDGED)
    world.look(disk(WARNING))
    assert world.only().state is AlertState.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("opened", "look", "stands"),
    [
        (disk(), Look(observed=RULES), False),
        (disk(), Look(observed=frozenset({"agents"})), True),
        (Finding("health.clock", "store", CRITICAL, "off"), Look(health=True), False),
        (Finding("health.clock", "store", CRITICAL, "off"), Look(observed=RULES), True),
    ],
)
def test_what_nobody_looked_at_stands(
    world: World, opened: Finding, look: Look, stands: bool
) -> None:
    world.look(opened)
    world.look(**look._asdict())
    assert bool(world.standing()) is stands


def test_what_was_found_beside_the_backups_needs_another_look_at_them(world: World) -> None:
    world.look(Finding("health.backup", "store", CRITICAL, "none"), health=True, wide=True)
    world.look(health=True, wide=False)
    assert world.standing()
    world.look(health=True, wide=True)
    assert not world.standing()


@pytest.mark.parametrize(
    ("after_ms", "same"), [(ALERT_FLAP_MS - 1, True), (ALERT_FLAP_MS, True),
                           (ALERT_FLAP_MS + 1, False)],
)  # fmt: skip
def test_what_comes_back_within_a_day_is_the_same(world: World, after_ms: int, same: bool) -> None:
    """A day after it ended `look` still knows it; on the day itself it is a new one."""
    [first] = world.look(disk()).opened
    world.look()
    world.clock.advance(after_ms)
    [second] = world.look(disk()).opened
    assert (first == second) is (same and after_ms < ALERT_FLAP_MS)


def test_who_ended_it_by_hand_is_told_of_a_new_one(world: World) -> None:
    [first] = world.look(disk()).opened
    world.change(state=AlertState.RESOLVED, ended_ms=world.clock.now_ms(), by_hand=True)
    assert world.look(disk()).opened != (first,)


def flap(world: World, times: int) -> list[Decided]:
    moves = []
    for _ in range(times):
        moves.append(world.look(disk()))
        world.clock.advance(HOUR)
        moves.append(world.look())
        world.clock.advance(HOUR)
    return moves


def test_what_keeps_coming_back_stays_open_until_it_rests(world: World) -> None:
    moves = flap(world, 5)
    assert [len(one.opened) for one in moves] == [1, 0, 1, 0, 1, 0, 0, 0, 0, 0]
    assert [len(one.resolved) for one in moves] == [0, 1, 0, 1, 0, 0, 0, 0, 0, 0]
    assert world.only().flapping
    world.clock.advance(ALERT_CALM_MS - 1 - HOUR)
    world.look()
    assert world.standing()  # a tick early
    world.clock.advance(1)
    world.look()
    assert not world.standing()


def test_flapping_wears_off(world: World) -> None:
    """Open for a day without a pause, it is an alert like any other."""
    flap(world, 2)
    world.look(disk())
    assert world.only().flapping
    world.clock.advance(ALERT_FLAP_MS)
    world.look(disk())
    assert not world.only().flapping
    assert len(world.look().resolved) == 1


def test_what_a_sample_did_not_find_may_still_be_there(world: World) -> None:
    """It ends when nothing was found of it for a day, and is not opened again in between."""
    sampled = frozenset({"disk"})
    world.look(disk(CRITICAL), sampled=sampled)
    world.look(sampled=sampled)
    assert world.standing()
    assert not world.look(disk(CRITICAL), sampled=sampled).opened
    world.look(sampled=sampled)
    world.clock.advance(ALERT_SAMPLE_MS - 1)
    assert not world.look(sampled=sampled).resolved
    world.clock.advance(1)
    assert len(world.look(sampled=sampled).resolved) == 1


def test_what_happened_lapses_a_week_after_the_last_time(world: World) -> None:
    refused = disk(ERROR, lapses_ms=ALERT_LAPSE_MS)
    world.look(refused)
    world.clock.advance(ALERT_LAPSE_MS - 1)
    assert not world.look().resolved  # a tick early; no look finds it well
    world.clock.advance(1)
    assert len(world.look().resolved) == 1


def test_nothing_waits_for_a_day_that_a_wrong_clock_has_named(world: World) -> None:
    """It was years ahead while an alert flapped and rested."""
    ahead_ms = world.clock.now_ms() + 9_000 * ALERT_FLAP_MS
    world.look(disk())
    world.change(openings=(ahead_ms,) * 3, calm_ms=ahead_ms)
    world.look()
    assert world.standing() == []
    world.look(disk())
    world.look(disk(), sampled=RULES)
    world.change(calm_ms=ahead_ms)
    world.look(sampled=RULES)
    world.clock.advance(ALERT_SAMPLE_MS)
    assert len(world.look(sampled=RULES).resolved) == 1
    world.look(disk(lapses_ms=ALERT_LAPSE_MS))
    world.change(last_ms=ahead_ms)
    assert len(world.look(observed=frozenset()).resolved) == 1


def test_one_rule_opens_so_many_and_counts_the_rest(world: World) -> None:
    many = [Finding("agents", f"agent {n}", WARNING, "big") for n in range(ALERT_SCOPES_MAX + 5)]
    decided = world.look(*many, disk())
    assert (len(decided.opened), decided.left_out) == (ALERT_SCOPES_MAX + 1, 5)
    assert not any(world.look(*many, disk())[1:5])


STEPS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(list(AlertLevel))),
        st.sampled_from([0, 1, HOUR, ALERT_CALM_MS, ALERT_FLAP_MS]),
        st.booleans(),
    ),
    max_size=12,
)


@given(STEPS)
def test_laws(steps: Sequence[tuple[dict[str, AlertLevel], int, bool]]) -> None:
    """At most one alert of a subject stands. What was found stands, with the level found. Looking
    twice is looking once. Every transition is told of exactly one alert."""
    world = World()
    for found, pause_ms, observed in steps:
        world.clock.advance(pause_ms)
        findings = [Finding("agents", scope, level, "f") for scope, level in found.items()]
        seen = frozenset(RULES) if observed else frozenset[str]()
        decided = world.look(*findings, observed=seen)
        assert_distinct(one.subject for one in world.standing())
        levels = {one.scope: one.level for one in world.standing()}
        assert levels | found == levels
        assert_distinct([*decided.opened, *decided.raised, *decided.lowered, *decided.resolved])
        assert not any(world.look(*findings, observed=seen)[1:])


def assert_distinct(found: Iterable[object]) -> None:
    names = list(found)
    assert len(names) == len(set(names))
