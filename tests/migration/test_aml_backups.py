"""Backups and archives of AML trees: the newest state that verifies, and nothing beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from memtend.errors import SourceUnknown
from memtend.migrate.detect import detect_source, read_source
from memtend.migrate.items import Found, ImportItem, PassedOver, Quarantined
from tests.migration.aml_samples import (
    PythonBackups,
    decision,
    pack,
    packed_tree,
    pattern,
    solution,
    tar_backup,
    text,
    write,
)

GOLDEN = Path(__file__).parents[1] / "golden/legacy/aml-ts"
FIRST, SECOND, THIRD, LAST = (f"2026-09-0{n}T10:00:00.000001" for n in range(1, 5))


def read(root: Path) -> list[Found]:
    return list(read_source(root, "aml-backup"))


def items(root: Path) -> dict[str, ImportItem]:
    return {one.path: one for one in read(root) if isinstance(one, ImportItem)}


def rates(root: Path) -> dict[str, Any]:
    """Patterns by id, with the one number that differs between states."""
    return {
        one.source.id: one.value["metrics"]["successRate"]
        for one in items(root).values()
        if one.labels.kind == "pattern"
    }


def bad(root: Path) -> dict[str, str]:
    return {one.path: one.reason for one in read(root) if isinstance(one, Quarantined)}


def passed(root: Path) -> dict[str, str]:
    return {one.path: one.reason for one in read(root) if isinstance(one, PassedOver)}


def patterns(*rated: tuple[str, float]) -> bytes:
    return text([pattern(item_id, rate) for item_id, rate in rated])


@pytest.fixture
def python() -> PythonBackups:
    """Two full backups, and an increment on each."""
    made = PythonBackups()
    old = {"a/patterns.json": patterns(("p1", 0.1)), "gone/patterns.json": patterns(("p9", 0.1)),
           "global/cross-agent.json": b"{}"}  # fmt: skip
    made.add("full_1", FIRST, old)
    made.add("incr_1", "2026-09-01T12:00:00", {"a/patterns.json": patterns(("p1", 0.2))}, "full_1")
    new = {"a/patterns.json": patterns(("p1", 0.3)), "a/solutions.json": text([solution("s1")])}
    made.add("full_2", SECOND, new)
    made.add("incr_2", THIRD, {"a/patterns.json": patterns(("p1", 0.4))}, "full_2")
    return made


def test_the_sample_of_both_programs() -> None:
    root = GOLDEN / "memory-backup"
    assert detect_source(root) == "aml-backup"
    found = items(root)
    live = {
        one.path: one.value for one in read_source(GOLDEN, "aml") if isinstance(one, ImportItem)
    }
    archived = {path: one for path, one in found.items() if path.startswith("agent/backend/arch")}
    assert {path: one.value for path, one in found.items() if path not in archived} == live
    assert {path: one.labels.tags for path, one in archived.items()} == {
        "agent/backend/archived-decisions/d7": ("archived",),
        "agent/backend/archived-negative-decisions/d8": ("archived", "negative"),
    }
    assert bad(root) == {}
    assert set(passed(root)) >= {"full_20260901_100000", "incr_20260902_100000"}


def test_items_of_backups_never_replace_those_of_a_tree() -> None:
    trees = {one.source.import_id for one in read_source(GOLDEN) if isinstance(one, ImportItem)}
    backups = {one.source.import_id for one in items(GOLDEN / "memory-backup").values()}
    assert len(trees) == 14
    assert not trees & backups


def test_the_newest_state_is_that_of_its_chain(python: PythonBackups, tmp_path: Path) -> None:
    write(tmp_path, python.all())
    assert rates(tmp_path) == {"p1": 0.4}
    assert set(items(tmp_path)) == {"agent/a/patterns/p1", "agent/a/solutions/s1"}
    assert bad(tmp_path) == {}
    gone = "incr_2 no longer has it: it was deleted or left out since"
    assert passed(tmp_path) == {
        "full_1": "an older state than that of incr_2",
        "incr_1": "an older state than that of incr_2",
        "full_1/gone/patterns.json": gone,
        "full_1/global/cross-agent.json": gone,
    }
    write(tmp_path, {"full_2/a/solutions.json.gz": pack(text([]))})
    assert bad(tmp_path) == {"full_2/a/solutions.json.gz": "its contents do not match its checksum"}
    assert set(items(tmp_path)) == {"agent/a/patterns/p1"}


@pytest.mark.parametrize(
    ("damaged", "rate"),
    [
        (["incr_2"], 0.3),
        (["incr_2", "full_2"], 0.2),
        (["incr_2", "full_2", "incr_1"], 0.1),
        (["incr_2", "full_2", "incr_1", "full_1"], None),
    ],
)
@pytest.mark.parametrize(
    "damage", [pack(b"[]"), b"", b"[]", pack(patterns(("p1", 0.9)))[:-3], None]
)
def test_each_file_comes_from_the_newest_backup_in_which_it_verifies(
    damage: bytes | None,
    damaged: list[str],
    rate: float | None,
    python: PythonBackups,
    tmp_path: Path,
) -> None:
    files = python.all()
    for name in damaged:
        del files[f"{name}/a/patterns.json.gz"]
        if damage is not None:
            files[f"{name}/a/patterns.json.gz"] = damage
    write(tmp_path, files)
    assert rates(tmp_path) == ({} if rate is None else {"p1": rate})
    assert {path.split("/")[0] for path in bad(tmp_path)} == set(damaged)
    if damage is not None:
        assert {one.data for one in read(tmp_path) if isinstance(one, Quarantined)} == {damage}
    assert "agent/a/solutions/s1" in items(tmp_path)


def test_what_was_whole_and_is_no_json_has_an_older_state_too(
    python: PythonBackups, tmp_path: Path
) -> None:
    python.add("full_3", LAST, {"a/patterns.json": b"[{half"})
    write(tmp_path, python.all())
    assert rates(tmp_path) == {"p1": 0.4}
    assert set(bad(tmp_path)) == {"full_3/a/patterns.json.gz"}


def test_an_increment_whose_base_is_gone_says_so(python: PythonBackups, tmp_path: Path) -> None:
    """The old program's rotation deleted bases that increments still needed."""
    python.entries = [one for one in python.entries if one["backup_id"] != "full_2"]
    write(tmp_path, python.all())
    assert rates(tmp_path) == {"p1": 0.4, "p9": 0.1}
    told = passed(tmp_path)
    assert told["incr_2"] == "what it builds on cannot be read; incr_1 stands in for it"
    assert told["full_2"].startswith("no list of backups names it")
    python.entries = [one for one in python.entries if one["backup_id"] == "incr_2"]
    write(tmp_path, python.all())
    assert passed(tmp_path)["incr_2"].startswith("what it builds on is not there")


def test_one_backup_can_be_named(python: PythonBackups, tmp_path: Path) -> None:
    write(
        tmp_path,
        python.all() | tar_backup("t1", "2026-12-01T00:00:00Z", {"a/patterns.json": b"[]"}),
    )
    for name, rate in (("full_1", 0.1), ("incr_1", 0.2), ("full_2", 0.3), ("incr_2", 0.4)):
        assert detect_source(tmp_path / name) == "aml-backup"
        assert rates(tmp_path / name)["p1"] == rate
    assert detect_source(tmp_path / "t1.tar.gz") == "aml-backup"
    assert items(tmp_path / "t1.tar.gz") == {}
    with pytest.raises(SourceUnknown):
        detect_source(tmp_path / "backup_metadata.json")


def test_the_folder_that_one_is_in(
    python: PythonBackups, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "memory-backup", python.all())
    monkeypatch.chdir(tmp_path / "memory-backup")
    assert detect_source(Path()) == "aml-backup"
    assert rates(Path()) == {"p1": 0.4}
    monkeypatch.chdir(tmp_path / "memory-backup/full_1")
    assert detect_source(Path()) == "aml-backup"
    assert rates(Path()) == {"p1": 0.1, "p9": 0.1}
    write(tmp_path / "memory", packed_tree())
    monkeypatch.chdir(tmp_path / "memory")
    assert detect_source(Path()) == "aml"
    told = [one.path for one in read_source(Path()) if isinstance(one, PassedOver)]
    assert "../memory-backup" in told


def test_where_backups_are_found(python: PythonBackups, tmp_path: Path) -> None:
    """A tree beside them is what is meant, unless it is gone."""
    write(tmp_path / ".loom/memory-backup", python.all())
    assert detect_source(tmp_path) == "aml-backup"
    write(tmp_path / ".loom/memory", packed_tree())
    assert detect_source(tmp_path) == "aml"
    assert rates(tmp_path) == rates(tmp_path / ".loom/memory") == {"p1": 0.4}
    assert detect_source(tmp_path / ".loom/memory") == "aml"
    with pytest.raises(SourceUnknown, match="no list of backups"):
        read(tmp_path / ".loom/memory/backend")


def test_archives_the_newest_first(tmp_path: Path) -> None:
    write(
        tmp_path / "archives",
        {
            "a/decisions_20260101_000000.json.gz": pack(
                text([decision("d1", n=1), decision("d2")])
            ),
            "a/decisions_20260201_000000.json.gz": pack(text([decision("d1", n=2)])),
            "a/decisions_20260301_000000.json.gz": pack(text([decision("d3")]))[:-4],
            "a/notes.json": b"{}",
            "loose_20260301_000000.json": b"[]",
        },
    )
    assert detect_source(tmp_path) == "aml-backup"
    found = items(tmp_path)
    assert {path.rpartition("/")[2]: one.value.get("n") for path, one in found.items()} == {
        "d1": 2,
        "d2": None,
    }
    assert set(bad(tmp_path)) == {
        "archives/a/decisions_20260301_000000.json.gz",
        "archives/a/notes.json",
        "archives/loose_20260301_000000.json",
    }
    assert passed(tmp_path) == {
        "archives/a/decisions_20260101_000000.json.gz": "a newer file has d1 as well"
    }
