"""Times to live on trial, on every engine: begun, undone, promoted, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memtend.clock import ManualClock
from memtend.errors import TrialUnknown, TtlPlanStale
from memtend.learn.tuning.rules import rule_of, with_rule
from memtend.model.policy import Cleanup, Policy
from memtend.model.policyfile import PolicyFile
from memtend.model.trial import TrialState
from memtend.objects import open_target
from memtend.policies import dump_policies, load_policies
from memtend.services import Services
from memtend.serving.tuning_watch import read
from memtend.store import trials
from memtend.store.audit import entries
from memtend.store.trials import running
from tests.fixtures.tuning import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    PATTERN,
    lives,
    plan_for,
    tuning,
    use,
)

SHORT = [5 * MINUTE_MS] * 3
LONG = [3 * HOUR_MS] * 2


@pytest.fixture
def services(store_url: str, tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    """Whole at the end, whatever was done."""
    with tuning(store_url, tmp_path, clock) as opened:
        yield opened
        opened.memory.flush()
        report = opened.verify_store()
        assert report.ok, report.findings


def states(services: Services) -> list[TrialState]:
    return [one.state for one in services.trials()]


def audited(services: Services) -> list[str]:
    with services.store.engine.snapshot() as reader:
        return [entry.action for entry, _ in entries(reader)]


def test_a_plan_begins_a_canary_and_undo_puts_the_rules_back(
    services: Services, clock: ManualClock
) -> None:
    before = dump_policies(services.memory.config.file)
    plan = plan_for(services, HOUR_MS)
    report = services.apply_ttl(plan)
    assert (report.written, report.unchanged, states(services)) == (1, 0, [TrialState.CANARY])
    rule = next(r for r in services.memory.config.file.policies.rules if r.pattern == PATTERN)
    assert rule.canary is not None
    assert (rule.ttl_ms, rule.canary.ttl_ms, rule.canary.share) == (DAY_MS, HOUR_MS, 0.4)
    assert rule.why == "a test says so"
    kept = open_target(services.settings.plans_url, clock)
    for name, text in ((report.former, before), (report.now, dump_policies(_file(services)))):
        stored = kept.get(name).decode()
        assert stored.endswith(text)
        assert load_policies(stored)  # as it is, comments and all
    undone = services.undo_ttl(report.plan[:8])
    assert (undone.written, undone.unchanged, states(services)) == (1, 0, [TrialState.UNDONE])
    assert dump_policies(_file(services)) == before
    assert services.undo_ttl(report.plan).unchanged == 1  # once is enough


def test_a_plan_that_was_applied_changes_nothing_more(services: Services) -> None:
    plan = plan_for(services, HOUR_MS)
    first = services.apply_ttl(plan)
    again = services.apply_ttl(plan)
    assert (again.written, again.unchanged, again.trials) == (0, 1, first.trials)
    assert len(services.trials()) == 1


def test_a_plan_for_other_policies_is_stale(services: Services) -> None:
    plan = plan_for(services, HOUR_MS)
    file = load_policies("namespaces: [{namespace: session/*, ttl: 2d}]")
    services.memory.config.set_policies(file, "somebody")
    with pytest.raises(TtlPlanStale):
        services.apply_ttl(plan)
    assert (services.trials(), lives(_file(services))) == ((), {PATTERN: 2 * DAY_MS})


def test_what_somebody_has_set_since_stays(services: Services) -> None:
    report = services.apply_ttl(plan_for(services, HOUR_MS))
    file = load_policies("namespaces: [{namespace: session/*, ttl: 2d}]")
    services.memory.config.set_policies(file, "somebody")
    undone = services.undo_ttl(report.plan)
    assert (undone.written, undone.changed_since, states(services)) == (
        0, 1, [TrialState.REPLACED],
    )  # fmt: skip
    assert lives(_file(services)) == {PATTERN: 2 * DAY_MS}


@pytest.mark.parametrize(
    "edit",
    [{"ttl_ms": 2 * DAY_MS}, {"refresh_on_read": True}, {"canary": {"ttl_ms": 1, "share": 0.5}}],
)
def test_a_rule_that_was_edited_beside_its_canary_stays(
    services: Services, edit: dict[str, Any]
) -> None:
    """And what was tried on it ends with the trial."""
    report = services.apply_ttl(plan_for(services, HOUR_MS))
    _edit(services, **edit)
    undone = services.undo_ttl(report.plan)
    assert (undone.written, states(services)) == (0, [TrialState.REPLACED])
    rule = rule_of(_file(services), PATTERN)
    assert rule is not None
    assert rule.canary is None
    assert rule.ttl_ms == edit.get("ttl_ms", DAY_MS)
    assert rule.refresh_on_read == edit.get("refresh_on_read", False)


def test_what_has_nothing_to_do_with_times_to_live_may_be_edited(services: Services) -> None:
    report = services.apply_ttl(plan_for(services, HOUR_MS))
    _edit(services, cleanup=Cleanup.MANUAL)
    assert [look.verdict for look in services.watch_trials()] == ["wait"]
    assert services.undo_ttl(report.plan).written == 1
    rule = rule_of(_file(services), PATTERN)
    assert rule == Policy(pattern=PATTERN, ttl_ms=DAY_MS, cleanup=Cleanup.MANUAL)


def test_a_watch_sees_that_somebody_has_set_the_rule(services: Services) -> None:
    services.apply_ttl(plan_for(services, HOUR_MS))
    services.memory.config.set_policies(load_policies(""), "somebody")
    (look,) = services.watch_trials()
    assert (look.verdict, states(services)) == ("replaced", [TrialState.REPLACED])
    assert services.watch_trials() == ()


def test_a_canary_that_costs_less_is_promoted(services: Services, clock: ManualClock) -> None:
    services.apply_ttl(plan_for(services, HOUR_MS))
    use(services, clock, "a", SHORT, lasts_ms=DAY_MS - 1)
    assert [one.verdict for one in services.watch_trials()] == ["wait"]  # one tick early
    clock.advance(1)
    (look,) = services.watch_trials()
    assert (look.verdict, look.trial.state) == ("promote", TrialState.PROMOTED)
    assert look.cost_high <= 0
    assert lives(_file(services))[PATTERN] == HOUR_MS
    rule = next(r for r in _file(services).policies.rules if r.pattern == PATTERN)
    assert rule.canary is None
    assert "tried on 40% of the keys" in rule.why
    assert audited(services).count("ttl") == 2
    use(services, clock, "b", SHORT)
    assert [one.verdict for one in services.watch_trials()] == ["wait"]  # it holds


def test_regret_takes_a_canary_back_and_is_told_once(
    services: Services, clock: ManualClock
) -> None:
    before = dump_policies(_file(services))
    services.apply_ttl(plan_for(services, HOUR_MS))
    use(services, clock, "a", LONG)
    (look,) = services.watch_trials()
    assert (look.verdict, look.trial.state) == ("alarm", TrialState.ROLLED_BACK)
    assert look.regret_low > 0.05 > look.regret_rest
    assert dump_policies(_file(services)) == before
    assert services.watch_trials() == ()
    (alert,) = services.alerts()
    assert (alert.rule, alert.scope, alert.seen) == ("ttl.regret", f"rule {PATTERN}", 1)
    assert "1h is taken back to 1d" in alert.fact


def test_regret_takes_back_what_was_promoted(services: Services, clock: ManualClock) -> None:
    """On every key from the beginning: a share of one needs no canary."""
    before = dump_policies(_file(services))
    services.apply_ttl(plan_for(services, HOUR_MS, canary_share=1.0))
    assert (states(services), lives(_file(services))[PATTERN]) == ([TrialState.PROMOTED], HOUR_MS)
    use(services, clock, "a", SHORT)
    assert [one.verdict for one in services.watch_trials()] == ["wait"]
    use(services, clock, "b", LONG)
    assert [one.verdict for one in services.watch_trials()] == ["alarm"]
    assert dump_policies(_file(services)) == before


def test_one_miss_is_no_alarm(services: Services, clock: ManualClock) -> None:
    services.apply_ttl(plan_for(services, HOUR_MS, canary_share=1.0))
    use(services, clock, "a", SHORT)
    use(services, clock, "b", LONG, keys=1)
    (look,) = services.watch_trials()
    assert look.regret > 0
    assert look.verdict == "wait"


def test_what_is_undecided_ends_after_twice_its_time(
    services: Services, clock: ManualClock
) -> None:
    services.apply_ttl(plan_for(services, HOUR_MS))
    clock.advance(2 * DAY_MS - 1)
    assert [one.verdict for one in services.watch_trials()] == ["wait"]
    clock.advance(1)
    assert [one.verdict for one in services.watch_trials()] == ["roll back"]
    assert lives(_file(services))[PATTERN] == DAY_MS


def test_a_canary_without_its_trial_ends(services: Services) -> None:
    """An older file has come back: nobody watches what it tries."""
    services.apply_ttl(plan_for(services, HOUR_MS))
    with_canary = _file(services)
    services.undo_ttl(services.trials()[0].plan)
    services.memory.config.set_policies(with_canary, "somebody")
    assert services.watch_trials() == ()
    assert all(rule.canary is None for rule in _file(services).policies.rules)
    assert lives(_file(services))[PATTERN] == DAY_MS


def test_what_runs_is_watched_and_undone_however_much_was_tried_since(
    services: Services, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = services.apply_ttl(plan_for(services, HOUR_MS, canary_share=1.0))
    monkeypatch.setattr(trials, "TRIALS_LISTED_MAX", 3)
    (one,) = running(services.store)
    ended = one._replace(namespace="gone", state="undone", began_ms=one.began_ms + 1, ended_ms=1)
    with services.store.engine.write() as tx:
        for number in range(3):
            facts = {**one.facts, "plan": "f" * 64}
            trials.save(tx, ended._replace(id=f"{number:032x}", facts=facts))
    clock.advance(HOUR_MS)
    assert [look.verdict for look in services.watch_trials()] == ["wait"]
    assert [trial.state for trial in services.trials()][-1] is TrialState.PROMOTED
    assert services.undo_ttl(report.plan).written == 1


def test_a_sweep_watches(services: Services, clock: ManualClock) -> None:
    services.apply_ttl(plan_for(services, HOUR_MS))
    clock.advance(2 * DAY_MS)
    services.apply_sweep(services.plan_sweep())
    assert running(services.store) == []


def test_of_two_who_watch_one_acts(store_url: str, tmp_path: Path, clock: ManualClock) -> None:
    """Both look at the same; the second finds it done."""
    with tuning(store_url, tmp_path, clock) as one:
        one.apply_ttl(plan_for(one, HOUR_MS))
        use(one, clock, "a", LONG)
        trial = running(one.store)[0]
        log = read(one.store, 0)
        assert one._watched(trial, log).verdict == "alarm"
        seq = one.store.meta().audit_n
        assert one._watched(trial, log).trial.state is TrialState.ROLLED_BACK
        assert one.store.meta().audit_n == seq
        assert len(one.alerts()) == 1


def test_unknown_plans_are_named(services: Services) -> None:
    for digest in ("", "0", "0" * 64):
        with pytest.raises(TrialUnknown):
            services.undo_ttl(digest)
        assert not services.knows_ttl(digest)


def _file(services: Services) -> PolicyFile:
    return services.memory.config.file


def _edit(services: Services, **edit: Any) -> None:
    """As somebody does who sets a file in which one rule reads otherwise."""
    rule = rule_of(_file(services), PATTERN)
    assert rule is not None
    assert rule.canary is not None
    if "canary" in edit:
        edit["canary"] = rule.canary.model_copy(update=edit["canary"])
    file = with_rule(_file(services), PATTERN, rule.model_copy(update=edit))
    services.memory.config.set_policies(load_policies(dump_policies(file)), "somebody")
