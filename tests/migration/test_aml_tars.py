"""Backups in tar files, and lists and names that were forged: refused by name, never followed."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from memtend.migrate.aml_catalog import Backup
from memtend.migrate.aml_states import next_link
from memtend.migrate.detect import detect_source, read_source
from memtend.migrate.items import ImportItem, PassedOver, Quarantined
from tests.migration.aml_samples import (
    PythonBackups,
    pack,
    pattern,
    tar_backup,
    tarred,
    text,
    write,
)

ONE, TWO, THREE = (f"2026-10-0{n}T00:00:00.000Z" for n in (1, 2, 3))
FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def patterns(*ids: str, rate: float = 0.5) -> bytes:
    return pack(text([pattern(item_id, rate) for item_id in ids]))


def found(root: Path) -> dict[str, Any]:
    return {
        one.path: one.value["metrics"]["successRate"]
        for one in read_source(root, "aml-backup")
        if isinstance(one, ImportItem)
    }


def bad(root: Path) -> dict[str, str]:
    lost = read_source(root, "aml-backup")
    return {one.path: one.reason for one in lost if isinstance(one, Quarantined)}


def passed(root: Path) -> dict[str, str]:
    over = read_source(root, "aml-backup")
    return {one.path: one.reason for one in over if isinstance(one, PassedOver)}


def test_increments_build_on_whatever_was_newest(tmp_path: Path) -> None:
    """This program noted no parent."""
    first = {"a/patterns.json": patterns("p1"), "b/patterns.json": patterns("p2")}
    more = {"type": "incremental"}
    write(tmp_path, tar_backup("t1", ONE, first))
    write(tmp_path, tar_backup("t2", TWO, {"a/patterns.json": patterns("p1", "p3")}, **more))
    write(tmp_path, tar_backup("t3", THREE, {"c/patterns.json": patterns("p4")}, **more))
    assert detect_source(tmp_path) == "aml-backup"
    assert set(found(tmp_path)) == {f"agent/{one}" for one in (
        "a/patterns/p1", "a/patterns/p3", "b/patterns/p2", "c/patterns/p4")}  # fmt: skip
    assert passed(tmp_path) == bad(tmp_path) == {}


@pytest.mark.parametrize("form", FORMATS)
def test_both_halves_of_a_list_in_any_order(form: int, tmp_path: Path) -> None:
    members = {
        "a/patterns.json.gz": patterns("old", "both", rate=0.1),
        "a/patterns.json": patterns("new", "both", rate=0.9),
    }
    write(tmp_path, tar_backup("t1", ONE, tarred(members, form), agents=["a"]))
    expected = {"new": 0.9, "both": 0.9, "old": 0.1}
    assert found(tmp_path) == {f"agent/a/patterns/{key}": n for key, n in expected.items()}
    assert list(passed(tmp_path).values()) == ["a newer file has both as well"]


@pytest.mark.parametrize("checked", [True, False])
def test_a_tar_that_is_damaged_gives_way_to_the_one_before(checked: bool, tmp_path: Path) -> None:
    """Without a checksum, gzip's own says whether all of it is there."""
    more = {} if checked else {"checksum": None}
    files = tar_backup("t2", TWO, {"a/patterns.json": patterns("p1", rate=0.9)}, **more)
    write(tmp_path, tar_backup("t1", ONE, {"a/patterns.json": patterns("p1", rate=0.1)}, **more))
    write(tmp_path, files)
    assert found(tmp_path) == {"agent/a/patterns/p1": 0.9}
    for damaged in (files["t2.tar.gz"][:-9], b"", b"not gzip", pack(b"no tar" * 200)):
        write(tmp_path, {"t2.tar.gz": damaged})
        assert found(tmp_path) == {"agent/a/patterns/p1": 0.1}
        [lost] = [o for o in read_source(tmp_path, "aml-backup") if isinstance(o, Quarantined)]
        assert (lost.path, lost.data) == ("t2.tar.gz", damaged)
    (tmp_path / "t2.tar.gz").unlink()
    assert found(tmp_path) == {"agent/a/patterns/p1": 0.1}
    assert bad(tmp_path) == {"t2.tar.gz": "its list names it, but it is not there"}


NAMES = (
    "../evil.json",
    "/etc/patterns.json",
    "a/../../b.json",
    "a/..",
    "a\\b/patterns.json",
    "stranger/patterns.json",
    "patterns.json",
    "a/deep/patterns.json",
)


def test_names_in_a_tar_lead_nowhere(tmp_path: Path) -> None:
    members = dict.fromkeys(NAMES, b"hostile") | {"a/patterns.json": patterns("p1")}
    write(tmp_path / "in/backups", tar_backup("t1", ONE, tarred(members), agents=["a"]))
    before = set(tmp_path.rglob("*"))
    assert found(tmp_path / "in/backups") == {"agent/a/patterns/p1": 0.5}
    assert set(bad(tmp_path / "in/backups")) >= {f"t1.tar.gz/{name}" for name in NAMES}
    assert set(tmp_path.rglob("*")) == before


def test_links_and_doubles_in_a_tar(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/a").mkdir()
    (tmp_path / "raw/a/patterns.json").symlink_to("/etc/passwd")
    path = tmp_path / "raw.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(tmp_path / "raw/a", "a")
        for rate in (0.1, 0.2):
            write(tmp_path, {"solutions.json": text([{"id": "s1", "n": rate}])})
            tar.add(tmp_path / "solutions.json", "a/solutions.json")
    write(tmp_path / "backups", tar_backup("t1", ONE, pack(path.read_bytes()), agents=["a"]))
    kept = [o for o in read_source(tmp_path / "backups") if isinstance(o, ImportItem)]
    assert [(one.path, one.value["n"]) for one in kept] == [("agent/a/solutions/s1", 0.1)]
    assert bad(tmp_path / "backups") == {
        "t1.tar.gz/a/patterns.json": "a symbolic link",
        "t1.tar.gz/a/solutions.json": "it is there twice",
    }


def test_names_in_a_list_lead_nowhere(tmp_path: Path) -> None:
    made = PythonBackups()
    entry = made.add("full_1", ONE, {"a/patterns.json": text([pattern("p1")])})
    for name in (*NAMES, "b/patterns.json"):
        entry["checksums"][name] = "0" * 64
    write(tmp_path / "in/backups", made.all())
    write(tmp_path / "in/backups/full_1", {"c/patterns.json.gz": patterns("x")})
    write(tmp_path, {"in/evil.json": b"[]", "evil.json": b"[]"})
    (tmp_path / "in/backups/full_1/b").symlink_to(tmp_path)
    assert found(tmp_path / "in/backups") == {"agent/a/patterns/p1": 0.5}
    told = bad(tmp_path / "in/backups")
    refused = "its name is not that of a file of one of the backup's agents"
    assert {path for path, why in told.items() if why == refused} == {
        f"full_1/{name}" for name in (*NAMES, "b/patterns.json")
    }
    assert told["full_1/b"] == "it is a symbolic link; links are not followed"
    assert told["full_1/c/patterns.json.gz"].endswith("has no checksum for it")


@pytest.mark.parametrize(
    "change",
    [
        {"backup_id": "../full_1"},
        {"backup_id": ".."},
        {"backup_id": None},
        {"backup_type": "half"},
        {"timestamp": "soon"},
        {"timestamp": None},
        {"agents": "a"},
        {"agents": ["a/b"]},
        {"checksums": []},
        {"checksum": 7},
    ],
)
def test_forged_entries_are_quarantined_one_by_one(change: Any, tmp_path: Path) -> None:
    made = PythonBackups()
    made.add("full_1", ONE, {"a/patterns.json": text([pattern("p1")])})
    made.entries.append(made.entries[0] | {"backup_id": "full_2"} | change)
    write(tmp_path, made.all())
    assert found(tmp_path) == {"agent/a/patterns/p1": 0.5}
    assert set(bad(tmp_path)) == {"backup_metadata.json"}


@pytest.mark.parametrize("listed", [b"", b"{half", b"[]", b'{"backups": {}}', pack(bytes(10**8))])
def test_without_a_list_nothing_is_believed(listed: bytes, tmp_path: Path) -> None:
    made = PythonBackups()
    made.add("full_1", ONE, {"a/patterns.json": text([pattern("p1")])})
    write(tmp_path, made.all() | {"backup_metadata.json": listed})
    assert found(tmp_path) == {}
    assert set(bad(tmp_path)) == {"backup_metadata.json"}
    assert "comes in unchecked" in passed(tmp_path)["full_1"]
    unchecked = list(read_source(tmp_path / "full_1", "aml"))
    assert [one.path for one in unchecked] == ["agent/a/patterns/p1"]


def test_lists_of_another_backup_are_refused(tmp_path: Path) -> None:
    files = tar_backup("t1", ONE, {"a/patterns.json": patterns("p1")})
    write(tmp_path, files | {"t2.meta.json": files["t1.meta.json"], "t2.tar.gz": b"x"})
    assert bad(tmp_path) == {"t2.meta.json": "it is of another backup: t1"}
    assert list(passed(tmp_path)) == ["t2.tar.gz"]


def test_backups_that_build_on_each_other_end_nowhere() -> None:
    """Only what is older counts."""

    def backup(name: str, parent: str) -> Backup:
        return Backup(name, 0, False, False, parent, frozenset(), {})

    assert next_link(backup("x", "y"), [backup("z", "x"), backup("y", "x")]) == (1, True)
    assert next_link(backup("y", "x"), [backup("z", "x")]) == (0, False)
