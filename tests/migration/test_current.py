"""The compatibility layer: a store of all four versions reads as a store of one."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from memtend import Labels, Memory, Put, Query, as_version
from memtend.errors import KindMismatch, MigrationUnknown
from memtend.upcast.current import current
from memtend.upcast.facts import Outcome, facts_of
from memtend.upcast.family import AML
from tests.fixtures.cli import Cli
from tests.migration.aml_items import STAMP, TYPICAL, sample

STAMP_MS = 1_788_592_259_953
PATTERN: dict[str, Any] = {"id": "p", "pattern": {}} | TYPICAL


def plain(value: dict[str, Any]) -> dict[str, Any]:
    """Without what the original program dropped, or asked its clock for."""
    return {k: v for k, v in value.items() if k not in ("metadata", "variations")}


def test_a_mixed_store_reads_as_one_version(memory: Memory) -> None:
    for version in AML.versions:
        memory.put_many(
            Put(f"agent/{version}/items", key, item, Labels(kind=kind))
            for key, (kind, item) in sample(version).items()
        )
    found = memory.search(Query(namespace="agent/*/items", limit=200))
    assert len(found) == 4 * 24
    assert {AML.version_of(one.labels.kind, one.value) for one in found} == set(AML.versions)
    read: dict[str, list[Any]] = {}
    for one in map(as_version, found):
        read.setdefault(one.key, []).append(plain(one.value))
    assert all(len(same) == 4 and same.count(same[0]) == 4 for same in read.values())
    stored = {one.path: one.value for one in memory.search(Query(kind="pattern", limit=100))}
    assert stored == {one.path: one.value for one in found if one.labels.kind == "pattern"}


def test_an_item_says_the_same_in_every_version() -> None:
    said = [
        {
            key: facts._replace(version="")
            for key, (kind, item) in sample(version).items()
            if (facts := facts_of(kind, item))
        }
        for version in AML.versions
    ]
    assert len(said[0]) == 24
    assert said[0] == said[1] == said[2] == said[3]
    pattern = said[0]["23b8c1e9392456de3eb13b9046685257"]
    assert (pattern.success_rate, pattern.executions, pattern.confidence) == (0.278, 0, 0.34)
    assert (pattern.created_ms, pattern.saved_ms, pattern.active) == (STAMP_MS, 1554, True)
    assert said[0]["bb5e4bcf15ed626914296c07f26b4776"].worked is True


def test_what_is_not_said_is_unknown() -> None:
    facts = facts_of("pattern", {"id": "p", "pattern": {}})
    assert facts is not None
    assert (facts.version, facts.active) == ("1.0.0", True)
    assert set(facts[2:]) == {None}
    absurd = {"successRate": 85, "executionCount": -1, "avgTimeSavedMs": "9"}
    grown = {"created": "tomorrow", "lastUsed": [], "confidenceScore": True}
    item = {"id": "p", "metrics": absurd, "evolution": grown, "active": False}
    facts = facts_of("pattern", item)
    assert facts is not None
    assert facts.active is False
    assert set(facts[2:]) == {None}
    assert facts_of("pattern", {"mine": 1}) is None


@pytest.mark.parametrize(
    "outcome",
    [
        {
            "wouldRepeat": False,
            "successMetrics": {"maintainability": 0.5, "customMetrics": {"joy": 2}},
            "lessonsLearned": ["measure"],
        },
        {
            "would_repeat": False,
            "success_metrics": {"maintainability": 0.5, "joy": 2, "why": "text"},
            "lessons_learned": ["measure", 1],
        },
    ],
)
def test_both_dialects_of_an_outcome(outcome: dict[str, Any]) -> None:
    old = {"id": "d", "decision": {}, "outcome": outcome}
    wanted = Outcome(False, {"maintainability": 0.5, "joy": 2}, ("measure",))
    for version in AML.versions:
        facts = facts_of("decision", AML.up("decision", old, version).value)
        assert facts is not None
        assert facts.outcome == wanted


def test_the_names_of_the_items_own_version_come_first() -> None:
    both = {"successRate": 0.2, "success_rate": 0.8}
    old = {"id": "p", "metrics": both, "version": "1.2.0"}
    new = {"id": "p", "performance": both, "evolution": {"confidenceScore": 0.4}}
    first, second = facts_of("pattern", old), facts_of("pattern", new)
    assert first is not None
    assert second is not None
    assert (first.success_rate, second.success_rate, second.confidence) == (0.2, 0.8, 0.4)


def test_times_without_a_zone_are_read_in_the_one_that_is_named() -> None:
    item = PATTERN | {"evolution": {"lastUsed": "2026-07-01T12:00:00"}}
    facts = facts_of("pattern", item, ZoneInfo("Europe/Berlin"))
    assert facts is not None
    assert (facts.last_used_ms, facts.created_ms) == (1_782_900_000_000, STAMP_MS)


def test_records_of_no_family_are_given_back() -> None:
    assert current("note", {"x": 1}) is None
    with Memory.open("sqlite://") as memory:
        memory.put("a", "note", {"x": 1})
        memory.put("a", "new", PATTERN | {"version": "9.9"}, labels=Labels(kind="pattern"))
        note, newer = memory.read("a", "note"), memory.read("a", "new")
        assert note is not None
        assert newer is not None
        assert as_version(note) == note
        with pytest.raises(KindMismatch, match="a/note holds a note"):
            as_version(note, "2.0.0")
        with pytest.raises(KindMismatch, match=r"9\.9"):
            as_version(newer)
        with pytest.raises(MigrationUnknown, match=r"9\.9"):
            as_version(newer, "9.9")


def test_siblings_are_cast_like_the_value() -> None:
    with Memory.open("sqlite://") as memory:
        for item in (PATTERN, AML.up("pattern", PATTERN | {"tags": ["b"]}).value):
            memory.put("a", "p", item, labels=Labels(kind="pattern"), ctx={})
        both = [as_version(one, "1.1.0").value for one in memory.siblings("a", "p")]
    assert sorted(one["tags"] for one in both) == [[], ["b"]]
    assert {AML.version_of("pattern", one) for one in both} == {"1.1.0"}


def test_the_command_reads_any_version(cli: Cli) -> None:
    old = {"id": "p", "pattern": {}, "timestamp": STAMP}
    cli("put", "a/b", "p", json.dumps(old), "--kind", "pattern")
    assert cli("get", "a/b", "p", "--as", "newest").json["version"] == "2.0.0"
    assert cli("get", "a/b", "p", "--as", "2.0.0", "--record").json["value"]["version"] == "2.0.0"
    assert cli("get", "a/b", "p", "--as", "1.1.0", "--siblings").json[0]["value"]["tags"] == []
    assert "tags" not in cli("get", "a/b", "p").json
    assert cli("get", "a/b", "none", "--as", "newest").status == 17
    assert cli("get", "a/b", "p", "--as", "3").status == MigrationUnknown.code
    cli("put", "a/b", "note", "text")
    assert cli("get", "a/b", "note", "--as", "newest").json == "text"
    assert cli("get", "a/b", "note", "--as", "2.0.0").status == KindMismatch.code
