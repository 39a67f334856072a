"""Erased and gone: from every file of the folder, from the archive, from what is restored."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.model.record import Labels
from memtend.model.subject import Subject
from memtend.plans import save_plan
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.snapshot import snapshot
from memtend.store.verify import verify_store
from tests.fixtures.archives import EVERYTHING, archive_everything, fill, shown, value

CANARY = "canary-4be1a77d"
GOLDEN = Path(__file__).parents[1] / "golden/legacy"
LATER_MS = 1_795_000_000_000


@pytest.fixture
def services(lasting_url: str, tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    chosen = Settings(
        plans_url=str(tmp_path / "plans"),
        archive_url=str(tmp_path / "archive"),
        backup_url=str(tmp_path / "backups"),
    )
    with open_services(lasting_url, settings=chosen, clock=clock) as opened:
        yield opened
        report = verify_store(opened.store)
        assert report.ok, report.findings


def files_with(folder: Path, text: str) -> list[str]:
    files = (file for file in folder.rglob("*") if file.is_file() and "backups" not in file.parts)
    return [file.name for file in files if text.encode() in file.read_bytes()]


def tables_with(services: Services, text: str) -> list[str]:
    """Files of the server in which a text lies, as the server itself reads them."""
    services.store.engine.script("CHECKPOINT")
    rows = services.store.engine.script(
        "SELECT relname, position(convert_to('"
        + text
        + "', 'UTF8') IN pg_read_binary_file(pg_relation_filepath(oid))) FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i', 't')"
    )
    return [name for name, at in rows if at > 0]


def test_no_file_holds_it_any_more(services: Services, tmp_path: Path, clock: ManualClock) -> None:
    """The database, its WAL, the plans and the archive; only the older backup does, and it says
    until when."""
    memory = services.memory
    labels = Labels(agent=CANARY, session=CANARY, tags=(CANARY,))
    puts = [Put(f"{CANARY}/ns", f"{CANARY}-{n}", {"v": f"{CANARY} {n}"}, labels) for n in range(40)]
    for _ in range(3):  # older versions lie in the free parts of pages
        memory.put_many(puts)
    memory.put_many([Put("kept", f"k{n}", n) for n in range(40)])
    memory.put(f"{CANARY}/ns", "short", CANARY, ttl_ms=1_000)
    clock.advance(3_600_000)
    save_plan(services.plan_sweep(), services.settings.plans_url, clock)
    services.take_backup()
    if services.store.engine.kind == "postgresql":
        assert "sibling" in tables_with(services, CANARY)
    report = services.apply_erase(services.plan_erase(Subject.of_namespace(CANARY)), full=True)
    assert report.residue == 0, report
    assert report.deleted == report.evidence.hashes_of == 41
    if services.store.engine.kind == "sqlite":
        assert report.evidence.hashes == 41
        assert report.evidence.texts > 0
    assert report.plans_deleted == 1
    assert report.backups_until is not None
    assert files_with(tmp_path, CANARY) == []
    if services.store.engine.kind == "postgresql":
        assert tables_with(services, CANARY) == []
        assert any("write-ahead log" in note for note in report.notes)
    assert len(memory.scan("kept")) == 40


def test_traces_that_are_left_are_found(tmp_path: Path, clock: ManualClock) -> None:
    """A copy that somebody keeps beside the store holds the rows, and the scan says so."""
    url = str(tmp_path / "store.db")
    chosen = Settings(plans_url=str(tmp_path / "p"), archive_url=str(tmp_path / "a"))
    with open_services(url, settings=chosen, clock=clock) as services:
        services.memory.put("n", CANARY, {"text": f"{CANARY} value"})
    with open_services(url, settings=chosen, clock=clock) as services:
        shutil.copy(url, f"{url}.copy")
        report = services.apply_erase(services.plan_erase(Subject.of_record("n", CANARY)))
        assert report.evidence.hits > 0
        assert any(".copy" in note for note in report.notes)
        assert CANARY not in report.model_dump_json()
        Path(f"{url}.copy").unlink()
        report = services.apply_erase(services.plan_erase(Subject.of_record("n", CANARY)))
        assert report.residue == 0


def test_a_reader_that_keeps_an_old_state_is_told_of(tmp_path: Path, clock: ManualClock) -> None:
    url = str(tmp_path / "store.db")
    chosen = Settings(plans_url=str(tmp_path / "p"), archive_url=str(tmp_path / "a"))
    with open_services(url, settings=chosen, clock=clock) as services:
        services.memory.put("n", CANARY, 1)
        services.store.engine.script("PRAGMA busy_timeout=100")
        with snapshot(services.store):
            report = services.apply_erase(services.plan_erase(Subject.of_record("n", CANARY)))
        assert not report.rewritten
        assert any("older state" in note for note in report.notes)
        assert services.memory.get("n", CANARY) is None
        again = services.apply_erase(services.plan_erase(Subject.of_record("n", CANARY)))
        assert (again.rewritten, again.residue) == (True, 0)


def test_the_archive_forgets_it_too(services: Services, tmp_path: Path) -> None:
    values = fill(services, 10, "notes/cold")
    services.memory.put("notes/cold", CANARY, value(99) | {"who": CANARY})
    assert EVERYTHING.rules
    assert archive_everything(services).written == 11
    plan = services.plan_erase(Subject.of_record("notes/cold", CANARY))
    assert plan.archived == 1
    report = services.apply_erase(plan)
    assert (report.deleted, report.archive_entries, report.residue) == (1, 1, 0)
    assert shown(services) == values
    assert services.verify_archive().ok
    assert services.reindex_archive().written == 0


def test_no_restore_brings_it_back(services: Services, tmp_path: Path) -> None:
    """Whichever backup is restored: the whole store, and the audit trail that came with it."""
    memory = services.memory
    labels = Labels(agent=CANARY, tags=(CANARY,))
    memory.put_many([Put("n", f"k{n}", n) for n in range(20)])
    memory.put_many([Put(f"{CANARY}/ns", f"k{n}", CANARY, labels) for n in range(20)])
    memory.put("n", f"{CANARY}-key", CANARY, labels=labels)
    memory.delete("n", f"{CANARY}-key")
    old = services.take_backup()
    for subject in (Subject.of_namespace(CANARY), Subject.of_record("n", f"{CANARY}-key")):
        assert services.apply_erase(services.plan_erase(subject)).residue == 0
    memory.put(f"{CANARY}/ns", "k1", "written again")
    services.apply_erase(services.plan_erase(Subject.of_namespace(CANARY)))
    memory.put("n", "later", 1)
    services.take_backup()
    plan = services.plan_restore(manifest=old.manifest)
    services.apply_restore(plan)
    assert len(memory.scan("n")) == 20
    assert memory.scan(f"{CANARY}/ns") == []
    assert CANARY not in "".join(map(str, services.store.engine.read("audits", (0, 1_000))))
    assert services.plan_erase(Subject.of_namespace(CANARY)).rows == 0
    assert services.plan_erase(Subject.of_agent(CANARY)).rows == 0
    assert verify_store(services.store).ok
    again = services.plan_erase(Subject.of_namespace(CANARY))
    assert again.copies == 1
    report = services.apply_erase(again, full=True)
    assert (report.copies_removed, report.residue) == (1, 0)
    assert files_with(tmp_path, CANARY) == []


def test_an_import_does_not_bring_it_back(tmp_path: Path) -> None:
    url, clock = str(tmp_path / "store.db"), ManualClock(LATER_MS)
    chosen = Settings(plans_url=str(tmp_path / "p"), archive_url=str(tmp_path / "a"))
    source = str(GOLDEN / "lifecycle")
    with open_services(url, settings=chosen, clock=clock) as services:
        services.apply_import(services.plan_import(source))
        before = services.memory.stats().records
        with open_services("sqlite://", settings=chosen, clock=clock) as fresh:
            stale = fresh.plan_import(source).model_copy(
                update={"store_id": services.facts().store_id}
            )
        services.apply_erase(services.plan_erase(Subject.of_namespace("plainkey")))
        again = services.plan_import(source)
        assert again.erased > 0
        assert again.writes == 0
        assert "plainkey" not in again.model_dump_json()
        report = services.apply_import(again)
        assert any("erased here before" in note for note in report.notes)
        late = services.apply_import(stale)  # reviewed before the erasure
        assert (late.written, late.erased) == (0, again.erased)
        assert services.memory.get("plainkey", "plainkey") is None
        assert services.memory.stats().records == before - again.erased
    with open_services(str(tmp_path / "other.db"), settings=chosen, clock=clock) as services:
        assert services.plan_import(source).erased == 0
