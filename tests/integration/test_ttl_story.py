"""From accesses of a real store to a time to live that was learned: tried, then kept or taken back.

Keys are written, read several times within the hour, and never again. A day is worth nothing to
them, which the log shows; a share of them shows whether that still holds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.model.plan import Action
from memtend.model.trial import TrialState
from memtend.policies import dump_policies
from memtend.services import Services
from tests.fixtures.tuning import DAY_MS, HOUR_MS, MINUTE_MS, lives, tuning

RULES = """
namespaces:
  - {namespace: "session/*", ttl: 1d}
  - {namespace: "cache/*", ttl: 1d, refresh_on_read: true}
  - {namespace: "plans/*", ttl: permanent}
  - {namespace: "rare/*", ttl: 1d}
learn: {ttl: {break_even: 2h, canary_share: 0.4, canary_time: 1d, keep: ["kept/**"]}}
"""
SPACES = ("session/a", "cache/a", "plans/a", "kept/a")


@pytest.fixture
def services(tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    with tuning("sqlite://", tmp_path, clock, RULES) as opened:
        opened.memory.put("rare/a", "k", 1)
        yield opened


def day(services: Services, clock: ManualClock, name: str, pause_ms: int) -> None:
    """Forty keys in each namespace, each read three times after such a pause."""
    memory, rng, began_ms = services.memory, random.Random(name), clock.now_ms()
    events = []
    for number in range(40):
        at = rng.randrange(12 * HOUR_MS)
        events.append((at, f"{name}{number}", True))
        for _ in range(3):
            at += round(rng.uniform(0.5, 1.5) * pause_ms)
            events.append((at, f"{name}{number}", False))
    for at, key, writes in sorted(events):
        clock.advance(max(0, began_ms + at - clock.now_ms()))
        for namespace in SPACES:
            if writes:
                memory.put(namespace, key, "what was found out")
            else:
                memory.get(namespace, key)
        memory.flush()  # what is renewed by reading is renewed behind it
    clock.advance(max(0, began_ms + DAY_MS - clock.now_ms()))


@pytest.mark.parametrize("lasts", [True, False])
def test_what_is_learned_is_kept_while_it_holds(
    services: Services, clock: ManualClock, *, lasts: bool
) -> None:
    for number in range(4):
        day(services, clock, f"d{number}-", 10 * MINUTE_MS)
    before = dump_policies(services.memory.config.file)
    plan = services.plan_ttl()
    said = {one.namespace: one for one in plan.decisions}
    assert {one.namespace for one in plan.to_change()} == {"session/*", "cache/*"}
    for pattern in ("session/*", "cache/*"):
        assert 10 * MINUTE_MS <= (said[pattern].ttl_ms or 0) <= 2 * HOUR_MS
    assert said["plans/*"].reason.startswith("its rule says permanent")
    assert said["rare/*"].reason == "1 accesses are too few: 200 are asked for"
    assert said["kept/a"].reason.startswith("the policy file keeps kept/**")
    assert said["kept/a"].action is Action.KEEP
    digest = services.keep_ttl_plan(plan)
    report = services.apply_ttl(services.kept_ttl_plan(digest[:8]))
    assert (report.plan, report.written) == (digest, 2)
    day(services, clock, "then-", 10 * MINUTE_MS if lasts else 4 * HOUR_MS)
    looks = {one.trial.pattern: one for one in services.watch_trials()}
    if lasts:
        assert {one.verdict for one in looks.values()} == {"promote"}
        found = lives(services.memory.config.file)
        assert {p: found[p] for p in looks} == {p: said[p].ttl_ms for p in looks}
        assert services.undo_ttl(digest).written == 2
    else:
        assert {one.verdict for one in looks.values()} == {"alarm"}
        assert {one.trial.state for one in looks.values()} == {TrialState.ROLLED_BACK}
        assert {one.rule for one in services.alerts()} == {"ttl.regret"}
    assert dump_policies(services.memory.config.file) == before
    assert services.verify_store().ok


def test_an_empty_log_proposes_nothing(services: Services) -> None:
    plan = services.plan_ttl()
    assert plan.to_change() == ()
    assert plan.notes == ()
    services.memory.config.set_policies(
        services.memory.config.file.model_copy(update={"learning": {"accesses": False}}), "setup"
    )
    assert services.plan_ttl().notes == ("the policy file says that no accesses are sampled",)


def test_a_namespace_can_have_a_rule_of_its_own(services: Services, clock: ManualClock) -> None:
    for number in range(4):
        day(services, clock, f"d{number}-", 10 * MINUTE_MS)
    plan = services.plan_ttl("namespace")
    assert {one.namespace for one in plan.to_change()} == {"session/a", "cache/a"}
    before = dump_policies(services.memory.config.file)
    report = services.apply_ttl(plan)
    rules = services.memory.config.file.policies
    assert [rule.pattern for rule in rules.rules[-2:]] == ["cache/a", "session/a"]
    assert rules.rules[-2].refresh_on_read
    assert services.undo_ttl(report.plan).written == 2
    assert dump_policies(services.memory.config.file) == before


def test_no_rule_is_proposed_that_would_reach_further(tmp_path: Path, clock: ManualClock) -> None:
    """Nobody has said anything of either; each is its own, and one lies below the other."""
    rules = "learn: {ttl: {accesses_min: 1}}\nnamespaces: [{namespace: a/*/c, ttl: 1d}]"
    with tuning("sqlite://", tmp_path, clock, rules) as services:
        for namespace in ("free", "free/below", "a/b/c", "a/b"):
            services.memory.put(namespace, "k", 1)
            clock.advance(HOUR_MS)
            services.memory.get(namespace, "k")
        said = {one.namespace: one for one in services.plan_ttl().decisions}
    assert said["free"].reason == (
        "a rule for it would also govern free/below, which is another matter"
    )
    # In `free` it would govern the key `below`.
    assert said["free/below"].reason == (
        "a rule for it would also govern free, which is another matter"
    )
    assert said.keys() == {"free", "free/below", "a/*/c", "a/b"}
    assert said["a/b"].reason.startswith("which rule holds depends on the key")
    assert not any(one.action is Action.UPDATE for one in said.values())
