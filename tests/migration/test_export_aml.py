"""AML trees: what came in can go out, in either version, item by item as it was."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memtend.clock import ManualClock
from memtend.codec.canonical import encode
from memtend.export.report import ExportReport
from memtend.model.quoting import quote_name, quote_segment
from memtend.model.record import Labels, Trust
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.quarantine import mark_writer
from memtend.upcast.family import AML

GOLDEN = Path(__file__).parents[1] / "golden/legacy"
VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "2.0.0")
EXPORTED = ("1.2.0", "2.0.0")
LATER_MS = 1_795_000_000_000
Items = dict[tuple[str, str, str], Any]

ODD = (
    "../x", "a/b", "con", "CON.txt", "global", "q=global", "ü ber", ".hidden", "a:b", "x.", "-",
    "..", "name\n", "\\\\host", "q=..=2Fx", "日本", "a" * 200,
)  # fmt: skip
LISTS = ("patterns", "solutions", "decisions", "archived-decisions")


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    settings = Settings(plans_url=str(tmp_path / "plans"), backup_url=str(tmp_path / "backups"))
    url = f"sqlite:///{tmp_path}/store.db"
    with open_services(url, clock=ManualClock(LATER_MS), settings=settings) as opened:
        yield opened


def load(path: Path) -> Any:
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)


def items(root: Path) -> Items:
    """Items by folder, file and id."""
    return {
        (path.parent.name, path.name, item["id"]): item
        for path in sorted(root.glob("memory/*/*.json"))
        if path.stem in LISTS
        for item in load(path)
    }


def bring(services: Services, root: Path) -> None:
    report = services.apply_import(services.plan_import(str(root)))
    assert (report.refused, report.quarantined) == (0, 0)


def export(services: Services, dest: Path, version: str, **more: Any) -> ExportReport:
    return services.apply_export(services.plan_export(str(dest), f"aml-{version}", **more))


def kind_of(place: tuple[str, str, str]) -> str:
    return "decision" if "decisions" in place[1] else place[1].removesuffix("s.json")


def same(one: Any, other: Any) -> bool:
    return encode(one) == encode(other)


@pytest.mark.parametrize("wanted", EXPORTED)
@pytest.mark.parametrize("version", VERSIONS)
def test_samples_go_out(services: Services, tmp_path: Path, version: str, wanted: str) -> None:
    """In the version that they came in they are the same; in another, what the chain makes."""
    root = GOLDEN / f"aml-{version}"
    bring(services, root)
    report = export(services, tmp_path / "out", wanted)
    before, after = items(root), items(tmp_path / "out")
    assert before.keys() == after.keys()
    assert (report.records, report.left_out) == (len(before), ())
    for place, item in before.items():
        kind = kind_of(place)
        assert same(after[place], AML.cast(kind, item, wanted).value)
        assert AML.version_of(kind, after[place]) == wanted
        assert version != wanted or same(after[place], item)


@pytest.mark.parametrize("version", VERSIONS)
def test_after_a_migration(services: Services, tmp_path: Path, version: str) -> None:
    """Unknown fields and whatever else a migration moved come back by its undo."""
    root = tmp_path / "source"
    for path in sorted((GOLDEN / f"aml-{version}").glob("memory/*/*.json")):
        found = load(path)
        if isinstance(found, list):
            for number, item in enumerate(found):
                item["x-team"] = {"any": [number, None]}
        to = root / "memory" / path.parent.name / path.name
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(json.dumps(found))
    bring(services, root)
    if version != AML.newest:
        services.apply_migration(services.plan_migration(), rehearsal=False)
    export(services, tmp_path / "new", "2.0.0")
    export(services, tmp_path / "old", "1.2.0")
    before, old, new = items(root), items(tmp_path / "old"), items(tmp_path / "new")
    assert before.keys() == old.keys() == new.keys()
    for place, item in before.items():
        kind = kind_of(place)
        assert same(old[place], AML.cast(kind, item, "1.2.0").value)
        assert same(new[place], AML.cast(kind, item, "2.0.0").value)
        assert old[place]["x-team"] == item["x-team"]


def test_what_was_changed_after_a_migration_is_not_undone(
    services: Services, tmp_path: Path
) -> None:
    bring(services, GOLDEN / "aml-1.0.0")
    services.apply_migration(services.plan_migration(), rehearsal=False)
    place = ("agent/agent-0/patterns", services.memory.scan("agent/agent-0/patterns")[0][0])
    value = services.memory.get(*place)
    services.memory.put(*place, value | {"tags": ["mine"], "timestamp": "2030-01-01T00:00:00Z"})
    export(services, tmp_path / "out", "1.2.0")
    found = items(tmp_path / "out")["agent-0", "patterns.json", value["id"]]
    assert (found["tags"], found["timestamp"]) == (["mine"], "2030-01-01T00:00:00Z")


def test_the_other_files(services: Services, tmp_path: Path) -> None:
    """Alerts, metrics, context, what is global, archived decisions: as they were."""
    root = GOLDEN / "aml-ts"
    bring(services, root)
    out = tmp_path / "out"
    export(services, out, "2.0.0")
    for path in sorted((root / "memory").rglob("*.json")):
        relative = path.relative_to(root)
        if path.stem in ("index", "config") or path.stem in (
            "patterns",
            "solutions",
            "decisions",
            "archived-decisions",
        ):
            continue
        assert same(load(out / relative), load(path)), relative
    assert load(out / "memory/config/schema_version.json")["version"] == "2.0.0"
    with open_services(
        "sqlite://", clock=ManualClock(LATER_MS), settings=services.settings
    ) as again:
        bring(again, out)
        for namespace in ("global", "monitoring/alerts", "agent/backend"):
            assert again.memory.scan(namespace) == services.memory.scan(namespace)


def test_names_never_become_paths(services: Services, tmp_path: Path) -> None:
    """Whatever an agent is called, its files lie below the tree, and come back as that agent's."""
    for name in ODD:
        item = {"id": f"p {name}", "agent": name, "timestamp": "2026-01-01T00:00:00Z"}
        services.memory.put(f"agent/{quote_segment(name)}/patterns", quote_name(item["id"]), item)
    out = tmp_path / "deep" / "out"
    report = export(services, out, "1.2.0")
    assert (report.records, report.left_out) == (len(ODD), ())
    assert sorted(path.name for path in out.iterdir()) == ["memory", "memtend-export.json"]
    assert len(list((out / "memory").iterdir())) == len(ODD) + 1
    with open_services(
        "sqlite://", clock=ManualClock(LATER_MS), settings=services.settings
    ) as again:
        bring(again, out)
        for name in ODD:
            [(_, item)] = again.memory.scan(f"agent/{quote_segment(name)}/patterns")
            assert item["agent"] == name


def test_what_is_no_aml_item_is_counted(services: Services, tmp_path: Path) -> None:
    memory = services.memory
    item = {"id": "p1", "agent": "a", "timestamp": "2026-01-01T00:00:00Z", "metrics": {}}
    memory.put("agent/a/patterns", "p1", item)
    memory.put("agent/a/patterns", "p0", {"id": "p0", "shape": "unknown to the chain"})
    memory.put("agent/a/patterns", "p2", item)
    memory.put("agent/a/patterns", "p3", "text")
    memory.put("agent/a/patterns", "p4", item | {"id": "p4", "version": "9.9.9"})
    memory.put("agent/a/patterns", "p5", item | {"id": "p5"}, labels=Labels(writer="m"))
    mark_writer(memory.store, "m", Trust.QUARANTINED, actor="operator")
    memory.put("notes", "n", 1)
    memory.put("swarm-x/agent-a/decisions", "kind/d1", {"decision_id": "d1"})
    memory.increment("agent/a", "metrics", 1)
    report = export(services, tmp_path / "out", "2.0.0")
    assert report.counts == {"pattern": 1, "pattern 2.0.0": 1}
    assert {name for one in report.left_out for name in one.names} == {
        "agent/a/metrics", "agent/a/patterns/p2", "agent/a/patterns/p3", "agent/a/patterns/p4",
        "agent/a/patterns/p5", "notes/n", "swarm-x/agent-a/decisions/kind/d1",
    }  # fmt: skip
    assert len(report.left_out) == 6


def test_losses_are_named(services: Services, tmp_path: Path) -> None:
    """What an older version cannot hold is said by field."""
    item = {"id": "p1", "agent": "a", "version": "2.0.0", "timestamp": "2026-01-01T00:00:00Z",
            "performance": {}, "extra": {"metrics": 1}}  # fmt: skip
    services.memory.put("agent/a/patterns", "p1", item)
    wanted = AML.down("pattern", item, "1.2.0").losses
    report = export(services, tmp_path / "out", "1.2.0")
    assert report.losses == dict.fromkeys(wanted, 1)
