"""Parquet: flat and typed, one file a kind, whatever the records hold."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import PackageMissing
from memtend.export import parquet
from memtend.export.columns import COMMON, OF_KIND, columns_of
from memtend.model.record import Labels
from memtend.services import Services, open_services

GOLDEN = Path(__file__).parents[1] / "golden/legacy"
NOW = datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)


@pytest.fixture
def services() -> Iterator[Services]:
    with open_services("sqlite://", clock=ManualClock()) as opened:
        yield opened


def export(services: Services, folder: Path) -> dict[str, pa.Table]:
    services.apply_export(services.plan_export(str(folder), "parquet"))
    return {path.stem: pq.read_table(path) for path in sorted(folder.glob("*.parquet"))}


def test_columns(services: Services, tmp_path: Path) -> None:
    memory = services.memory
    rich = Labels(kind="fact", agent="ada", tags=("a", "b"), importance=0.25, success_count=2)
    memory.put("notes", "rich", {"a": [1, "ü"]}, labels=rich, ttl_ms=60_000)
    memory.put("notes", "plain", None)
    memory.increment("n", "hits", 3)
    memory.add("s", "set", "element")
    found = export(services, tmp_path / "out")
    assert set(found) == {"fact", "note"}
    [row] = found["fact"].to_pylist()
    expected = {
        "namespace": "notes", "key": "rich", "field": None, "type": "value", "kind": "fact",
        "agent": "ada", "tags": ["a", "b"], "importance": 0.25, "confidence": None,
        "success_count": 2, "failure_count": None, "pinned": False, "trust": "unverified",
        "created_at": NOW, "updated_at": NOW, "expires_at": NOW.replace(minute=7),
        "access_count": 0, "accessed_at": None, "conflicts": 0, "extra": None,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["value"]) == {"a": [1, "ü"]}
    types = {row["key"]: (row["type"], row["value"]) for row in found["note"].to_pylist()}
    assert types == {
        "plain": ("value", "null"), "hits": ("counter", "3"), "set": ("element", '"element"'),
    }  # fmt: skip
    schema = found["fact"].schema
    assert schema.names == list(COMMON)
    assert schema.field("created_at").type == pa.timestamp("ms", tz="UTC")
    assert schema.field("tags").type == pa.list_(pa.string())


@pytest.mark.parametrize("version", ["1.0.0", "1.2.0", "2.0.0"])
def test_items_of_every_version_fill_the_same_columns(
    services: Services, tmp_path: Path, version: str
) -> None:
    services.apply_import(services.plan_import(str(GOLDEN / f"aml-{version}")))
    found = export(services, tmp_path / "out")
    assert set(found) == set(OF_KIND)
    for kind, table in found.items():
        assert table.schema.names == list(columns_of(kind))
        assert set(table["version"].to_pylist()) == {version}
    patterns = found["pattern"]
    assert patterns["success_rate"].null_count == 0
    assert patterns["execution_count"].type == pa.int64()
    assert patterns["last_used_at"].null_count == 0
    assert found["decision"]["chosen_option"].null_count == 0


def test_what_an_item_says_in_another_type_is_null(services: Services, tmp_path: Path) -> None:
    item: dict[str, Any] = {
        "id": "p", "metrics": {"successRate": "high", "executionCount": 2.5},
        "evolution": {"lastUsed": "never"}, "active": "yes", "pattern": [],
    }  # fmt: skip
    labels = Labels(kind="pattern")
    services.memory.put("a", "odd", item, labels=labels)
    services.memory.put("a", "none", "no item at all", labels=labels)
    rows = export(services, tmp_path / "out")["pattern"].to_pylist()
    for row in rows:
        for name in OF_KIND["pattern"]:
            assert row[name] is None
    assert sorted(str(row["version"]) for row in rows) == ["1.0.0", "None"]


def test_many_rows_and_kinds(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row groups are bounded, and kinds beyond a limit share a file."""
    monkeypatch.setattr(parquet, "EXPORT_GROUP_BYTES", 4_000)
    monkeypatch.setattr(parquet, "EXPORT_GROUPS_BYTES", 9_000)
    monkeypatch.setattr(parquet, "EXPORT_KINDS_MAX", 4)
    kinds = ["../up", "con", "note", *(f"k{n}" for n in range(9))]
    services.memory.put_many(
        [Put("n", f"k{n:03}", "x" * n, Labels(kind=kinds[n % len(kinds)])) for n in range(240)]
    )
    found = export(services, tmp_path / "out")
    assert set(found) == {"q=..=2Fup", "q=con", "note", "other"}
    assert sum(table.num_rows for table in found.values()) == 240
    assert pq.ParquetFile(tmp_path / "out/other.parquet").num_row_groups > 5
    keys = sorted(key for table in found.values() for key in table["key"].to_pylist())
    assert keys == [f"k{n:03}" for n in range(240)]
    assert len(set(found["other"]["kind"].to_pylist())) == 9


def test_without_the_package(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said before anything is read, with what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(PackageMissing) as error:
        services.plan_export(str(tmp_path / "out"), "parquet")
    assert "memtend[parquet]" in error.value.hint
    assert not (tmp_path / "out").exists()
