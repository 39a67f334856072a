"""Limits and bad input: a typed error names what is wrong, and nothing is written."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from memtend.drafting import Put
from memtend.errors import InvalidName, InvalidValue, LimitExceeded, MemtendError
from memtend.limits import (
    INTEGER_ABS_MAX,
    PATH_BYTES_MAX,
    PATH_SEGMENTS_MAX,
    TTL_MS_MAX,
    VALUE_BYTES_MAX,
    VALUE_DEPTH_MAX,
)
from memtend.memory import Memory
from memtend.model.record import Labels
from memtend.store.verify import verify_store

NS = "agent/a"
LONGEST = "k" * (PATH_BYTES_MAX - len(NS) - 1)


def nested(depth: int, leaf: Any = 1) -> Any:
    for n in range(depth):
        leaf = [leaf] if n % 2 else {"a": leaf}
    return leaf


def assert_empty(memory: Memory) -> None:
    stats = memory.stats()
    assert (stats.records, stats.changes, stats.bytes) == (0, 0, 0)
    assert verify_store(memory.store).audit_entries == 0


@pytest.mark.parametrize(
    "name",
    ["", "/", "a/", "/a", "a//b", " ", "a b", "a\n", "é", "*", "a/*", ".", "-a", "=", "a\x00b",
     "\ud800", "a\\b", "a%b", "a,b", "a" * (PATH_BYTES_MAX + 1), 5, None, b"a", 1.5, True],
)  # fmt: skip
def test_names_that_are_refused(memory: Memory, name: Any) -> None:
    for namespace, key in ((name, "k"), (NS, name)):
        with pytest.raises(InvalidName):
            memory.put(namespace, key, 1)
        with pytest.raises(InvalidName):
            memory.put_many([Put(NS, "fine", 1), Put(namespace, key, 1)])
        with pytest.raises(InvalidName):
            memory.increment(namespace, key)
        with pytest.raises(InvalidName):
            memory.add(namespace, key, "element")
    assert_empty(memory)


@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "", "a b", "é", "x" * 10_000])
def test_a_name_that_nothing_can_have_is_read_as_absent_or_refused(
    memory: Memory, name: str
) -> None:
    memory.put(NS, "k", 1)
    for namespace, key in ((NS, name), (name, "k")):
        for call in (memory.get, memory.read, memory.siblings, memory.delete, memory.members):
            with suppress(InvalidName):
                assert not call(namespace, key)
        with suppress(InvalidName):
            assert not memory.get_many(namespace, [key])
        with suppress(InvalidName):
            memory.scan(namespace, after=key)


def test_the_longest_and_deepest_names(memory: Memory) -> None:
    memory.put(NS, LONGEST, 1)
    assert memory.get(NS, LONGEST) == 1
    with pytest.raises(InvalidName, match="512"):
        memory.put(NS, LONGEST + "k", 1)
    deepest = "/".join("x" * (PATH_SEGMENTS_MAX - 2))
    memory.put(NS, deepest, 2)
    assert memory.scan(NS, prefix="x/") == [(deepest, 2)]
    with pytest.raises(InvalidName, match="16 segments"):
        memory.put(NS, deepest + "/x", 1)
    with pytest.raises(InvalidName):
        memory.put_many([Put(NS, "k", 1, field="not a name")])


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, [1, {"a": math.nan}], 2**53, -(2**53), [2**64], {1: "a"},
     {None: 1}, {"a": {2: 3}}, {1, 2}, b"bytes", object(), 1j, datetime(2026, 1, 1), "\ud800",
     {"\ud800": 1}, (math.inf,), {"a": (1, None, math.nan)}],
)  # fmt: skip
def test_values_that_json_cannot_say(memory: Memory, value: Any) -> None:
    with pytest.raises(InvalidValue):
        memory.put(NS, "k", value)
    with pytest.raises(InvalidValue):
        memory.put_many([Put(NS, "fine", 1), Put(NS, "k", value)])
    with pytest.raises(InvalidValue):
        memory.add(NS, "k", value)
    assert_empty(memory)


def test_a_value_that_contains_itself(memory: Memory) -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises((InvalidValue, LimitExceeded)):
        memory.put(NS, "k", value)
    assert_empty(memory)


def test_null_among_finite_numbers_is_a_value(memory: Memory) -> None:
    value = [None, {"a": [1.5, None], "null": "null"}]
    memory.put(NS, "k", value)
    assert memory.get(NS, "k") == value


@pytest.mark.parametrize("leaf", [1, [1, 2], {"a": 1, "b": 2}, "[[[[{{{{" * 100])
def test_depth_is_counted_in_levels(memory: Memory, leaf: Any) -> None:
    levels = VALUE_DEPTH_MAX - isinstance(leaf, list | dict)
    wide = [nested(levels - 1, leaf), [], {}, [1, []]]
    memory.put(NS, "k", wide)
    assert memory.get(NS, "k") == wide
    with pytest.raises(LimitExceeded, match="depth"):
        memory.put(NS, "k", [nested(levels, leaf), [], {}, [1, []]])


def test_the_largest_value(memory: Memory) -> None:
    text = "x" * (VALUE_BYTES_MAX - 2)
    memory.put(NS, "k", text)
    assert memory.get(NS, "k") == text
    with pytest.raises(LimitExceeded, match="size"):
        memory.put(NS, "k", text + "x")
    assert memory.get(NS, "k") == text


@pytest.mark.parametrize("ttl_ms", [-1, TTL_MS_MAX + 1, 10**30, 1000.0, float("nan"), "60"])
def test_deadlines_out_of_range(memory: Memory, ttl_ms: Any) -> None:
    with pytest.raises((InvalidValue, LimitExceeded)):
        memory.put(NS, "k", 1, ttl_ms=ttl_ms)
    with pytest.raises((InvalidValue, LimitExceeded)):
        memory.put_many([Put(NS, "k", 1, expires_at_ms=10**18)])
    assert_empty(memory)
    memory.put(NS, "far", 1, ttl_ms=TTL_MS_MAX)
    memory.put(NS, "k", 1, ttl_ms=1_000)
    with pytest.raises((InvalidValue, LimitExceeded)):
        memory.touch(NS, "k", ttl_ms)
    assert memory.read(NS, "k") is not None


@pytest.mark.parametrize("by", [INTEGER_ABS_MAX + 1, -INTEGER_ABS_MAX - 1])
def test_numbers_too_large_for_a_counter(memory: Memory, by: int) -> None:
    with pytest.raises((InvalidValue, LimitExceeded)):
        memory.increment(NS, "n", by)
    with pytest.raises((InvalidValue, LimitExceeded)):
        memory.set_counter(NS, "n", by)
    assert_empty(memory)
    memory.increment(NS, "n", INTEGER_ABS_MAX)
    with pytest.raises((InvalidValue, LimitExceeded)):
        memory.increment(NS, "n", 1)
    assert memory.increment(NS, "n", -1) == INTEGER_ABS_MAX - 1


def test_an_error_says_what_to_do(memory: Memory) -> None:
    with pytest.raises(MemtendError) as caught:
        memory.put(NS, "not a key", 1)
    assert "'not a key'" in str(caught.value)
    assert caught.value.hint
    assert caught.value.code == 10


@pytest.mark.parametrize("labels", [{"agent": "a\0"}, {"tags": ("t\0",)}, {"tags": ("t", "t")}])
def test_labels_that_not_every_database_can_keep(labels: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Labels(**labels)
