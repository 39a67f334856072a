"""Policy files: the legacy one as it is, ours, and hostile ones."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.errors import InvalidPolicy
from memtend.limits import MIB, TTL_MS_MAX
from memtend.model.policy import Cleanup, Compression, Policy, Reading
from memtend.model.policyfile import PolicyFile, PolicySafety, Quotas
from memtend.model.policyset import PolicySet
from memtend.policies import dump_policies, load_policies

LEGACY = (
    Path(__file__).parents[1] / "golden/legacy/lifecycle/.claude/memory-retention-policies.yaml"
)
HOUR_MS = 3_600_000


def rule(text: str) -> Policy:
    return load_policies(f"namespaces: [{{namespace: a, {text}}}]").policies.rules[0]


def refusal(text: str) -> str:
    with pytest.raises(InvalidPolicy) as caught:
        load_policies(text, name="p.yaml")
    return str(caught.value).removeprefix("policy file p.yaml: ")


def test_the_legacy_file_loads_as_it_is() -> None:
    file = load_policies(LEGACY)
    resolve = file.policies.resolve
    assert len(file.policies.rules) == 9
    assert resolve("coordination/agent1", "progress") == Policy(
        pattern="coordination/*", ttl_ms=HOUR_MS, cleanup=Cleanup.LAZY
    )
    assert resolve("task/42", "status").compression.enabled is False
    assert resolve("metrics/tasks", "count").reading is Reading.COUNTER
    assert resolve("knowledge/a", "b") == Policy(
        pattern="knowledge/*",
        cleanup=Cleanup.MANUAL,
        reading=Reading.MV,
        compression=Compression(threshold_bytes=512),
    )
    assert file.schedule.time_of_day == "02:00"
    assert file.logging.level == "INFO"
    assert file.notes == ("line 98: gzip is read on import; values are written with zstd, level 3",)


def test_the_rule_that_the_old_tool_never_reached_is_reached() -> None:
    policies = load_policies(LEGACY).policies
    assert policies.resolve("swarm/shared", "decisions").ttl_ms == 7 * 24 * HOUR_MS
    assert policies.resolve("swarm/shared", "tasks").ttl_ms == 24 * HOUR_MS


def test_our_own_additions() -> None:
    file = load_policies(
        """
namespaces:
  - {namespace: agent-*/scratch, ttl: 1d12h, refresh_on_read: true, conflict_strategy: set}
cleanup_schedule: {time_of_day: 02:00, interval_hours: 6}
compression: {algorithm: zstd, level: 9, default_threshold_bytes: 2_048}
quotas: {agent_bytes: 100MB, store_bytes: 2 GiB, warn_share: 0.5}
safety: {delete_share_max: 0.1}
"""
    )
    [first], rest = file.policies.rules, file.policies.fallback
    assert (first.ttl_ms, first.refresh_on_read, first.reading) == (36 * HOUR_MS, True, "set")
    assert first.compression == Compression(level=9, threshold_bytes=2_048)
    assert (rest.pattern, rest.compression) == ("**", first.compression)
    assert file.schedule.time_of_day == "02:00"
    assert file.quotas == Quotas(agent_bytes=10**8, store_bytes=2 * 2**30, warn_share=0.5)
    assert file.safety == PolicySafety(delete_share_max=0.1)


@pytest.mark.parametrize(
    ("text", "ttl_ms"),
    [
        ("ttl_seconds: 0", None),
        ("ttl: permanent", None),
        ("ttl_seconds: 0.5", 500),
        ("ttl: 250ms", 250),
        ("ttl: 2w", 14 * 24 * HOUR_MS),
    ],
)
def test_ttl(text: str, ttl_ms: int | None) -> None:
    assert rule(text).ttl_ms == ttl_ms


RULE = "namespaces:\n  - namespace: a\n    ttl: 1h\n    "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("recollection: 3", "line 1: unknown key 'recollection'; allowed: namespaces, cleanup_sch"),
        (RULE + "ttl_second: 3", "line 4: unknown key 'ttl_second'; allowed: namespace, ttl_s"),
        (RULE + "ttl_seconds: 3", "line 2: give 'ttl_seconds' (0 = permanent) or 'ttl'"),
        (RULE + "ttl: 2h", "line 4: the key 'ttl' was given before, on line 3"),
        (RULE + "conflict_strategy: newest", "line 4: 'newest' is not one of lww, multi_value"),
        (RULE + "refresh_on_read: maybe", "line 4: 'maybe' is not true or false"),
        (RULE + "compression_threshold_bytes: 1e3", "line 4: '1e3' is not a whole number"),
        (RULE + "compression_level: 20", "line 4: '20' is not between 1 and 19"),
        (RULE + "cleanup_strategy: [lazy]", "line 4: text is wanted here, not a list"),
        ("namespaces:\n- {namespace: a/**b, ttl: 1h}", "line 2: pattern 'a/**b' is not valid"),
        (RULE + "\n  - {namespace: a, ttl: 2h}", "line 5: the pattern 'a' was given before, on"),
        ("namespaces: [{ttl: 1h}]", "line 1: 'namespace' is missing"),
        ("namespaces: [{namespace: a, ttl: 0s}]", "line 1: '0s' is not a time such as 90s"),
        ("namespaces: [{namespace: a, ttl: 1h1d}]", "line 1: '1h1d' is not a time"),
        ("namespaces: [{namespace: a, ttl_seconds: -1}]", "line 1: '-1' is not a number"),
        ("namespaces: [{namespace: a, ttl_seconds: 0.0001}]", "line 1: a TTL is at least one"),
        (
            "namespaces:" + "".join(f"\n- {{namespace: n{n}, ttl: 1h}}" for n in range(1_001)),
            "line 1002: more than 1,000 rules",
        ),
        ("namespaces: {a: 1h}", "line 1: a list is wanted here, not a mapping"),
        ("cleanup_schedule: {time_of_day: '24:00'}", "line 1: a time of day is written HH:MM"),
        ("safety: {delete_share_max: 25}", "line 1: '25' is not between 0 and 1"),
        ("quotas: {agent_bytes: lots}", "line 1: a quota is a number of bytes"),
        ("a: !!python/object/apply:os.system [x]", "line 1: unknown key 'a'"),
        ("logging: {level: !!python/name:os.x ''}", "line 1: the tag"),
        ("? [a]\n: b", "line 1: a key must be plain text"),
        ("a: [", "line 2: did not find expected node content"),
        ("a: b\n---\nc: d", "line 2: but found another document"),
        ("a: \x00", "the file: it holds characters that YAML does not allow"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, expected: str) -> None:
    assert refusal(text).startswith(expected)


def laughs(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        laughs(12),
        laughs(28),
        "a: &a [*a]",
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        "? " * 100_000,
        "[a, " * 200_000,
        "&a a: *a\n" * 1_000,
        "- x\n" * 200_000,
        "a" * (2 * MIB),
        "a: |\n" + " x\n" * 300_000,
        '"' + "\\u0041" * 100_000 + '": x',
        "%TAG ! tag:x,2000:\n---\n!!python/object/new:os.system [x]",
        "x: " + "9" * 500_000,
        "\ufeff" * 300_000,
        "\ud800",
    ],
    ids=range(17),
)
def test_hostile_files_are_refused_cheaply(text: str) -> None:
    """The run's time limit judges the speed; here the memory is counted."""
    tracemalloc.start()
    refusal(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * MIB


@given(st.text(alphabet="-:[]{}&*!|>?,#'\" \n\tab0", max_size=60))
def test_any_text_loads_or_is_refused_by_name(text: str) -> None:
    try:
        load_policies(text)
    except InvalidPolicy:
        return


POLICIES = st.builds(
    Policy,
    pattern=st.sampled_from(["a", "a/*", "b-*/c", "**", "x/**/y", "on", "1e3"]),
    ttl_ms=st.none() | st.integers(1, TTL_MS_MAX),
    cleanup=st.sampled_from(Cleanup),
    reading=st.sampled_from(Reading),
    compression=st.builds(
        Compression,
        enabled=st.booleans(),
        threshold_bytes=st.integers(0, MIB),
        level=st.integers(1, 19),
    ),
    refresh_on_read=st.booleans(),
)
FILES = st.builds(
    PolicyFile,
    policies=st.lists(POLICIES, unique_by=lambda p: p.pattern, max_size=4).map(
        lambda rules: PolicySet(rules=tuple(rules))
    ),
    quotas=st.builds(Quotas, agent_bytes=st.integers(1, 2**40)),
)


@given(FILES)
def test_dump_and_load_round_trip(file: PolicyFile) -> None:
    assert load_policies(dump_policies(file)) == file


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidPolicy, match="No such file"):
        load_policies(tmp_path / "none.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: b\nc: \xff")
    with pytest.raises(InvalidPolicy, match="line 2: it is not UTF-8"):
        load_policies(latin)
