"""The import plan: counts, decisions, and writing nothing twice."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from memtend.limits import MIB
from memtend.migrate.detect import read_source
from memtend.migrate.importing import (
    ImportPlan,
    ImportPut,
    StoredImport,
    plan_import,
    stored_import,
    to_apply,
    to_puts,
)
from memtend.migrate.items import Found, quarantined
from memtend.model.plan import Action
from memtend.model.record import Labels

GOLDEN = Path(__file__).parents[1] / "golden/legacy"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOON_MS = round(NOON.timestamp() * 1_000)


def plan(found: list[Found], stored: dict[str, StoredImport] | None = None) -> ImportPlan:
    return plan_import(
        found,
        stored=stored or {},
        source="sample",
        kind="any",
        zone="UTC",
        store_id="s",
        basis=0,
        made_at=NOON,
    )


def puts(found: list[Found], of: ImportPlan) -> list[ImportPut]:
    return [
        put
        for item, decision in to_apply(of, found)
        for put in to_puts(item, run="r1", now_ms=NOON_MS, counted=decision.counted)
    ]


def stored_after(written: list[ImportPut]) -> dict[str, StoredImport]:
    return {f"{put.namespace}/{put.key}": stored_import(put.labels) for put in written}


def actions(of: ImportPlan) -> dict[str, Action]:
    return {f"{d.namespace}/{d.key}": d.action for d in of.decisions}


def lifecycle(root: Path = GOLDEN / "lifecycle") -> list[Found]:
    return list(read_source(root))


def test_counts_by_kind_and_version() -> None:
    found = [one for v in ("1.0.0", "2.0.0") for one in read_source(GOLDEN / f"aml-{v}")]
    made = plan(found)
    assert made.counts == {
        f"{kind} {v}": n
        for kind, n in (("decision", 6), ("pattern", 12), ("solution", 6))
        for v in ("1.0.0", "2.0.0")
    }
    refused = [d for d in made.decisions if d.action is Action.REFUSE]
    assert len(refused) == 24
    assert {d.reason for d in refused} == {"another item of the source has this name"}


def test_importing_twice_changes_nothing() -> None:
    found = lifecycle()
    first = plan(found)
    assert set(actions(first).values()) == {Action.IMPORT}
    again = plan(found, stored_after(puts(found, first)))
    assert set(actions(again).values()) == {Action.KEEP}
    assert puts(found, again) == []


def test_a_changed_source_updates_and_a_counter_adds_only_the_difference(tmp_path: Path) -> None:
    root = Path(shutil.copytree(GOLDEN / "lifecycle", tmp_path / "source"))
    before = lifecycle(root)
    stored = stored_after(puts(before, plan(before)))
    path = root / ".claude-flow/memory/metrics_tasks_count.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"value": 8, "version": 3}))
    after = lifecycle(root)
    changed = plan(after, stored)
    written = puts(after, changed)
    assert [(put.namespace, put.value, put.counter) for put in written] == [
        ("metrics/tasks", 5, True)
    ]
    assert stored_import(written[0].labels).counted == 8


def test_somebody_elses_record_is_never_overwritten() -> None:
    found = lifecycle()
    own = {"plainkey/plainkey": stored_import(Labels(extra={"mine": 1}))}
    made = plan(found, own)
    assert actions(made)["plainkey/plainkey"] is Action.REFUSE
    assert "plainkey" not in {put.namespace for put in puts(found, made)}


def test_what_changed_since_the_review_is_not_written(tmp_path: Path) -> None:
    root = Path(shutil.copytree(GOLDEN / "lifecycle", tmp_path / "source"))
    made = plan(lifecycle(root))
    path = root / ".claude-flow/memory/plainkey.json"
    path.write_text(path.read_text().replace("no namespace", "changed"))
    written = {put.namespace for put in puts(lifecycle(root), made)}
    assert len(made.to_write()) == 10
    assert "plainkey" not in written


def test_siblings_come_first_and_stay_beside() -> None:
    found = [one for one in lifecycle() if getattr(one, "siblings", ())]
    written = puts(found, plan(found))
    assert [(put.beside, put.updated_ms) for put in written] == [
        (False, 1_767_225_600_000),
        (True, 1_767_225_601_000),
        (True, 1_767_225_602_000),
    ]
    assert written[-1].value == {"p": 3}
    assert len({put.op_id for put in written}) == 3


def test_no_time_is_later_than_now() -> None:
    found = lifecycle()
    early = 1_767_225_600_500
    made = plan(found)
    for item, _ in to_apply(made, found):
        for put in to_puts(item, run="r", now_ms=early):
            assert put.created_ms <= put.updated_ms <= early


def test_lineage_says_where_a_record_comes_from() -> None:
    found = lifecycle()
    put = next(put for put in puts(found, plan(found)) if put.namespace == "plainkey")
    lineage: dict[str, Any] = put.labels.extra["import"]
    assert lineage["path"] == ".claude-flow/memory/plainkey.json"
    assert (lineage["kind"], lineage["id"], lineage["run"]) == ("lifecycle", "plainkey", "r1")


def test_a_plan_holds_a_bounded_quarantine() -> None:
    """Beyond the limit, size and hash still say what was there."""
    bad = quarantined("x", "bad", b"x" * MIB)
    made = plan([bad] * 70)
    assert sum(len(one.data) for one in made.quarantined) == 64 * MIB
    assert {one.sha256 for one in made.quarantined} == {bad.sha256}


def test_a_plan_survives_json(tmp_path: Path) -> None:
    root = Path(shutil.copytree(GOLDEN / "lifecycle", tmp_path / "source"))
    (root / ".claude-flow/memory/bad.json").write_bytes(b"\xff\x00 bad")
    made = plan(lifecycle(root))
    assert made.quarantined[0].data == b"\xff\x00 bad"
    assert ImportPlan.model_validate_json(made.model_dump_json()) == made
