"""The pickled archive: read only where allowed, whole, and never executed."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from memtend.limits_foreign import PICKLE_BYTES_MAX
from memtend.migrate.detect import detect_source, read_source
from memtend.migrate.items import Found, ImportItem, PassedOver, Quarantined
from tests.migration.pickles import CREATED, MemoryItem, MemoryTier, archived

GOLDEN = Path(__file__).parents[1] / "golden/legacy/lesson4"
M0 = "memory_archive/2026/11/m0.archive.gz"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "source"))


def found(root: Path, **options: Any) -> list[Found]:
    return list(read_source(root, **{"allow_pickle": True, **options}))


def items(root: Path, **options: Any) -> dict[str, ImportItem]:
    return {one.path: one for one in found(root, **options) if isinstance(one, ImportItem)}


def reasons(root: Path, **options: Any) -> dict[str | None, str]:
    return {one.id: one.reason for one in found(root, **options) if isinstance(one, Quarantined)}


def passed(root: Path) -> list[str]:
    return [one.reason for one in found(root) if isinstance(one, PassedOver)]


def bytes_of(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def database(root: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(root / "episodic_memory.db", isolation_level=None)) as database:
        yield database


def test_the_sample_comes_in_whole(root: Path) -> None:
    assert detect_source(root) == "pickled"
    before = bytes_of(root)
    known = items(root)
    assert sorted(known) == [
        f"agent/a/{place}/m{n}" for place in ("archive", "episodic") for n in range(6)
    ]
    assert bytes_of(root) == before
    assert reasons(root) == {}
    assert passed(root) == ["an index, and only a hint: it knows 1 of 6 items"]
    item = known["agent/a/archive/m0"]
    assert item.value == {"text": "item 0", "i": 0}
    assert (item.labels.kind, item.labels.tags, item.labels.agent) == ("episodic", ("t0", "x"), "a")
    assert (item.labels.importance, item.access_count, item.naive_times) == (0.1, 0, 2)
    assert item.created_ms == item.updated_ms == 1_786_581_842_454
    assert item.accessed_ms == 1_787_445_842_454
    assert item.labels.extra["original"]["created_at"] == "2026-08-13T00:44:02.454039"
    assert item.labels.extra["archived"] == {
        "archived_at": "2026-11-21T00:44:02.466775",
        "rule": "old_low_importance",
    }
    row = known["agent/a/episodic/m0"]
    assert row._replace(source=item.source, namespace=item.namespace).value == item.value
    assert (row.labels.tags, row.labels.extra["extra"]) == (("t0", "x"), {"content_type": "dict"})


def test_without_leave_no_pickle_is_read(root: Path) -> None:
    told = [one for one in found(root, allow_pickle=False) if isinstance(one, Quarantined)]
    assert len(told) == 12
    assert items(root, allow_pickle=False) == {}
    assert {one.reason for one in told} == {
        "it is a pickle, which is read only with --allow-pickle-archive"
    }
    assert told[-1].data.startswith(b'{"id": "m5"')
    assert told[5].data == (root / M0).read_bytes()


def test_an_item_keeps_all_that_it_says(tmp_path: Path) -> None:
    item = MemoryItem(
        "a/b c",
        {"when": CREATED, "seen": {2, 1}, "raw": b"\0", "pair": (1, 2)},
        tier=MemoryTier.SEMANTIC,
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
        importance=7.0,
        tags=["x", "x", 3],
        metadata={"agent_id": "b", "by": (1,)},
    )
    item.embedding = [0.5]  # type: ignore[attr-defined]
    archived(tmp_path, item, name="q")
    (one,) = items(tmp_path).values()
    assert one.path == "agent/b/archive/a/q=b=20c"
    assert one.value == {
        "when": {"$datetime": CREATED.isoformat()},
        "seen": {"$set": [1, 2]},
        "raw": {"$bytes": "AA=="},
        "pair": {"$tuple": [1, 2]},
    }
    labels = one.labels
    assert (labels.kind, labels.importance, labels.tags) == ("semantic", 0.5, ("x",))
    assert labels.extra == {
        "original": {
            "tier": "semantic",
            "created_at": "2026-01-02T00:00:00+00:00",
            "importance": 7.0,
            "tags": ["x", "x", 3],
        },
        "metadata": {"agent_id": "b", "by": {"$tuple": [1]}},
        "extra": {"embedding": [0.5]},
    }


def test_times_without_a_zone_are_read_in_the_one_given(root: Path) -> None:
    berlin, utc = items(root, zone="Europe/Berlin"), items(root)
    for path, item in utc.items():
        assert item.created_ms is not None
        assert berlin[path].created_ms == item.created_ms - 2 * 3_600_000


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_is_read(tmp_path: Path, protocol: int) -> None:
    item = MemoryItem("m", {"n": [1, 2.5, None, True, "é", b"x"]}, tags={"x", "y"})
    archived(tmp_path, pickle.dumps(item, protocol), name="m")
    (one,) = items(tmp_path).values()
    assert one.value == {"n": [1, 2.5, None, True, "é", {"$bytes": "eA=="}]}
    assert (one.labels.tags, one.created_ms) == (("x", "y"), 1_786_581_842_454)


def test_of_an_item_archived_twice_the_newer_one_comes_first(tmp_path: Path) -> None:
    for month, value in (("2025/12", 1), ("2026/02", 3), ("2026/01", 2)):
        archived(tmp_path, MemoryItem("m", value), month)
    assert [one.value for one in found(tmp_path) if isinstance(one, ImportItem)] == [3, 2, 1]


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("echo executed > executed",)


def test_a_forged_pickle_is_set_aside_by_name(
    root: Path, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    archived(root, MemoryItem("e", Evil()))
    database.execute("UPDATE episodic_memory SET content_data = ? WHERE id = 'm3'",
                     (pickle.dumps(Evil()),))  # fmt: skip
    told = reasons(root)
    assert told == dict.fromkeys(("e", "m3"), "it names posix.system, which is never read")
    assert not (root / "executed").exists()
    assert len(items(root)) == 11


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut off": (lambda data: data[:-9], "cut off|damaged"),
    "not gzip": (lambda _: b"not gzip", "damaged"),
    "two in one": (lambda data: data + data, "after its end"),
    "empty": (lambda _: b"", "cut off"),
    "no pickle": (lambda _: gzip.compress(b"{}"), "no whole pickle"),
    "not an item": (lambda _: gzip.compress(pickle.dumps({"id": "m0"})), "no MemoryItem"),
    "a bomb": (lambda _: gzip.compress(bytes(99 << 20)), f"{PICKLE_BYTES_MAX:,}"),
    "too long": (lambda _: bytes(PICKLE_BYTES_MAX + 1), "longer"),
    "no id": (lambda _: gzip.compress(pickle.dumps(MemoryItem("", 1))), "no id"),
    "no time": (
        lambda _: gzip.compress(pickle.dumps(MemoryItem("m0", 1, created_at="soon"))),
        "no timestamp",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_set_aside(root: Path, damage: str) -> None:
    change, why = DAMAGE[damage]
    (root / M0).write_bytes(change((root / M0).read_bytes()))
    told = reasons(root)
    assert list(told) == ["m0"]
    assert any(part in told["m0"] for part in why.split("|"))
    assert len(items(root)) == 11


def test_links_and_strange_files_are_set_aside(root: Path) -> None:
    (root / "memory_archive/2026/11/x.archive.gz").symlink_to(root / M0)
    (root / "memory_archive/2026/notes.txt").write_text("mine")
    told = {one.path: one.reason for one in found(root) if isinstance(one, Quarantined)}
    assert told == {
        "memory_archive/2026/11/x.archive.gz": "it is a symbolic link; links are not followed",
        "memory_archive/2026/notes.txt": "it is not a file of this archive",
    }


def test_a_wrong_index_is_told(root: Path) -> None:
    index = root / "memory_archive/archive_index.json"
    entries = json.loads(index.read_text())
    entries["m0"]["original_size"] = 5
    entries["gone"] = {"rule": "old"}
    index.write_text(json.dumps(entries))
    assert reasons(root) == {"gone": "the index names it, and no file holds it"}
    assert passed(root)[0].endswith("it knows 2 of 6 items; it is wrong about 1: m0")
    index.write_text("{")
    assert [reason.partition(":")[0] for reason in reasons(root).values()] == [
        "it is an index, and not JSON"
    ]
    assert len(items(root)) == 12


def test_an_enormous_index_is_not_read(root: Path) -> None:
    (root / "memory_archive/archive_index.json").write_bytes(b"{" + b" " * PICKLE_BYTES_MAX)
    [told] = [one for one in found(root) if isinstance(one, Quarantined)]
    assert told.reason.startswith("it is an index, and it is longer than")
    assert len(items(root)) == 12


def test_associations_stay_with_the_item_they_start_from(
    root: Path, database: sqlite3.Connection
) -> None:
    link = "INSERT INTO memory_associations VALUES (?, ?, 'follows', 0.5, '2026-08-13T00:00:00')"
    database.executemany(link, [("m0", "m2"), ("m0", "m1"), ("lost", "m1")])
    database.execute("INSERT INTO memory_tags VALUES ('lost', 'x')")
    assert items(root)["agent/a/episodic/m0"].labels.extra["associations"] == [
        {
            "target_id": target,
            "association_type": "follows",
            "strength": 0.5,
            "created_at": "2026-08-13T00:00:00",
        }
        for target in ("m1", "m2")
    ]
    assert reasons(root) == {
        "memory_tags row 13": "a row of memory_tags whose item is not there",
        "memory_associations row 3": "a row of memory_associations whose item is not there",
    }


def test_one_bad_row_stops_no_other(root: Path, database: sqlite3.Connection) -> None:
    for n, change in enumerate((
        "metadata = '{'", "content_data = 'text'", "created_at = 'soon'",
        "id = CAST(x'ff' AS TEXT)",
    )):  # fmt: skip
        database.execute(f"UPDATE episodic_memory SET {change} WHERE id = 'm{n}'")
    told = reasons(root)
    assert told["m0"].startswith("its metadata: not JSON")
    assert told["m1"] == "its content is no pickle"
    assert told["m2"] == "'soon' is no timestamp"
    assert told["row 4"].startswith("row 4 has no id")
    assert sum(path.startswith("agent/a/episodic") for path in items(root)) == 2


def test_a_file_or_the_archive_itself_can_be_named(root: Path) -> None:
    for place, paths in (
        (root / "memory_archive", 6),
        (root / "episodic_memory.db", 6),
        (root / M0, 1),
    ):
        assert detect_source(place) == "pickled"
        known = items(place)
        assert len(known) == paths
        whole = items(root)
        for path, item in known.items():
            assert item.source.import_id == whole[path].source.import_id
