"""What is proposed: cheap, not regretted, and borne out by what came later."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memtend.learn.tuning.estimating import ClassLog
from memtend.learn.tuning.facts import Proposal
from memtend.learn.tuning.proposing import UNPROVEN, UNREAD, Terms, propose
from memtend.model.policy import Policy

HOUR = 3_600.0
DAY = 24 * HOUR
RULE = Policy(pattern="a/*", ttl_ms=86_400_000)
TERMS = Terms(60.0, math.inf, 0.05, 75 * DAY, 8.0 * HOUR, 1.0)


def used(pauses: list[float], later: list[float] | None = None, keys: int = 200) -> ClassLog:
    """A key every half day for a hundred days, read after these pauses; from day 75, `later`."""
    t, key, wrote = [], [], []
    for number in range(keys):
        began = number * DAY / 2
        waits = pauses if later is None or began < TERMS.since else later
        t += [began, *(began + wait for wait in waits)]
        key += [number] * (1 + len(waits))
        wrote += [True, *[False] * len(waits)]
    return ClassLog.of(
        np.array(t), np.array(key), np.array(wrote), np.full(len(t), 8.0), keys * DAY / 2
    )  # fmt: skip


def proposed(log: ClassLog, rule: Policy = RULE, **more: float) -> Proposal:
    found = propose(log, rule, TERMS._replace(**more), learned_s=120.0)
    assert isinstance(found, Proposal)
    return found


def test_what_costs_least_is_proposed_while_nothing_is_regretted() -> None:
    found = proposed(used([60.0, 600.0]))
    assert found.ttl_ms == 600_001
    assert found.adopted
    assert found.saving.low > 0
    assert found.regret == 0


@pytest.mark.parametrize("slides", [False, True])
def test_what_is_cheap_and_regretted_gives_way(slides: bool) -> None:
    """At this price it is cheapest to keep nothing; but one read in twenty may come too late."""
    rule = RULE.model_copy(update={"refresh_on_read": slides})
    found = proposed(used([60.0, 600.0]), rule, byte_s_a_miss=1.0)
    assert found.ttl_ms == (540_001 if slides else 600_001)
    assert found.regret == 0
    free = proposed(used([60.0, 600.0]), rule, byte_s_a_miss=1.0, regret_max=1.0)
    assert free.ttl_ms < found.ttl_ms


def test_what_is_regretted_already_asks_for_no_longer_time() -> None:
    """Half of the reads come too late as it is: a shorter time is no worse than that."""
    log = used([60.0, 3 * DAY])
    found = proposed(log)
    assert found.regret_now == found.regret == pytest.approx(0.5, abs=0.05)
    assert found.ttl_ms == 60_001


def test_a_longer_time_is_proposed_where_it_pays() -> None:
    found = proposed(used([60.0, 2 * DAY]), byte_s_a_miss=8.0 * 100 * DAY)
    assert found.ttl_ms == 2 * 86_400_000 + 1
    assert found.regret_now == pytest.approx(0.5, abs=0.05)
    assert found.regret == 0
    assert found.misses.value < 0 < found.bytes.value


def test_floor_and_ceiling_hold() -> None:
    log = used([60.0, 600.0])
    assert proposed(log, floor_s=1_000.0).ttl_ms == 1_000_000
    assert proposed(log, ceiling_s=300.0).ttl_ms == 300_000
    assert proposed(log, ceiling_s=300.0).regret == 0.5  # which the plan refuses


def test_a_future_unlike_the_past_is_not_adopted() -> None:
    found = proposed(used([60.0, 600.0], later=[60.0, 20 * HOUR]))
    assert not found.adopted
    assert found.why == UNPROVEN


def test_what_is_never_read_has_no_time() -> None:
    assert propose(used([]), RULE, TERMS) == UNREAD
    sliding = RULE.model_copy(update={"refresh_on_read": True})
    assert propose(used([]), sliding, TERMS, learned_s=60.0) == UNREAD
