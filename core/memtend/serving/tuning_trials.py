"""A trial from its beginning to its end, as rows and rules: what `serving.tuning` decides by.

Each function takes the policy file and the trials as they are in one transaction, and says what is
to be there next (`store.tuned.Turn`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

from memtend.clock import to_datetime
from memtend.durations import show_duration, show_ttl
from memtend.learn.tuning.rules import (
    has_room,
    restored,
    rule_of,
    settled,
    tried,
    tuned,
    with_rule,
)
from memtend.learn.tuning.watching import Terms
from memtend.model.policy import Canary, Policy
from memtend.model.trial import TrialState, TtlTrial
from memtend.store.trials import Trial
from memtend.store.tuned import Turn

if TYPE_CHECKING:
    from memtend.learn.tuning.plan import TtlDecision, TtlPlan
    from memtend.learn.tuning.watching import Seen
    from memtend.model.policyfile import PolicyFile

LONGEST: Final = 2
"""Undecided, a canary goes on for so many times its time."""


def of_plan(trials: Sequence[Trial], digest: str) -> list[Trial]:
    return [one for one in trials if one.facts.get("plan") == digest]


def begun(
    plan: TtlPlan, digest: str, ids: Mapping[str, str], file: PolicyFile,
    trials: Sequence[Trial], now_ms: int,
) -> Turn | None:  # fmt: skip
    """With everything that the plan proposes under way."""
    rows: list[Trial] = []
    before = file
    for one in plan.to_change():
        if not has_room(file, one.namespace):
            break
        rule = tried(
            one.rule, one.namespace, ids[one.namespace], _ttl(one), plan.canary_share, one.reason
        )
        file = with_rule(file, one.namespace, rule)
        rows.append(
            _row(plan, digest, ids[one.namespace], one, rule_of(before, one.namespace), now_ms)
        )
        rows += [
            _ended(other, TrialState.REPLACED, now_ms, "another plan tunes the same rule")
            for other in trials
            if other.namespace == one.namespace and other.ended_ms is None
        ]
    if not rows:
        return None
    return Turn(file, rows, _note("apply", plan=digest, rules=[one.namespace for one in rows]))


def _row(
    plan: TtlPlan, digest: str, trial: str, one: TtlDecision, rule: Policy | None, now_ms: int
) -> Trial:
    """A canary shows nothing before the shorter of both times is over; so it lasts twice that."""
    ttl_ms = _ttl(one)
    shorter_ms = ttl_ms if one.ttl_now_ms is None else min(ttl_ms, one.ttl_now_ms)
    lasts_ms = max(plan.canary_ms, 2 * shorter_ms)
    whole = plan.canary_share >= 1
    facts: dict[str, Any] = {
        "plan": digest,
        "before": show_ttl(one.ttl_now_ms),
        "after": show_duration(ttl_ms),
        "why": one.reason,
        "rule": None if rule is None else rule.model_dump(mode="json"),
        "ttl_before_ms": one.ttl_now_ms,
        "ttl_ms": ttl_ms,
        "share": plan.canary_share,
        "slides": one.rule.refresh_on_read,
        "lasts_ms": lasts_ms,
        "regret_max": plan.regret_max,
        "regret_before": one.regret_now or 0.0,
        "byte_ms_a_miss": plan.byte_ms_a_miss or 1.0,
        "promoted_ms": now_ms if whole else None,
    }
    state = TrialState.PROMOTED if whole else TrialState.CANARY
    return Trial(trial, one.namespace, state, facts, now_ms)


def terms_of(trial: Trial, now_ms: int) -> Terms:
    """A canary is judged from its beginning on, what was promoted by the last stretch of time."""
    facts, began_ms = trial.facts, trial.began_ms
    if facts["promoted_ms"] is not None:
        began_ms = max(int(facts["promoted_ms"]), now_ms - int(facts["lasts_ms"]))
    return Terms(
        began_ms=began_ms,
        until_ms=trial.began_ms + int(facts["lasts_ms"]),
        ttl_ms=int(facts["ttl_ms"]),
        old_ms=facts["ttl_before_ms"],
        slides=bool(facts["slides"]),
        regret_max=float(facts["regret_max"]),
        byte_ms_a_miss=float(facts["byte_ms_a_miss"]),
        regret_before=float(facts["regret_before"]),
    )


def longest_ms(trial: Trial) -> int:
    return trial.began_ms + LONGEST * int(trial.facts["lasts_ms"])


def holds(trial: Trial, file: PolicyFile) -> bool:
    """Whether the rules still say of times to live what the trial has made of them."""
    rule, facts = rule_of(file, trial.namespace), trial.facts
    if rule is None or rule.refresh_on_read != facts["slides"]:
        return False
    if trial.state == TrialState.CANARY:
        canary = Canary(trial=trial.id, ttl_ms=facts["ttl_ms"], share=facts["share"])
        return rule.canary == canary and rule.ttl_ms == facts["ttl_before_ms"]
    return rule.canary is None and rule.ttl_ms == facts["ttl_ms"]


def promoted(trial: Trial, file: PolicyFile, now_ms: int, seen: Seen) -> Turn:
    """For all keys from now on; it is watched further, against what was regretted beside it."""
    rule = rule_of(file, trial.namespace)
    assert rule is not None
    why = f"{trial.facts['why']}; tried on {trial.facts['share']:.0%} of the keys: {seen.why}"
    facts = {
        **trial.facts, "promoted_ms": now_ms, "outcome": seen.why, "seen": told(seen),
        "regret_before": max(seen.regret_rest.high if seen.regret_rest.keys else 0.0,
                             float(trial.facts["regret_before"])),
    }  # fmt: skip
    after = with_rule(file, trial.namespace, tuned(rule, trial.namespace, facts["ttl_ms"], why))
    row = trial._replace(state=TrialState.PROMOTED, facts=facts)
    return Turn(after, [row], _note("promote", trial=trial.id, rule=trial.namespace, why=seen.why))


def put_back(
    found: Sequence[Trial], state: TrialState, file: PolicyFile, now_ms: int, why: str,
    seen: Seen | None = None,
) -> Turn | None:  # fmt: skip
    """The former time to live of each; one that somebody has set otherwise since stays, without
    what was tried on it."""
    rows, now = [], file
    for trial in found:
        if trial.ended_ms is not None:
            continue
        rule, former = rule_of(file, trial.namespace), trial.facts["rule"]
        if rule is None or not holds(trial, file):
            if rule is not None and rule.canary is not None and rule.canary.trial == trial.id:
                now = with_rule(now, trial.namespace, settled(rule))
            rows.append(_ended(trial, TrialState.REPLACED, now_ms, _REPLACED))
            continue
        was = None if former is None else restored(rule, Policy.model_validate(former))
        now = with_rule(now, trial.namespace, was)
        rows.append(_ended(trial, state, now_ms, why, seen))
    if not rows:
        return None
    note = _note(state.value, trials=[one.id for one in rows], why=why)
    return Turn(None if now is file else now, rows, note)


def without_orphans(file: PolicyFile, trials: Sequence[Trial]) -> Turn | None:
    """Without canaries that nobody watches: their trial is over, and an older file has come back,
    by a restore or by hand."""
    watched = {one.id for one in trials if one.ended_ms is None and one.state == TrialState.CANARY}
    orphans = [
        rule for rule in file.policies.rules
        if rule.canary is not None and rule.canary.trial not in watched
    ]  # fmt: skip
    for rule in orphans:
        file = with_rule(file, rule.pattern, settled(rule))
    note = _note("settle", rules=[rule.pattern for rule in orphans])
    return Turn(file, [], note) if orphans else None


_REPLACED: Final = "the rule was set to something else"


def _ended(
    trial: Trial, state: TrialState, now_ms: int, why: str, seen: Seen | None = None
) -> Trial:
    facts = {**trial.facts, "outcome": why}
    if seen is not None:
        facts["seen"] = told(seen)
    return trial._replace(state=state, facts=facts, ended_ms=now_ms)


def told(seen: Seen) -> dict[str, Any]:
    """As it is kept beside the trial."""
    return {
        "reads": seen.reads,
        "reads_rest": seen.reads_rest,
        **{
            name: [getattr(seen, name).low, getattr(seen, name).value, getattr(seen, name).high]
            for name in ("regret", "regret_rest", "cost", "kept")
        },
    }


def shown(trial: Trial) -> TtlTrial:
    facts = trial.facts
    promoted_ms = facts["promoted_ms"]
    return TtlTrial(
        id=trial.id,
        pattern=trial.namespace,
        state=TrialState(trial.state),
        plan=facts["plan"],
        ttl_before_ms=facts["ttl_before_ms"],
        ttl_ms=facts["ttl_ms"],
        share=facts["share"],
        began_at=to_datetime(trial.began_ms),
        until=to_datetime(trial.began_ms + facts["lasts_ms"]),
        promoted_at=None if promoted_ms is None else to_datetime(promoted_ms),
        ended_at=None if trial.ended_ms is None else to_datetime(trial.ended_ms),
        why=facts["why"],
        outcome=facts.get("outcome", ""),
        seen=facts.get("seen", {}),
    )


def _ttl(one: TtlDecision) -> int:
    assert one.ttl_ms is not None
    return one.ttl_ms


def _note(act: str, **facts: Any) -> str:
    return orjson.dumps({"act": act, **facts}).decode()
