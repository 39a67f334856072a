"""The section `learn:` of a policy file."""

from __future__ import annotations

import pytest

from memtend.errors import InvalidPolicy
from memtend.limits_learning import LEARN_NAMES_MAX
from memtend.model.learnpolicy import LearnPolicy, Objective, TtlTuning
from memtend.model.policyfile import PolicyFile
from memtend.policies import dump_policies, load_policies

HOUR_MS = 3_600_000
EVERYTHING = """
learn:
  seed: 7
  explore: 0.05
  writers_excluded: [agent-13, agent-13, agent-7]
  incumbents: {"*": adaptive, review: hierarchical}
  objective: {failure: 0, duration: 0.5, price: 2, duration_full: 1m30s, cost_full: 0.25}
  outcomes: {min: 50, max: 1000}
  accesses: {sampled: false, max: 5000, keep: 30d}
  ttl:
    break_even: 6h
    floor: 10m
    ceiling: 90d
    keep: ["knowledge/**", "swarm-*/global/*"]
    accesses_min: 500
    canary_share: 0.25
    canary_time: 3d
    regret_max: 0.02
"""


def test_what_is_left_out_keeps_its_default() -> None:
    assert load_policies("").learn == LearnPolicy()
    assert load_policies("").learning == {}
    found = load_policies("learn: {ttl: {floor: 5m}, accesses: {keep: 1d}}").learn
    assert found == LearnPolicy(ttl=TtlTuning(floor_ms=300_000), accesses_keep_ms=24 * HOUR_MS)


def test_every_word_is_read() -> None:
    assert load_policies(EVERYTHING).learn == LearnPolicy(
        seed=7,
        explore=0.05,
        writers_excluded=("agent-13", "agent-7"),
        incumbents={"*": "adaptive", "review": "hierarchical"},
        objective=Objective(failure=0, duration=0.5, price=2, duration_full_s=90, cost_full=0.25),
        outcomes_min=50,
        outcomes_max=1_000,
        accesses=False,
        accesses_max=5_000,
        accesses_keep_ms=30 * 24 * HOUR_MS,
        ttl=TtlTuning(
            break_even_ms=6 * HOUR_MS,
            floor_ms=600_000,
            ceiling_ms=90 * 24 * HOUR_MS,
            namespaces_kept=("knowledge/**", "swarm-*/global/*"),
            accesses_min=500,
            canary_share=0.25,
            canary_ms=3 * 24 * HOUR_MS,
            regret_max=0.02,
        ),
    )


@pytest.mark.parametrize("text", ["", EVERYTHING])
def test_it_reads_back_as_it_was_written(text: str) -> None:
    file = load_policies(text)
    assert load_policies(dump_policies(file)) == file
    assert PolicyFile.model_validate_json(file.model_dump_json()).learn == file.learn


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ("seed: -1", "line 3: '-1' is not a whole number"),
        ("explore: 1.5", "line 3: '1.5' is not between 0 and 1"),
        ("explore: 0.0001", "line 3: '0.0001' is not between 0.001 and 1"),
        ("objective: {failure: 0, duration: 0, price: 0}", "line 3: one of failure"),
        ("objective: {speed: 1}", "line 3: unknown key 'speed'"),
        ("objective: {duration_full: 10}", "line 3: '10' is not a time"),
        ("outcomes: {max: 0}", "line 3: '0' is not between"),
        ("accesses: {max: 10}", "line 3: '10' is not between"),
        ("accesses: false", "line 3: a mapping is wanted here"),
        ("writers_excluded: agent-1", "line 3: a list is wanted here"),
        (f"writers_excluded: [{'a' * 257}]", "line 3: a name has up to 256 characters"),
        ("incumbents: {a: [b]}", "line 3: text is wanted here"),
        ("ttl: {floor: 0s}", "line 3: '0s' is not a time"),
        ("ttl: {floor: 2h, ceiling: 1h}", "line 3: the ceiling is below the floor"),
        ("ttl:\n    ceiling: 59s", "line 4: the ceiling is below the floor"),
        ("ttl: {keep: [a//b]}", "line 3: "),
        ("ttl: {canary_share: 0}", "line 3: '0' is not between 0.001 and 1"),
        ("ttl: {regret_max: soon}", "line 3: 'soon' is not a number"),
    ],
)
def test_nothing_is_guessed(section: str, why: str) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        load_policies(f"namespaces: []\nlearn:\n  {section}", name="p.yaml")
    assert f"p.yaml: {why}" in str(caught.value)


def test_its_lists_are_bounded() -> None:
    names = ", ".join(f"a{n}" for n in range(LEARN_NAMES_MAX + 1))
    for section in (f"writers_excluded: [{names}]", f"ttl: {{keep: [{names}]}}"):
        with pytest.raises(InvalidPolicy, match=f"more than {LEARN_NAMES_MAX} of them"):
            load_policies(f"learn: {{{section}}}")


def test_a_limit_may_stand_at_its_bound() -> None:
    """No ceiling below the floor, but one at it; a share of everything; exploring nothing."""
    found = load_policies(
        "learn: {explore: 0, ttl: {floor: 1h, ceiling: 1h, canary_share: 1, break_even: median}}"
    ).learn
    assert (found.explore, found.ttl.ceiling_ms, found.ttl.canary_share) == (0, HOUR_MS, 1)
    assert found.ttl.break_even_ms is None
