"""Profiles and their place in the policy file: what is read, what is refused, what comes back."""

from __future__ import annotations

import pytest

from memtend.errors import InvalidPolicy, ProfileUnknown, StrategyUnknown
from memtend.limits import MIB
from memtend.model.policyfile import PolicyFile
from memtend.model.prunepolicy import BUILT_IN, DAY_MS, STRATEGIES, PrunePolicy, Weights
from memtend.policies import dump_policies, load_policies
from tests.fixtures.candidates import plan

FILE = """
prune:
  profile: nightly
  strategies: [space, time]
  time: {old_decisions: none}
  shields: {namespaces: ["team/**"], importance_from: 0.7, settle: 0s}
  profiles:
    nightly: {from: aggressive, time: {unused_patterns: 45d}, space: {agent: none, store: 1GiB}}
    gentle: {performance: {executions_min: 10}, value: {weights: {use: 0}}, redundancy: {exact: no}}
    gentler: {from: gentle, shields: {reads: 1, reads_within: 90d, namespaces: [x]}}
"""


def test_the_built_in_profiles() -> None:
    policy = PrunePolicy()
    assert policy.unused_patterns_ms == 90 * DAY_MS
    assert (policy.agent_bytes, policy.store_bytes) == (80 * MIB, 800 * MIB)
    assert policy.weights == (0.4, 0.3, 0.2, 0.1)
    aggressive = policy.named("aggressive")
    for name in BUILT_IN["aggressive"]:
        assert getattr(aggressive, name) != getattr(policy, name)
    assert aggressive.importance_from == policy.importance_from
    assert policy.named("off").strategies == ()
    assert policy.named(None) is policy.named("default") is policy


def test_a_file_starts_from_a_profile_and_says_what_differs() -> None:
    policy = load_policies(FILE).prune
    assert policy.profile == "nightly"
    assert policy.strategies == ("time", "space")
    assert policy.unused_patterns_ms == 45 * DAY_MS
    assert policy.old_decisions_ms is None
    assert policy.failed_patterns_ms == 7 * DAY_MS
    assert (policy.agent_bytes, policy.store_bytes) == (None, 1024 * MIB)
    assert policy.settle_ms == 0


def test_profiles_build_on_one_another() -> None:
    gentler = load_policies(FILE).prune.named("gentler")
    assert gentler.executions_min == 10
    assert gentler.weights == Weights(use=0)
    assert gentler.exact_duplicates is False
    assert (gentler.reinforced_reads, gentler.reinforced_ms) == (1, 90 * DAY_MS)
    assert gentler.unused_patterns_ms == 90 * DAY_MS


@pytest.mark.parametrize("name", ["default", "aggressive", "off", "gentle", "gentler"])
def test_what_the_file_shields_is_shielded_under_every_profile(name: str) -> None:
    policy = load_policies(FILE).prune.named(name)
    assert "team/**" in policy.namespaces_kept
    assert policy.importance_from == 0.7


def test_what_was_read_is_written_back() -> None:
    file = load_policies(FILE)
    assert load_policies(dump_policies(file)) == file
    assert PolicyFile.model_validate_json(file.model_dump_json()).prune == file.prune
    plain = load_policies("")
    assert plain.pruning == {}
    assert plain.prune == PrunePolicy()
    assert load_policies(dump_policies(plain)) == plain


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{profile: fast}", "'fast' is not one of default, aggressive, off"),
        ("{profiles: {off: {}}}", "'off' is a built-in profile"),
        ("{profiles: {Fast: {}}}", "a name has up to 32"),
        ("{profiles: {a: {from: b}, b: {}}}", "'b' is not one of"),
        ("{profiles: [a]}", "a mapping is wanted"),
        ("{strategies: [age]}", "'age' is not one of redundancy"),
        ("{strategies: time}", "a list is wanted"),
        ("{age: {}}", "unknown key 'age'"),
        ("{time: {patterns: 1d}}", "unknown key 'patterns'"),
        ("{time: {unused_patterns: 0d}}", "is not a time such as 30d"),
        ("{time: {unused_patterns: forever}}", "is not a time such as 30d"),
        ("{performance: {success_below: 20%}}", "is not a number"),
        ("{performance: {success_below: 1.5}}", "is not between"),
        ("{performance: {executions_min: 0}}", "is not between"),
        ("{performance: {obsolete_solutions: maybe}}", "is not true or false"),
        ("{space: {agent: lots}}", "a size is a number"),
        ("{space: {low_water: 0}}", "is not between"),
        ("{value: {weights: {success: 0, confidence: 0, use: 0, saved: 0}}}", "must be above 0"),
        ("{value: {weights: {luck: 1}}}", "unknown key 'luck'"),
        ("{shields: {namespaces: ['a//b']}}", "an empty segment"),
        ("{shields: {importance_from: none}}", "is not a number"),
    ],
)
def test_what_cannot_be_meant_names_its_line(text: str, why: str) -> None:
    with pytest.raises(InvalidPolicy, match="line 2") as caught:
        load_policies(f"namespaces: []\nprune: {text}")
    assert why in str(caught.value)


def test_a_profile_or_strategy_that_is_not_there() -> None:
    with pytest.raises(ProfileUnknown, match="default, aggressive, off, nightly, gentle, gentler"):
        load_policies(FILE).prune.named("fast")
    with pytest.raises(StrategyUnknown, match="'age'; there are: redundancy"):
        plan([], strategies=["time", "age"])
    assert plan([], strategies=STRATEGIES).decisions == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"strategies": ("age",)},
        {"weights": (0, 0, 0, 0)},
        {"weights": (1, -1, 0, 0)},
        {"profiles": ({"profile": "off"},)},
        {"profiles": ({"profile": "a"}, {"profile": "a"})},
    ],
)
def test_a_policy_made_in_code_is_held_to_the_same(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidPolicy):
        PrunePolicy.model_validate(fields)
