"""Search: each condition alone, all together, at page borders, and behind other siblings."""

from __future__ import annotations

from typing import Any

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.memory import Memory
from memtend.model.policy import Policy, Reading
from memtend.model.query import Query
from memtend.model.record import Labels
from tests.fixtures.stores import beside, set_policies

LABELS = {
    "sure": Labels(kind="fact", agent="a", session="s1", tags=("x", "y"), confidence=0.9,
                   importance=1.0, success_count=9, failure_count=1, writer="w1"),
    "unsure": Labels(kind="guess", agent="b", session="s2", tags=("y",), confidence=0.1,
                     importance=0.0, success_count=1, failure_count=9, writer="w2"),
    "unknown": Labels(kind="fact", agent="b", session="s1", success_count=0, failure_count=0),
    "failed": Labels(kind="guess", tags=("x",), confidence=0.5, failure_count=3),
}  # fmt: skip
VALUES: dict[str, Any] = {
    "sure": {"lang": "py", "deep": {"list": [1, {"a": "b"}]}, "text": "Retry with Backoff"},
    "unsure": {"lang": "go", "deep": {"list": []}, "text": "never retry"},
    "unknown": {"lang": None, "deep": 1, "text": "Ünïcode"},
    "failed": ["lang", "py"],
}


@pytest.fixture
def filled(memory: Memory) -> Memory:
    memory.put_many([
        Put(f"team/{'one' if key == 'sure' else 'two/sub'}", key, VALUES[key], labels)
        for key, labels in LABELS.items()
    ])  # fmt: skip
    return memory


ALL = {"sure", "unsure", "unknown", "failed"}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ALL),
        ({"namespace": "team"}, ALL),
        ({"namespace": "team/one"}, {"sure"}),
        ({"namespace": "team/*/sub"}, ALL - {"sure"}),
        ({"namespace": "other/**"}, set()),
        ({"tag": "x"}, {"sure", "failed"}),
        ({"tag": "y", "namespace": "team/two"}, {"unsure"}),
        ({"tag": "z"}, set()),
        ({"kind": "fact"}, {"sure", "unknown"}),
        ({"agent": "b"}, {"unsure", "unknown"}),
        ({"session": "s1"}, {"sure", "unknown"}),
        ({"writer": "w2"}, {"unsure"}),
        ({"kind": "fact", "agent": "b"}, {"unknown"}),
        ({"fields": {"lang": "py"}}, {"sure"}),
        ({"fields": {"lang": None}}, {"unknown"}),
        ({"fields": {"deep.list.1.a": "b"}}, {"sure"}),
        ({"fields": {"deep.list.9": 1}}, set()),
        ({"fields": {"1": "py"}}, {"failed"}),
        ({"fields": {"lang": "py", "deep": 1}}, set()),
        ({"text": "RETRY"}, {"sure", "unsure"}),
        ({"text": "retry backoff"}, {"sure"}),
        ({"text": "ünïcode"}, {"unknown"}),
        ({"text": " "}, ALL),
        ({"confidence_min": 0.5}, {"sure", "failed"}),
        ({"confidence_max": 0.5}, {"unsure", "failed"}),
        ({"confidence_min": 0.2, "confidence_max": 0.6}, {"failed"}),
        ({"importance_min": 0.5}, {"sure", "unknown", "failed"}),
        ({"success_min": 0.9}, {"sure"}),
        ({"success_max": 0.1}, {"unsure", "failed"}),
    ],
)
def test_each_condition(filled: Memory, conditions: dict[str, Any], expected: set[str]) -> None:
    assert {record.key for record in filled.search(Query(**conditions))} == expected


def test_records_come_whole_and_in_order(filled: Memory) -> None:
    found = filled.search(Query())
    assert [record.key for record in found] == ["sure", "failed", "unknown", "unsure"]
    assert found[0].value == VALUES["sure"]
    assert found[0].labels == LABELS["sure"]
    assert [record.key for record in filled.search(Query(limit=2))] == ["sure", "failed"]


def test_what_is_gone_is_not_found(filled: Memory, clock: ManualClock) -> None:
    filled.delete("team/one", "sure")
    filled.put("team/two/sub", "failed", 1, ttl_ms=10)
    clock.advance(10)
    assert {record.key for record in filled.search(Query(tag="x"))} == set()
    assert {record.key for record in filled.search(Query())} == {"unsure", "unknown"}


def test_only_the_sibling_that_is_shown_counts(memory: Memory) -> None:
    beside(memory, "ns", "k", 1, labels=Labels(kind="old", tags=("old", "both")))
    beside(memory, "ns", "k", 2, labels=Labels(kind="new", tags=("new", "both")))
    assert memory.search(Query(kind="old")) == []
    assert memory.search(Query(tag="old")) == []
    for query in (Query(kind="new"), Query(tag="new"), Query(tag="both")):
        [record] = memory.search(query)
        assert (record.value, record.conflicts) == (2, 1)
    assert memory.tagged("old") == []
    assert memory.tagged("new") == memory.tagged("both") == [("ns", "k", 2)]
    set_policies(memory, Policy(pattern="ns", reading=Reading.MV))
    assert memory.tagged("old") == [("ns", "k", 1)]
    assert [one.value for one in memory.search(Query(tag="old"))] == [1]


def test_more_than_a_page(memory: Memory) -> None:
    tagged = Labels(tags=("t",))
    memory.put_many([Put("ns", f"k{n:04}", n, tagged) for n in range(1_203)])
    for query in (Query(limit=2_000), Query(tag="t", limit=2_000)):
        assert [record.value for record in memory.search(query)] == list(range(1_203))
