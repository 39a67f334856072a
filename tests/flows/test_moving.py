"""Import, migration and export run for real: previewed, approved, reported, announced."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from prefect import State

from memtend.services import open_services
from memtend_flows import approval
from memtend_flows.export import export
from memtend_flows.ingest import ingest
from memtend_flows.migrate import migrate
from memtend_tasks.address import to_address
from memtend_tasks.errors import SecretInParameter
from memtend_tasks.publish import (
    EXPORT_COMPLETED,
    IMPORT_COMPLETED,
    MIGRATION_COMPLETED,
    MIGRATION_FAILED,
)
from tests.flows.answering import answer, digest, start
from tests.flows.scratch import DEAD, LIVE, Scratch, records
from tests.flows.seen import events, pages

GOLDEN = Path(__file__).parents[1] / "golden"
AML = GOLDEN / "legacy/aml-1.0.0"
SECRET = "c4n4ry-in-an-item"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """AML 1.0.0, and a file that cannot be read."""
    folder = Path(shutil.copytree(AML, tmp_path / "old"))
    agent = next(folder.glob("memory/*/patterns.json")).parent
    (agent / "decisions.json").write_text(json.dumps([{"id": "x", "timestamp": SECRET}]))
    return folder


@pytest.fixture
def older(scratch: Scratch, source: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    """A store with AML values of version 1.0.0."""
    monkeypatch.setattr(approval, "APPROVAL_POLL_S", 0.2)
    with open_services(scratch.store) as services:
        services.apply_import(services.plan_import(str(source)))
    return scratch


def versions(place: Scratch) -> dict[str, int]:
    """Of what is older than the newest."""
    with open_services(place.store) as services:
        return services.pending_migrations(full=True).counts


def test_an_import_previews_then_writes_and_tells(scratch: Scratch, source: Path) -> None:
    preview = ingest(scratch.store, str(source))
    assert preview.model_dump()["planned"] > 0
    assert records(scratch.store) == LIVE + DEAD
    label = to_address(scratch.store).label
    page = pages(f"import-plan-{label}")[0]
    assert "pattern 1.0.0" in page
    assert "cannot be read" in page
    assert "decisions.json" in page
    assert SECRET not in page
    report = ingest(scratch.store, str(source), reviewed=digest(scratch, "import"), dry_run=False)
    written = report.model_dump()["written"]
    assert records(scratch.store) == LIVE + DEAD + written
    page = pages(f"import-report-{label}")[0]
    assert "1 unreadable and set aside" in page
    assert SECRET not in page
    [event] = events(IMPORT_COMPLETED, f"memtend.store.{label}")
    assert (event["payload"]["written"], event["payload"]["quarantined"]) == (written, 1)


def test_importing_on_a_schedule_takes_what_is_new(
    scratch: Scratch, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMTEND_IMPORT_SOURCE", str(source))
    first = ingest(scratch.store, dry_run=False).model_dump()["written"]
    again = ingest(scratch.store, dry_run=False).model_dump()
    assert first > 0
    assert (again["written"], again["quarantined"]) == (0, 1)


def test_an_import_of_nothing_or_of_another_source_is_refused(
    scratch: Scratch, source: Path, tmp_path: Path
) -> None:
    nothing: State[Any] = ingest(scratch.store, return_state=True)
    assert "MEMTEND_IMPORT_SOURCE is not set" in str(nothing.message)
    ingest(scratch.store, str(source))
    other: State[Any] = ingest(
        scratch.store, str(tmp_path), reviewed=digest(scratch, "import"), dry_run=False,
        return_state=True,
    )  # fmt: skip
    assert "the plan is that of" in str(other.message)
    with pytest.raises(SecretInParameter):
        ingest.validate_parameters({"source": "postgresql://ada:pa55@db/memory"})
    assert records(scratch.store) == LIVE + DEAD


def test_a_migration_is_rehearsed_approved_and_told(older: Scratch) -> None:
    before = versions(older)
    assert before
    preview = migrate(older.store, older.target)
    planned = preview.model_dump()["planned"]
    assert planned == sum(before.values())
    assert not Path(older.target).exists()
    with start(migrate, older.store, older.target, dry_run=False) as run:
        shown = answer(older, approve=True, note="ticket 9")
        state = run.result()
    assert state.is_completed()
    assert "on a restored copy of backup 1" in shown
    assert versions(older) == {}
    label = to_address(older.store).label
    assert "| pattern | 1.0.0 |" in pages(f"migrate-plan-{label}")[0]
    assert "✓" in pages(f"migration-rehearsal-{label}")[0]
    assert "ticket 9" in pages(f"migration-report-{label}")[0]
    [event] = events(MIGRATION_COMPLETED, f"memtend.store.{label}")
    assert event["payload"]["written"] == planned
    assert migrate(older.store, older.target, dry_run=False).model_dump()["planned"] == 0


def test_without_a_yes_nothing_is_migrated(older: Scratch) -> None:
    before = versions(older)
    with start(migrate, older.store, older.target, dry_run=False) as run:
        answer(older, approve=False, note="not today")
        state = run.result()
    assert "not today" in str(state.message)
    assert versions(older) == before


@pytest.mark.usefixtures("impatient")
def test_a_migration_that_fails_is_announced(older: Scratch, tmp_path: Path) -> None:
    """The backup has nowhere to go."""
    (tmp_path / "file").touch()
    state: State[Any] = migrate(
        older.store, str(tmp_path / "file/below"), dry_run=False, return_state=True
    )
    assert state.is_failed()
    assert versions(older)
    assert events(MIGRATION_FAILED, f"memtend.store.{to_address(older.store).label}")


def test_a_store_of_an_older_schema_is_asked_about_first(
    scratch: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval, "APPROVAL_POLL_S", 0.2)
    old = Scratch(str(tmp_path / "0001.db"), scratch.target)
    for name in ("0001.db", "0001.db.key"):
        shutil.copy(GOLDEN / "stores" / name, tmp_path)
    assert migrate(old.store, old.target).model_dump()["planned"] == 0
    label = to_address(old.store).label
    assert "from schema 0001" in pages(f"schema-plan-{label}")[0]
    with start(migrate, old.store, old.target, dry_run=False) as run:
        assert "from schema 0001" in answer(old, approve=True)
        assert run.result().is_completed()
    assert "became" in pages(f"schema-report-{label}")[0]
    assert records(old.store) > 0


def test_an_export_writes_one_file_and_tells(scratch: Scratch, tmp_path: Path) -> None:
    report = export(scratch.store, str(tmp_path / "out"), pattern="task/alive")
    assert report.records == LIVE
    [file] = (tmp_path / "out").iterdir()
    assert file.name.endswith(".jsonl.zst")
    label = to_address(scratch.store).label
    assert file.name in pages(f"export-report-{label}")[0]
    assert events(EXPORT_COMPLETED, f"memtend.store.{label}")
