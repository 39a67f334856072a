"""A time to live that is tried on a share of the keys of a rule."""

from __future__ import annotations

import pytest

from memtend.errors import InvalidPolicy
from memtend.model.policy import Canary, Policy
from memtend.model.policyfile import PolicyFile
from memtend.policies import dump_policies, load_policies

HOUR_MS = 3_600_000
TRIAL, OTHER = "0123456789abcdef" * 2, "fedcba9876543210" * 2
FILE = f"""
namespaces:
  - namespace: session/*
    ttl: 1h
    why: "5,210 accesses: 3h costs less"
    canary: {{ttl: 3h, share: 0.2, trial: {TRIAL}}}
  - {{namespace: plain/*, ttl: 1h}}
"""


def tried(file: PolicyFile, namespace: str = "session/a", keys: int = 5_000) -> set[str]:
    """The keys that live longer."""
    policies = file.policies.for_namespace(namespace)
    return {key for key in map(str, range(keys)) if policies.resolve(key).ttl_ms == 3 * HOUR_MS}


def test_a_share_of_the_keys_lives_by_it_and_always_the_same() -> None:
    file = load_policies(FILE)
    again = PolicyFile.model_validate_json(file.model_dump_json())
    assert 900 < len(tried(file)) < 1_100
    assert tried(file) == tried(again)
    assert tried(file, "plain/a") == set()
    for key in map(str, range(50)):
        found = file.policies.resolve("session/a", key)
        assert found == file.policies.for_namespace("session/a").resolve(key)


def test_other_trials_and_other_namespaces_try_other_keys() -> None:
    file = load_policies(FILE)
    other = tried(load_policies(FILE.replace(TRIAL, OTHER)))
    for differing in (other, tried(file, "session/b")):
        assert 150 < len(tried(file) & differing) < 250  # a fifth of a fifth of 5,000


def test_it_reads_back_as_it_was_written() -> None:
    file = load_policies(FILE)
    assert load_policies(dump_policies(file)) == file
    assert file.policies.rules[0].canary == Canary(trial=TRIAL, ttl_ms=3 * HOUR_MS, share=0.2)


def test_reasons_decide_nothing_and_canaries_do() -> None:
    file, reworded = load_policies(FILE), load_policies(FILE.replace("costs less", "is better"))
    assert file.policies.digest == reworded.policies.digest
    assert file.policies.digest != load_policies(FILE.replace("0.2", "0.3")).policies.digest
    plain = Policy(pattern="a")
    assert not {"why", "canary"} & plain.said().keys()  # as it was before there were any


@pytest.mark.parametrize(
    ("canary", "why"),
    [
        ("{ttl: 3h, share: 0.2}", "'trial' is missing"),
        ("{ttl: 3h, share: 1, trial: " + TRIAL + "}", "a canary on every key is no canary"),
        ("{ttl: 3h, share: 0.2, trial: first}", "a trial has an id of 32"),
        ("{ttl: permanent, share: 0.2, trial: " + TRIAL + "}", "'permanent' is not a time"),
    ],
)
def test_nothing_is_guessed(canary: str, why: str) -> None:
    with pytest.raises(InvalidPolicy, match=f"line 1: {why}"):
        load_policies(f"namespaces: [{{namespace: a, ttl: 1h, canary: {canary}}}]")
