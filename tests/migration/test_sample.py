"""The demo's sample is whole, the same every time, and partly expired whenever it is made."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from memtend.clock import to_ms
from memtend.migrate.detect import detect_source, read_source
from memtend.migrate.items import Found, ImportItem, Quarantined
from memtend.policies import load_policies

DEMO = Path(__file__).parents[2] / "deployments/demo"
BASE = "2026-11-21T12:00:00+00:00"
BASE_MS = to_ms(datetime.fromisoformat(BASE))


def make(folder: Path, base: str = BASE) -> Path:
    command = [sys.executable, str(DEMO / "make_sample.py"), str(folder), "--base", base]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("sample"))


def read(root: Path) -> tuple[list[ImportItem], list[Found]]:
    found = list(read_source(root))
    return [one for one in found if isinstance(one, ImportItem)], found


def test_the_lifecycle_sample(sample: Path) -> None:
    assert detect_source(sample / "lifecycle") == "lifecycle"
    items, found = read(sample / "lifecycle")
    assert 110 <= len(items) <= 130
    assert [one.path.rpartition("/")[2] for one in found if isinstance(one, Quarantined)] == [
        "knowledge_draft.json"
    ]
    kinds = {one.labels.kind for one in items}
    assert {"progress", "decision", "pattern", "session", "knowledge", "metric"} <= kinds
    assert sum(one.counter for one in items) == 10
    assert sum(bool(one.siblings) for one in items) >= 4
    assert any(one.labels.extra["original"]["compressed"] for one in items)


def test_the_aml_sample(sample: Path) -> None:
    assert detect_source(sample / "aml") == "aml"
    items, found = read(sample / "aml")
    assert len(items) == len(found)
    assert 110 <= len(items) <= 130
    listed = [one for one in items if one.labels.kind != "context"]
    versions = ("1.0.0", "1.1.0", "1.2.0", "2.0.0")
    for version in versions:
        assert sum(one.source.format == version for one in listed) >= 10
    patterns = [one.labels for one in items if one.labels.kind == "pattern"]
    assert 0 < sum(labels.success_count is None for labels in patterns) < len(patterns) / 2


def test_the_swarm_sample(sample: Path) -> None:
    assert detect_source(sample / "swarm") == "swarm"
    items, found = read(sample / "swarm")
    assert not any(isinstance(one, Quarantined) for one in found)
    kinds = Counter(one.labels.kind for one in items)
    assert kinds.keys() >= {"decision", "knowledge", "outcome"}
    assert kinds["outcome"] == 12


def test_some_records_have_outlived_their_ttl(sample: Path) -> None:
    items, _ = read(sample / "lifecycle")
    policies = load_policies(sample / "lifecycle/.claude/memory-retention-policies.yaml").policies
    expired = 0
    for one in items:
        assert one.updated_ms is not None
        assert one.updated_ms < BASE_MS
        ttl_ms = policies.resolve(one.namespace, one.key).ttl_ms
        expired += ttl_ms is not None and one.updated_ms + ttl_ms <= BASE_MS
    assert 20 <= expired <= 70


def test_the_same_base_gives_the_same_items(sample: Path, tmp_path: Path) -> None:
    make(tmp_path)
    for kind in ("lifecycle", "aml", "swarm"):
        assert read(tmp_path / kind) == read(sample / kind)
