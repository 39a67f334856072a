"""Patterns against a reference that is slow and obvious."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.errors import InvalidName
from memtend.model.pattern import compile_pattern, most_specific_first, why_wins

SEGMENTS = st.text("ab-", min_size=1, max_size=4).map(lambda s: "x" + s if s[0] == "-" else s)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=5).map("/".join)


def _valid(segments: list[str]) -> bool:
    return all(s[0] != "-" for s in segments) and ("**", "**") not in pairwise(segments)


WILD = st.text("ab-*", min_size=1, max_size=4).filter(lambda s: s == "**" or "**" not in s)
PATTERNS = st.lists(st.one_of(WILD, st.just("**")), min_size=1, max_size=5).filter(_valid)
PATTERN_TEXTS = PATTERNS.map("/".join)


def segment_matches(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(segment_matches(pattern[1:], text[n:]) for n in range(len(text) + 1))
    return bool(text) and pattern[0] == text[0] and segment_matches(pattern[1:], text[1:])


def governs(pattern: list[str], path: list[str]) -> bool:
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(governs(pattern[1:], path[n:]) for n in range(len(path) + 1))
    return bool(path) and segment_matches(pattern[0], path[0]) and governs(pattern[1:], path[1:])


@given(PATTERNS, PATHS)
def test_governs_as_the_reference_does(pattern: list[str], path: str) -> None:
    assert compile_pattern("/".join(pattern)).governs(path) == governs(pattern, path.split("/"))


@given(PATHS)
def test_a_path_governs_itself_and_what_is_below(path: str) -> None:
    pattern = compile_pattern(path)
    assert pattern.governs(path)
    assert pattern.governs(path + "/below")
    assert not pattern.governs(path + "x")


@given(PATTERN_TEXTS, PATHS, PATHS)
def test_governing_is_inherited_downwards(pattern: str, path: str, below: str) -> None:
    compiled = compile_pattern(pattern)
    if compiled.governs(path):
        assert compiled.governs(f"{path}/{below}")


@given(PATTERN_TEXTS, PATHS, PATHS)
def test_what_governs_below_was_announced(pattern: str, path: str, below: str) -> None:
    compiled = compile_pattern(pattern)
    if compiled.governs(f"{path}/{below}"):
        assert compiled.may_govern_below(path)


@given(st.lists(PATTERN_TEXTS, unique=True, max_size=6), st.randoms(use_true_random=False))
def test_the_order_is_total(texts: list[str], random: object) -> None:
    """Whatever the order in the file, the same pattern wins."""
    shuffled = sorted(texts, key=lambda _: random.random())  # type: ignore[attr-defined]
    first = [p.text for p in most_specific_first(map(compile_pattern, texts))]
    second = [p.text for p in most_specific_first(map(compile_pattern, shuffled))]
    assert first == second


def test_most_specific_first() -> None:
    ordered = ["a/bcd/e", "a/bcd", "a/bc*", "a/b*", "a/*/e", "a/*", "a/**/e", "a/**", "a", "**"]
    found = most_specific_first(map(compile_pattern, sorted(ordered)))
    assert [pattern.text for pattern in found] == ordered


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("coordination/*", "coordination/agent1/progress", True),
        ("coordination/*", "coordination", False),
        ("swarm/shared/decisions", "swarm/shared/decisions", True),
        ("swarm/shared/decisions", "swarm/shared/decisions-old", False),
        ("task/*/status", "task/7/status", True),
        ("task/*/status", "task/7/8/status", False),
        ("agent-*", "agent-", True),
        ("agent-*/x", "agent-1/x/y", True),
        ("**/count", "metrics/a/b/count", True),
        ("a_b", "axb", False),
        ("a.c", "abc", False),
    ],
)
def test_examples(pattern: str, path: str, expected: bool) -> None:
    assert compile_pattern(pattern).governs(path) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "a**",
        "**a/b",
        "**/**",
        "a b",
        "%",
        "../x",
        "?",
        "x" * 513,
        "a/" * 16 + "a",
    ],
)
def test_bad_patterns_are_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        compile_pattern(text)


def test_no_pattern_is_slow() -> None:
    """A backtracking matcher would not finish these; the run's time limit is the judge."""
    stars = compile_pattern("*a" * 200 + "*b")
    assert not stars.governs("a" * 511)
    deep = compile_pattern("/".join(["**", "a*"] * 7 + ["b"]))
    assert not deep.governs("/".join(["a" * 30] * 16))


def test_why_wins_names_the_segment() -> None:
    one, two = compile_pattern("a/b/*"), compile_pattern("a/*/c")
    assert why_wins(one, two) == "segment 2: 'b' is more specific than '*'"
    assert "more segments" in why_wins(compile_pattern("a/b"), compile_pattern("a"))
    assert "order of text" in why_wins(compile_pattern("a*"), compile_pattern("b*"))
