"""A policy set gives one answer per path, however it is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.errors import InvalidName, InvalidPolicy
from memtend.model.policy import DEFAULT_POLICY, Compression, Policy
from memtend.model.policyset import PolicySet

NAMES = st.lists(st.sampled_from(["a", "b", "ab", "abc"]), min_size=1, max_size=3).map("/".join)
PATTERNS = st.lists(st.sampled_from(["a", "b", "ab", "a*", "*b", "*"]), min_size=1, max_size=4).map(
    "/".join
)
SETS = st.lists(st.one_of(PATTERNS, PATTERNS.map(lambda p: f"**/{p}")), unique=True, max_size=6)


def policy_set(*patterns: str) -> PolicySet:
    rules = (Policy(pattern=p, ttl_ms=n + 1) for n, p in enumerate(sorted(patterns)))
    return PolicySet(rules=tuple(rules))


@given(SETS, NAMES, NAMES)
def test_the_fast_path_agrees(patterns: list[str], namespace: str, key: str) -> None:
    policies = policy_set(*patterns)
    slow = policies.resolve(namespace, key)
    assert policies.for_namespace(namespace).resolve(key) == slow
    assert policies.explain(namespace, key)[0][0] == slow.pattern


@given(SETS)
def test_order_in_the_file_has_no_meaning(patterns: list[str]) -> None:
    policies = policy_set(*patterns)
    assert PolicySet(rules=policies.rules[::-1]).digest == policies.digest


def test_one_policy_for_all_keys_is_said_so() -> None:
    policies = policy_set("swarm/shared/*", "swarm/shared/decisions", "task/*/status")
    assert policies.for_namespace("swarm/shared/decisions").always is not None
    assert policies.for_namespace("swarm/shared/x").always is not None
    assert policies.for_namespace("swarm/shared").always is None
    assert policies.for_namespace("elsewhere").always == DEFAULT_POLICY


def test_the_specific_rule_is_reachable_behind_the_general_one() -> None:
    policies = policy_set("swarm/shared/*", "swarm/shared/decisions", "swarm/**")
    assert policies.explain("swarm/shared", "decisions") == [
        ("swarm/shared/decisions", "holds: the most specific of 4 that match"),
        ("swarm/shared/*", "matches, but segment 3: 'decisions' is more specific than '*'"),
        ("swarm/**", "matches, but segment 2: 'shared' is more specific than '**'"),
        ("**", "matches, but segment 1: 'swarm' is more specific than '**'"),
    ]


def test_changing_a_rule_changes_the_digest() -> None:
    one = PolicySet(rules=(Policy(pattern="a", ttl_ms=1),))
    two = PolicySet(rules=(Policy(pattern="a", ttl_ms=2),))
    assert one.digest != two.digest


def test_bad_sets_are_refused() -> None:
    with pytest.raises(InvalidPolicy):
        PolicySet(rules=(Policy(pattern="a"), Policy(pattern="a")))
    with pytest.raises(InvalidName):
        PolicySet(rules=(Policy(pattern="a//b"),))


BEHIND = (Policy(pattern="swarm-*/agent-*/state", ttl_ms=7), Policy(pattern="neural/*", ttl_ms=8))


def test_defaults_stand_behind_every_rule_of_the_file() -> None:
    alone = policy_set("swarm-*/**")
    assert alone.resolve("neural", "outcomes") == DEFAULT_POLICY
    policies = alone.behind(BEHIND)
    assert policies.resolve("swarm-x/agent-a", "state").pattern == "swarm-*/**"
    assert policies.resolve("neural", "outcomes").ttl_ms == 8
    assert policies.resolve("elsewhere", "key") == DEFAULT_POLICY
    assert policies.explain("swarm-x/agent-a", "state") == [
        ("swarm-*/**", "holds: the most specific of 3 that match"),
        (
            "swarm-*/agent-*/state",
            "matches, but it is a default of the layout, and the policy file goes first",
        ),
        ("**", "matches, but segment 1: 'swarm-*' is more specific than '**'"),
    ]
    assert policies.explain("neural", "x")[0] == (
        "neural/*",
        "holds: the most specific of 2 that match (a default of the layout)",
    )


def test_a_rule_with_the_pattern_of_a_default_takes_its_place() -> None:
    policies = PolicySet(rules=(Policy(pattern="neural/*", ttl_ms=1),)).behind(BEHIND)
    assert policies.resolve("neural", "x").ttl_ms == 1
    assert not policies.is_default("neural/*")
    assert policies.is_default("swarm-*/agent-*/state")


@given(SETS, NAMES, NAMES)
def test_the_fast_path_agrees_with_defaults_behind(
    patterns: list[str], namespace: str, key: str
) -> None:
    policies = policy_set(*patterns).behind(Policy(pattern=p, ttl_ms=99) for p in ("a/*", "b"))
    slow = policies.resolve(namespace, key)
    assert policies.for_namespace(namespace).resolve(key) == slow
    assert policies.explain(namespace, key)[0][0] == slow.pattern


def test_what_the_file_says_of_compression_holds_for_defaults_too() -> None:
    squeeze = Compression(enabled=False)
    fallback = DEFAULT_POLICY.model_copy(update={"compression": squeeze})
    policies = PolicySet(fallback=fallback).behind(BEHIND)
    assert policies.resolve("neural", "x").compression == squeeze
    assert policies.resolve("elsewhere", "x").compression == squeeze
