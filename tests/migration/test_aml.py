"""The AML tree: four schema versions, told apart item by item."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from memtend.errors import SourceUnknown
from memtend.migrate.detect import detect_source, read_source
from memtend.migrate.items import ImportItem, PassedOver, Quarantined
from memtend.model.unreadable import Unreadable
from memtend.upcast.aml_versions import counts, item_version

GOLDEN = Path(__file__).parents[1] / "golden/legacy"
VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "2.0.0")
STAMP = "2026-09-05T07:10:59.953Z"


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    (tmp_path / "memory/agent-0").mkdir(parents=True)
    return tmp_path / "memory"


def save(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def items(root: Path) -> list[ImportItem]:
    return [one for one in read_source(root) if isinstance(one, ImportItem)]


def reasons(root: Path) -> list[tuple[str, str | None, str]]:
    found = [one for one in read_source(root) if isinstance(one, Quarantined)]
    return [(one.path, one.id, one.reason) for one in found]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_item_of_every_version_is_kept_unchanged(version: str) -> None:
    root = GOLDEN / f"aml-{version}"
    assert detect_source(root) == "aml"
    found = items(root)
    assert len(found) == 24
    assert reasons(root) == []
    assert {one.source.format for one in found} == {version}
    kept = {(one.source.path, one.source.id): one.value for one in found}
    for path in root.glob("memory/agent-*/*.json"):
        for item in json.loads(path.read_bytes()):
            assert kept[path.relative_to(root / "memory").as_posix(), item["id"]] == item


def test_labels_are_the_same_in_every_version() -> None:
    """Migrations of the old program renamed fields; what they mean stays."""
    seen = []
    for version in VERSIONS:
        found = {one.path: one for one in items(GOLDEN / f"aml-{version}")}
        seen.append({path: (one.labels, one.created_ms) for path, one in found.items()})
    assert seen[0] == seen[1] == seen[2] == seen[3]
    pattern = seen[0]["agent/agent-0/patterns/23b8c1e9392456de3eb13b9046685257"][0]
    assert (pattern.kind, pattern.agent, pattern.confidence) == ("pattern", "agent-0", 0.34)
    assert (pattern.success_count, pattern.failure_count) == (0, 0)


@pytest.mark.parametrize(
    ("item", "version"),
    [
        ({}, "1.0.0"),
        ({"metadata": {"mine": 1}}, "1.0.0"),
        ({"version": 3}, "1.0.0"),
        ({"tags": []}, "1.0.0"),
        ({"tags": [], "active": True}, "1.1.0"),
        ({"metadata": {"mine": 1}, "variations": []}, "1.2.0"),
        ({"metadata": {"created_by": "m", "last_modified": "", "version": "1.2.0"}}, "1.2.0"),
        ({"performance": {}}, "2.0.0"),
        ({"lifecycle": {}}, "2.0.0"),
        ({"version": "1.1.0", "performance": {}}, "1.1.0"),
    ],
)
def test_the_version_is_read_off_the_item(item: dict[str, Any], version: str) -> None:
    assert item_version("pattern", item) == version


def test_a_version_from_the_future_is_quarantined() -> None:
    with pytest.raises(Unreadable, match=r"3\.0\.0"):
        item_version("pattern", {"version": "3.0.0"})


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, (None, None)),
        ({"metrics": {"successRate": 0.75, "executionCount": 8}}, (6, 2)),
        ({"performance": {"success_rate": 1, "execution_count": 3}}, (3, 0)),
        ({"metrics": {"successRate": 0.5}}, (None, None)),
        ({"metrics": {"successRate": 7, "executionCount": 8}}, (None, None)),
        ({"effectiveness": {"worked": True}, "verifiedCount": 4}, (4, 0)),
        ({"effectiveness": {"worked": False}}, (0, 1)),
        ({"effectiveness": {}}, (None, None)),
        ({"outcome": {"wouldRepeat": True}}, (1, 0)),
        ({"outcome": {"would_repeat": False}}, (0, 1)),
        ({"outcome": None}, (None, None)),
    ],
)
def test_absent_metrics_stay_absent(item: dict[str, Any], expected: tuple[Any, Any]) -> None:
    assert counts(item) == expected


def test_one_bad_item_does_not_take_the_others(memory: Path) -> None:
    save(
        memory / "agent-0/patterns.json",
        b'[{"id": "a"}, {"agent": "x"}, "text", {"id": "b", "timestamp": "tomorrow"},'
        b' {"id": "c", "version": "9.9.9"}, {"id": "d", "x": 1, "x": 2}, {"id": "e", "x": NaN},'
        b' {"id": "f/../g h"}]',
    )
    save(memory / "agent-0/decisions.json", {"id": "x"})
    assert [one.path for one in items(memory)] == [
        "agent/agent-0/patterns/a",
        "agent/agent-0/patterns/f/q=../q=g=20h",
    ]
    assert [(path, name) for path, name, _ in reasons(memory)] == [
        ("agent-0/decisions.json", None),
        *(("agent-0/patterns.json", name) for name in (None, None, "b", "c", "d", "e")),
    ]


def test_shared_folders_are_not_agents(memory: Path) -> None:
    one = [{"id": "d1", "timestamp": STAMP}]
    save(memory / "agent 7/decisions.json", one)
    save(memory / "agent 7/metrics.json", {"agent": "agent 7", "timestamp": STAMP})
    save(memory / "agent-0/index.json", {})
    save(memory / "global/archived-decisions.json", one)
    save(memory / "global/team-conventions.json", {"indent": 4})
    save(memory / "global/bloom.dat", b"\x80\x04pickle")
    save(memory / "global/index.json", b"gone")
    save(memory / "monitoring/alerts.json", [{"id": "a1", "level": "info"}])
    save(memory / "audit/audit-2026.json", [{"event": "write"}])
    save(memory / "config/schema_version.json", {"version": "9.9.9"})
    save(memory / "config.json", {})
    save(memory / "agent 7/deep/patterns.json", one)
    (memory.parent / "memory-backup").mkdir()
    assert {one.path: one.labels.kind for one in items(memory)} == {
        "agent/q=agent=207/decisions/d1": "decision",
        "agent/q=agent=207/metrics": "metric",
        "global/archived-decisions/d1": "decision",
        "global/team-conventions": "convention",
        "monitoring/alerts/a1": "alert",
        "audit/audit-2026": "audit",
    }
    passed = {one.path for one in read_source(memory) if isinstance(one, PassedOver)}
    assert passed == {
        "agent-0/index.json",
        "global/bloom.dat",
        "global/index.json",
        "config/schema_version.json",
        "config.json",
        "../memory-backup",
    }
    assert [path for path, _, _ in reasons(memory)] == ["agent 7/deep/patterns.json"]


def test_naive_times_are_read_in_the_zone_and_counted(memory: Path) -> None:
    naive = "2026-07-01T12:00:00"
    pattern = {"id": "p", "timestamp": naive, "evolution": {"created": naive, "lastUsed": STAMP}}
    save(memory / "agent-0/patterns.json", [pattern, {"id": "timeless"}])
    found = [
        one for one in read_source(memory, zone="Europe/Berlin") if isinstance(one, ImportItem)
    ]
    assert (found[0].updated_ms, found[0].naive_times) == (1_782_900_000_000, 2)
    assert (found[1].updated_ms, found[1].created_ms) == (None, None)


def test_two_kinds_in_one_folder_must_be_told_apart(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "lifecycle", tmp_path, dirs_exist_ok=True)
    shutil.copytree(GOLDEN / "aml-1.0.0", tmp_path, dirs_exist_ok=True)
    with pytest.raises(SourceUnknown, match="lifecycle, aml"):
        detect_source(tmp_path)
    assert len(list(read_source(tmp_path, kind="lifecycle"))) == 11
    assert len(items_of(tmp_path, "aml")) == 24
    with pytest.raises(SourceUnknown):
        read_source(GOLDEN / "lifecycle", kind="aml")


def items_of(root: Path, kind: str) -> list[ImportItem]:
    return [one for one in read_source(root, kind) if isinstance(one, ImportItem)]
