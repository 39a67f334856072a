"""Whatever JSON stands in a file, each item comes out exactly once and nothing falls over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtend.codec.canonical import encode
from memtend.migrate.detect import read_source
from memtend.migrate.items import Found, ImportItem, Quarantined

TEXTS = st.text(st.characters(codec=None), max_size=8)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
NOW = st.just("2026-01-01T00:00:00Z")


def shaped(*names: str, **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with the format's own field names, holding what belongs there or anything."""
    fields = dict.fromkeys(names, JSON) | {name: JSON | how for name, how in known.items()}
    return st.fixed_dictionaries({}, optional=fields)


RECORDS = shaped(
    "value",
    "version",
    "conflicted",
    key=st.sampled_from(["a/b", "metrics/x/count", "é /ü"]),
    namespace=st.sampled_from(["a", "metrics/x"]),
    timestamp=NOW | st.just(1.5),
    compressed=st.booleans(),
    conflict_values=st.lists(st.tuples(JSON, NOW), max_size=2),
)
ITEMS = shaped(
    "agent",
    "tags",
    "active",
    "metadata",
    "version",
    "outcome",
    id=st.sampled_from(["p1", "p 2"]),
    timestamp=NOW,
    metrics=shaped("successRate", "executionCount"),
    performance=shaped("success_rate", "execution_count"),
    evolution=shaped("confidenceScore", created=NOW),
    effectiveness=shaped("worked"),
)
QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def check(found: list[Found], expected: int) -> None:
    assert len(found) == expected
    for one in found:
        assert isinstance(one, ImportItem | Quarantined)
        if isinstance(one, ImportItem):
            assert encode(one.value) == one.text
            assert one.source.import_id
        else:
            assert Quarantined.model_validate_json(one.model_dump_json()) == one


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    (tmp_path / ".claude-flow/memory").mkdir(parents=True)
    (tmp_path / "memory/agent-0").mkdir(parents=True)
    return tmp_path


@given(item=RECORDS | JSON)
@QUICK
def test_any_lifecycle_record(memory: Path, item: Any) -> None:
    (memory / ".claude-flow/memory/x.json").write_text(json.dumps(item))
    check(list(read_source(memory, "lifecycle")), 1)


@given(items=st.lists(ITEMS | JSON, max_size=4))
@QUICK
def test_any_aml_items(memory: Path, items: list[Any]) -> None:
    (memory / "memory/agent-0/patterns.json").write_text(json.dumps(items))
    (memory / "memory/agent-0/decisions.json").write_text(json.dumps(items))
    (memory / "memory/agent-0/context.json").write_text(json.dumps(items))
    check(list(read_source(memory, "aml")), 2 * len(items) + 1)
