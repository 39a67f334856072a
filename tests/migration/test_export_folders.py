"""Which file of an exported tree is whose: no file system takes two for one, and all come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.clock import ManualClock
from memtend.export.folders import Folders
from memtend.export.report import ExportReport
from memtend.model.foldernames import SHARED, folded, name_of
from memtend.model.quoting import quote_segment
from memtend.model.record import Labels
from memtend.services import Services, open_services

ALIKE = ("Ada", "ada", "ADA", "caf\u00e9", "cafe\u0301", "Stra\u00dfe", "strasse", "Global", "CON")
TEXT = st.text("aAbBs\u00df\u0130i\u0131\u0307q=:. /\u03c3\u03c2\u03a3", min_size=1, max_size=6)


@pytest.fixture
def services(clock: ManualClock) -> Iterator[Services]:
    with open_services("sqlite://", clock=clock) as opened:
        yield opened


def export(services: Services, dest: Path, wanted: str = "aml-2.0.0") -> ExportReport:
    return services.apply_export(services.plan_export(str(dest), wanted))


@given(st.lists(TEXT, max_size=8))
def test_no_two_are_alike(names: list[str]) -> None:
    """However a file system folds them; and each leads back to its name."""
    folders = Folders(SHARED)
    made = {name: folders.of(name) for name in names}
    assert len({folded(folder) for folder in (*made.values(), *SHARED)}) == len(made) + len(SHARED)
    assert all(name_of(folder) == name for name, folder in made.items())
    assert {name: folders.of(name) for name in names} == made


def test_agents_that_are_spelt_alike(services: Services, tmp_path: Path) -> None:
    for name in ALIKE:
        item = {"id": "p", "agent": name, "pattern": {}}
        services.memory.put(f"agent/{quote_segment(name)}/patterns", "p", item)
    report = export(services, tmp_path / "tree")
    assert (report.records, report.left_out) == (len(ALIKE), ())
    folders = [path.name for path in (tmp_path / "tree/memory").iterdir()]
    assert len(set(map(folded, folders))) == len(folders) == len(ALIKE) + 1
    with open_services("sqlite://", clock=services.clock) as again:
        again.apply_import(again.plan_import(str(tmp_path / "tree")))
        for name in ALIKE:
            [(_, item)] = again.memory.scan(f"agent/{quote_segment(name)}/patterns")
            assert item["agent"] == name


def test_kinds_that_are_spelt_alike(services: Services, tmp_path: Path) -> None:
    kinds = ("Note", "note", "Other", "other", "config", "L" * 100, "l" * 100)
    for number, kind in enumerate(kinds):
        services.memory.put("n", f"k{number}", number, labels=Labels(kind=kind))
    assert export(services, tmp_path / "lake", "parquet").records == len(kinds)
    names = [path.name for path in (tmp_path / "lake").iterdir()]
    assert len(set(map(folded, names))) == len(names)
    assert "other.parquet" in names


def test_what_would_not_come_back_stays_out(services: Services, tmp_path: Path) -> None:
    """Segments that quote nothing or what needs no quoting, and files that the reader passes by."""
    for segment in ("q=coder", "q=q=3Dcoder", "q==", "q="):
        services.memory.put(f"agent/{segment}/patterns", "p", {"id": "p", "pattern": {}})
    for key in ("index", "x.json.backup-1", "audit-1"):
        services.memory.put("audit", key, {"by": key})
    report = export(services, tmp_path / "tree")
    assert {name for one in report.left_out for name in one.names} == {
        "agent/q=/patterns/p", "agent/q==/patterns/p", "agent/q=coder/patterns/p", "audit/index",
        "audit/x.json.backup-1",
    }  # fmt: skip
    with open_services("sqlite://", clock=services.clock) as again:
        done = again.apply_import(again.plan_import(str(tmp_path / "tree")))
        assert done.written == report.records == 2
        assert again.memory.get("agent/q=q=3Dcoder/patterns", "p")["id"] == "p"
