"""The lifecycle store: what its program wrote, and what happened to such files since."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from memtend.errors import SourceUnknown
from memtend.limits import VALUE_BYTES_MAX
from memtend.limits_foreign import QUARANTINE_BYTES_MAX
from memtend.migrate.detect import detect_source, read_source
from memtend.migrate.items import ImportItem, PassedOver, Quarantined
from memtend.model.policyset import PolicySet

GOLDEN = Path(__file__).parents[1] / "golden/legacy/lifecycle"
Write = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "source"))


@pytest.fixture
def write(root: Path) -> Write:
    def write(name: str, item: Any) -> Path:
        path = root / ".claude-flow/memory" / name
        path.write_bytes(item if isinstance(item, bytes) else json.dumps(item).encode())
        return path

    return write


def record(key: str, value: Any = 1, **more: Any) -> dict[str, Any]:
    return {"key": key, "value": value, "timestamp": 1767225600.0, **more}


def items(root: Path, **options: Any) -> dict[str, ImportItem]:
    found = read_source(root, **options)
    return {one.source.id: one for one in found if isinstance(one, ImportItem)}


def reasons(root: Path) -> dict[str, str]:
    found = [one for one in read_source(root) if isinstance(one, Quarantined)]
    return {one.path.rpartition("/")[2]: one.reason for one in found}


def packed(value: Any) -> str:
    return base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()


def test_the_sample_comes_in_whole(root: Path) -> None:
    assert detect_source(root) == "lifecycle"
    found = items(root)
    assert len(found) == 10
    assert reasons(root) == {}
    progress = found["coordination/agent1/progress"]
    assert (progress.namespace, progress.key) == ("coordination/agent1", "progress")
    assert (progress.value, progress.labels.agent) == ({"step": 2}, "agent1")
    assert progress.updated_ms == 1_767_225_601_000
    assert found["session/abc"].path == "session/abc/session/abc"
    assert found["session/abc"].value["é"] == "ünïcode"
    assert found["swarm/shared/null"].value is None


def test_compressed_values_and_unmarked_losers_are_unpacked(root: Path) -> None:
    found = items(root)
    big = found["knowledge/big"].value
    assert big["log"].startswith("line of text")
    rest = found["knowledge/patterns/rest"]
    assert rest.value == {"p": 3}
    assert [(s.value, s.at_ms) for s in rest.siblings] == [
        ({"p": 1}, 1_767_225_600_000),
        (big, 1_767_225_601_000),
    ]
    assert rest.created_ms == 1_767_225_600_000


def test_counters_are_told_by_policy(root: Path) -> None:
    assert items(root)["metrics/tasks/count"].counter is True
    assert items(root, policies=PolicySet())["metrics/tasks/count"].counter is False


def test_the_policy_file_is_told_with_the_counters_that_nobody_here_knows(root: Path) -> None:
    def told(**options: Any) -> list[str]:
        found = read_source(root, **options)
        return [one.reason for one in found if isinstance(one, PassedOver)]

    assert told() == ["configuration; `memtend policies from` translates it"]
    [reason] = told(policies=PolicySet())
    assert reason.endswith("1 of its counters are plain values by the policies here")
    (root / ".claude/memory-retention-policies.yaml").unlink()
    assert told() == []


def test_a_loser_that_only_looks_packed_is_text(root: Path, write: Write) -> None:
    losers = [["H4sInot really", 1.0], ["again", 2.0], ["again", 3.0], [7, 4.0]]
    write("x.json", record("knowledge/x", 7, conflict_values=losers))
    siblings = items(root)["knowledge/x"].siblings
    assert [s.value for s in siblings] == ["H4sInot really", "again"]


def test_colliding_file_names_are_different_keys(root: Path, write: Write) -> None:
    write("knowledge_a_b~1.json", record("knowledge/a_b"))
    write("knowledge_a_b~2.json", record("knowledge:a/b"))
    assert {"knowledge/a/b", "knowledge/a_b", "knowledge:a/b"} <= items(root).keys()


def test_names_are_quoted_and_unknown_fields_kept(root: Path, write: Write) -> None:
    key = "knowledge/../x y"
    write("odd.json", record(key, version=4, owner="ann", namespace="knowledge/.."))
    odd = items(root)[key]
    assert odd.path == "knowledge/q=../q=x=20y"
    assert odd.labels.extra == {
        "original": {"namespace": "knowledge/..", "version": 4},
        "extra": {"owner": "ann"},
    }
    assert odd.source.version == "4"


def test_unreadable_is_never_empty(root: Path, write: Write) -> None:
    """Each bad file is quarantined with its bytes and its own reason; the rest comes in."""
    bomb = base64.b64encode(gzip.compress(b"0" * (VALUE_BYTES_MAX + 10))).decode()
    half = base64.b64encode(gzip.compress(b'"abc"')[:-9]).decode()
    cases: dict[str, tuple[Any, str]] = {
        "empty.json": (b"", "it is empty"),
        "cut.json": (b'{"key": "a', "not JSON"),
        "latin.json": (b'{"key": "\xe9"}', "not UTF-8 at byte 9"),
        "list.json": ([1], "it is not an object"),
        "gzip.json": (gzip.compress(b"{}"), "gzip form"),
        "deep.json": (b"[" * 100_000, "nested too deeply"),
        "nan.json": (b'{"key": "a/b", "value": NaN, "timestamp": 1}', "not a JSON number"),
        "huge.json": (b'{"key": "a/c", "value": 9007199254740993, "timestamp": 1}', "Integer"),
        "twice.json": (b'{"key": "a", "key": "b", "value": 1, "timestamp": 1}', "a key twice"),
        "keyless.json": ({"value": 1}, "it has no key of 1"),
        "valueless.json": ({"key": "a/d", "timestamp": 1}, "no value"),
        "time.json": ({"key": "a/e", "value": 1, "timestamp": "soon"}, "'soon' is no timestamp"),
        "long.json": (record("a/" + "x" * 600), "it has no key of 1 to 512"),
        "plain.json": (record("a/f", {"a": 1}, compressed=True), "holds no text"),
        "base.json": (record("a/g", "%%%", compressed=True), "not base64"),
        "bomb.json": (record("a/h", bomb, compressed=True), "unpacks to more than"),
        "half.json": (record("a/i", half, compressed=True), "cut off"),
        "losers.json": (record("a/j", conflict_values=[[1]]), "not a list of value and time"),
        "many.json": (record("a/k", conflict_values=[[n, 1] for n in range(64)]), "63 fit"),
        "torn.json": (record("metrics/y/count", conflict_values=[[2, 1]]), "has conflict values"),
        "count.json": (record("metrics/x/count", "many"), "not a whole number"),
        "notes.txt": (b"hello", "not a file of this store"),
    }
    paths = {name: write(name, content) for name, (content, _) in cases.items()}
    (root / ".claude-flow/memory/link.json").symlink_to("/etc/hostname")
    found = reasons(root)
    assert found.pop("link.json") == "it is a symbolic link; links are not followed"
    assert found.keys() == cases.keys()
    for name, (_, reason) in cases.items():
        assert reason in found[name], name
    assert len(items(root)) == 10
    for one in read_source(root):
        name = Path(getattr(one, "path", "")).name
        if isinstance(one, Quarantined) and name in paths:
            assert one.data == paths[name].read_bytes()[:QUARANTINE_BYTES_MAX]


def test_a_row_without_a_file_is_reported_and_a_file_without_a_row_comes_in(
    root: Path, write: Write
) -> None:
    (root / ".claude-flow/memory/plainkey.json").unlink()
    write("new.json", record("knowledge/new"))
    lost = [one for one in read_source(root) if isinstance(one, Quarantined)]
    assert [one.id for one in lost] == ["plainkey"]
    assert "without a file" in lost[0].reason
    assert json.loads(lost[0].data)["namespace"] == "plainkey"
    assert "knowledge/new" in items(root)


@pytest.mark.parametrize("damage", [b"not a database at all", b""])
def test_a_broken_database_does_not_hide_the_files(root: Path, damage: bytes) -> None:
    (root / ".claude-flow/memory.db").write_bytes(damage)
    assert "it cannot be read" in reasons(root)["memory.db"]
    assert len(items(root)) == 10


def test_another_programs_database_does_not_hide_the_files(root: Path) -> None:
    path = root / ".claude-flow/memory.db"
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE memory_metadata RENAME COLUMN file_path TO place")
    assert "has no column file_path" in reasons(root)["memory.db"]
    assert len(items(root)) == 10


def test_a_lost_row_with_bytes_in_it_is_still_reported(root: Path) -> None:
    row = "INSERT INTO memory_metadata (key, namespace, timestamp, file_path) VALUES (?, ?, ?, ?)"
    with sqlite3.connect(root / ".claude-flow/memory.db") as database:
        database.execute(row, ("lost", b"\xff", "soon", "gone.json"))
    lost = [one for one in read_source(root) if isinstance(one, Quarantined)]
    assert [(one.id, json.loads(one.data)["namespace"]) for one in lost] == [("lost", "ff")]


def test_rows_whose_file_holds_another_key_are_reported(root: Path, write: Write) -> None:
    """`a/b`, `a_b` and `a:b` share one file name: the last one written has the file."""
    row = "INSERT INTO memory_metadata (key, namespace, timestamp, file_path) VALUES (?, ?, ?, ?)"
    place = "C:\\agents\\.claude-flow\\memory\\knowledge_a_b.json"
    with sqlite3.connect(root / ".claude-flow/memory.db") as database:
        database.execute(row, ("knowledge/a_b", "knowledge", 1.0, place))
        database.execute(row, ("knowledge:a:b", "knowledge", 1.0, place))
        database.execute(row, ("bad/key", "bad", 1.0, "/srv/bad_key.json"))
    write("bad_key.json", b"{half")
    lost = [one for one in read_source(root) if isinstance(one, Quarantined)]
    assert [(one.id, one.reason) for one in lost[1:]] == [
        ("knowledge/a_b", "a metadata row whose file holds another key: its value is gone"),
        ("knowledge:a:b", "a metadata row whose file holds another key: its value is gone"),
    ]
    assert lost[0].path.endswith("bad_key.json")


def test_what_the_program_has_not_checkpointed_yet_counts(root: Path, tmp_path: Path) -> None:
    """A log beside the database is part of it, and is not touched."""
    live = tmp_path / "live.db"
    shutil.copy(root / ".claude-flow/memory.db", live)
    with closing(sqlite3.connect(live)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("UPDATE memory_metadata SET accessed_at = 1800000000.25")
        database.commit()
        for end in ("", "-wal"):
            shutil.copy(f"{live}{end}", root / f".claude-flow/memory.db{end}")
    before = {path: path.read_bytes() for path in (root / ".claude-flow").glob("memory.db*")}
    assert {one.accessed_ms for one in items(root).values()} == {1_800_000_000_250}
    assert {
        path: path.read_bytes() for path in (root / ".claude-flow").glob("memory.db*")
    } == before


def test_a_broken_policy_file_is_reported(root: Path) -> None:
    (root / ".claude/memory-retention-policies.yaml").write_text("namespaces: [")
    assert "line 2" in reasons(root)["memory-retention-policies.yaml"]


def test_the_source_is_never_changed(root: Path) -> None:
    def state() -> dict[Path, tuple[bytes, int]]:
        files = (path for path in root.rglob("*") if path.is_file())
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    before = state()
    assert len(list(read_source(root))) == 11
    assert state() == before


def test_identity_does_not_depend_on_place_or_on_reading(root: Path, tmp_path: Path) -> None:
    there = Path(shutil.copytree(root, tmp_path / "elsewhere"))
    with sqlite3.connect(there / ".claude-flow/memory.db") as database:
        database.execute("UPDATE memory_metadata SET accessed_at = 1800000000")
    here = {i: (one.source.import_id, one.source.digest) for i, one in items(root).items()}
    assert here == {i: (one.source.import_id, one.source.digest) for i, one in items(there).items()}


def test_folders_that_are_no_source_are_refused(tmp_path: Path) -> None:
    for root, why in [(tmp_path, "no known file"), (tmp_path / "none", "not there")]:
        with pytest.raises(SourceUnknown, match=why):
            detect_source(root)
    with pytest.raises(SourceUnknown, match="not one of the kinds"):
        read_source(tmp_path, kind="tape")
