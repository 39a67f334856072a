"""AML trees in every encoding: the bytes say which it is, and no form loses anything."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from memtend.migrate.aml_items import AmlFile
from memtend.migrate.aml_places import Place, place_of
from memtend.migrate.detect import detect_source, read_source
from memtend.migrate.items import ImportItem, PassedOver, Quarantined
from memtend.migrate.jsontext import parse
from memtend.model.record import Labels
from tests.migration.aml_samples import (
    PLAIN,
    TREE,
    alert,
    decision,
    pack,
    packed_tree,
    pattern,
    text,
    write,
)

GOLDEN = Path(__file__).parents[1] / "golden/legacy"
LISTS = ("decisions", "patterns", "solutions")
Seen = dict[str, tuple[Any, Labels, str, str]]


def items(root: Path) -> list[ImportItem]:
    return [one for one in read_source(root, "aml") if isinstance(one, ImportItem)]


def seen(root: Path) -> Seen:
    """What an import makes of it, whichever file it was read from."""
    return {
        one.path: (one.value, one.labels, one.source.format, one.source.digest)
        for one in items(root)
    }


def bad(root: Path) -> dict[str, str]:
    found = read_source(root, "aml")
    return {one.path: one.reason for one in found if isinstance(one, Quarantined)}


def passed(root: Path) -> dict[str, str]:
    return {one.path: one.reason for one in read_source(root, "aml") if isinstance(one, PassedOver)}


def renamed(name: str) -> str:
    return f"{name}.gz"


def same(name: str) -> str:
    return name


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "1.2.0", "2.0.0"])
@pytest.mark.parametrize(
    ("naming", "layers"), [(same, 1), (renamed, 1), (same, 2), (renamed, 2), (renamed, 0)]
)
def test_every_encoding_gives_the_same_items(
    version: str, naming: Callable[[str], str], layers: int, tmp_path: Path
) -> None:
    """Two layers: one program packed what the other had packed already."""
    root = GOLDEN / f"aml-{version}"
    for path in root.rglob("*.json"):
        data = path.read_bytes()
        for _ in range(layers):
            data = pack(data)
        write(tmp_path, {naming(path.relative_to(root).as_posix()): data})
    assert detect_source(tmp_path) == "aml"
    assert seen(tmp_path) == seen(root)
    assert len(seen(root)) == 24
    assert bad(tmp_path) == {}


def test_the_sample_of_the_program_that_packs_everything() -> None:
    root = GOLDEN / "aml-ts"
    assert detect_source(root) == "aml"
    found = {f"{one.source.path} {one.source.id}": one for one in items(root)}
    assert Counter(f"{one.labels.kind} {one.source.format}" for one in found.values()) == {
        "pattern 1.1.0": 3,
        "solution 1.0.0": 1,
        "decision 1.0.0": 2,
        "decision 1.1.0": 1,
        "metric 1.0.0": 2,
        "alert 1.0.0": 2,
        "context 1.0.0": 1,
        "knowledge 1.0.0": 1,
        "audit 1.0.0": 1,
    }
    for name, value in TREE.items():
        if "index" not in name:
            for item in value if isinstance(value, list) and "audit" not in name else [value]:
                item_id = Path(name).stem if "audit" in name else item.get("id", Path(name).stem)
                assert found[f"{name} {item_id}"].value == item
    solved = found["backend/solutions.json s1"].labels
    assert (solved.success_count, solved.failure_count) == (3, 0)
    regretted = found["backend/decisions.json d2"].labels
    assert (regretted.success_count, regretted.failure_count) == (0, 1)
    used = found["backend/patterns.json p1"]
    assert used.accessed_ms is not None
    assert used.updated_ms is not None
    assert used.accessed_ms > used.updated_ms
    assert bad(root) == {}
    assert set(passed(root)) == {
        "config.json",
        "backend/index.json",
        "global/index.json",
        "../memory-backup",
    }


def test_the_golden_sample_is_what_the_script_writes() -> None:
    for name, data in packed_tree().items():
        golden = (GOLDEN / "aml-ts/memory" / name).read_bytes()
        unpack = gzip.decompress if data.startswith(b"\x1f\x8b") else bytes
        assert unpack(golden) == unpack(data)


def test_what_was_archived_says_so_beside_what_is_live(tmp_path: Path) -> None:
    one = [decision("d1", tags=["old"])]
    write(tmp_path, {"a/decisions.json": text(one), "global/archived-decisions.json": text(one)})
    found = {item.path: item.labels.tags for item in items(tmp_path)}
    assert found == {
        "agent/a/decisions/d1": ("old",),
        "global/archived-decisions/d1": ("archived", "old"),
    }


def test_alerts_come_in_one_by_one(tmp_path: Path) -> None:
    """Alerts of one second have one id."""
    write(tmp_path, {name: text(value) for name, value in PLAIN.items()})
    write(tmp_path, {"a/patterns.json": b"[]"})
    alerts = {item.path: item.value["message"] for item in items(tmp_path) if "alert" in item.path}
    assert alerts == {"monitoring/alerts/alert_1": "one", "monitoring/alerts/alert_1:2": "two"}
    more = {"alerts": [alert("alert_1", "one")], "since": 1}
    write(tmp_path, {"monitoring/alerts.json": text(more)})
    assert [item.value for item in items(tmp_path) if "alert" in item.path] == [more]
    write(tmp_path, {"monitoring/alerts.json": b'{"alerts": [{"id": "x"}], "alerts": []}'})
    assert bad(tmp_path) == {"monitoring/alerts.json": "an object in it gives a key twice"}


def test_two_files_of_one_name_are_two_halves_of_one_list(tmp_path: Path) -> None:
    """The newer item wins only where it can be read."""
    unreadable = {"id": "x", "timestamp": "?"}
    write(
        tmp_path,
        {
            "a/patterns.json": text([pattern("both", 1), pattern("new"), unreadable]),
            "a/patterns.json.gz": pack(text([pattern("old"), pattern("both", 0), pattern("x")])),
            "a/metrics.json": text({"n": 2}),
            "a/metrics.json.gz": pack(text({"n": 1})),
            "a/context.json": b"{half",
            "a/context.json.gz": pack(text({"n": 1})),
        },
    )  # fmt: skip
    found = {item.path.removeprefix("agent/a/"): item for item in items(tmp_path)}
    assert found.keys() == {
        "context",
        "metrics",
        *(f"patterns/{i}" for i in ("both", "new", "old", "x")),
    }
    assert found["patterns/both"].value["metrics"]["successRate"] == 1
    assert found["metrics"].value == {"n": 2}
    assert bad(tmp_path).keys() == {"a/patterns.json", "a/context.json"}
    assert passed(tmp_path) == {
        "a/patterns.json.gz": "a newer file has both as well",
        "a/metrics.json.gz": "a newer file has the same name",
    }


PACKED = pack(b'[{"id": "p1"}]')


@pytest.mark.parametrize("name", ["a/patterns.json", "a/patterns.json.gz"])
def test_a_file_that_is_cut_off_anywhere_is_quarantined_with_its_bytes(
    name: str, tmp_path: Path
) -> None:
    write(tmp_path, {"b/patterns.json": text([pattern("p2")])})
    for end in range(len(PACKED)):
        write(tmp_path, {name: PACKED[:end]})
        lost, good = read_source(tmp_path, "aml")
        assert isinstance(lost, Quarantined)
        assert isinstance(good, ImportItem)
        assert (lost.path, lost.data) == (name, PACKED[:end])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (pack(b""), "it is empty"),
        (b"not json", "not JSON"),
        (pack(b"not json"), "not JSON"),
        (b'[{"id": "p1"', "not JSON"),
        (text({"items": [pattern("p1")]}), "it is not a list of items"),
        (text({"p1": pattern("p1")}), "it is not a list of items"),
        (b"null", "it is not a list of items"),
        (b"[" * 5_000, "nested too deeply"),
        (pack(bytes(40_000_000)), "unpacks to"),
    ],
)  # fmt: skip
def test_unreadable_is_never_empty(content: bytes, reason: str, tmp_path: Path) -> None:
    write(tmp_path, {"a/patterns.json": content})
    [lost] = read_source(tmp_path, "aml")
    assert isinstance(lost, Quarantined)
    assert reason in lost.reason
    assert lost.data == content


def test_one_bad_item_blocks_nothing_but_itself(tmp_path: Path) -> None:
    deep = "[" * 3_000 + "]" * 3_000
    listed = ",".join(json.dumps(pattern(f"p{n}")) for n in range(300))
    awful = (
        f'{{"id": "deep", "x": {deep}}}, {{"id": "p300", "id": "p301"}}, {{"id": "y", "n": NaN}}'
    )
    write(tmp_path, {"a/patterns.json": pack(f"[{awful}, {listed}]".encode())})
    assert len(items(tmp_path)) == 300
    reasons = [one.reason for one in read_source(tmp_path, "aml") if isinstance(one, Quarantined)]
    for reason, why in zip(reasons, ("nested too deeply", "a key twice", "nan"), strict=True):
        assert why in reason


def test_what_the_programs_left_lying_around(tmp_path: Path) -> None:
    one = text([pattern("p1")])
    write(
        tmp_path,
        {
            "a/patterns.json": one,
            "a/patterns.json.tmp": one[:50],
            "a/patterns.json.backup-2026-10-01": one,
            "backup/a-2026-10-01/patterns.json": one,
            "README.md": b"# AML",
            "notes.txt": b"mine",
        },
    )
    assert [item.path for item in items(tmp_path)] == ["agent/a/patterns/p1"]
    assert bad(tmp_path) == {
        "a/patterns.json.tmp": "it is a file that was never finished",
        "notes.txt": "it is not a file of this format",
    }
    assert set(passed(tmp_path)) == {
        "README.md",
        "a/patterns.json.backup-2026-10-01",
        "backup/a-2026-10-01/patterns.json",
    }


def test_every_time_counts(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a/decisions.json": text([decision("d1", reviewedAt="soon"), decision("d2")]),
            "a/patterns.json": text([pattern("p1", lifecycle={"last_used_at": "2027-01-01"})]),
        },
    )
    assert bad(tmp_path) == {"a/decisions.json": "'soon' is no timestamp"}
    [kept, used] = items(tmp_path)
    assert (kept.source.id, used.naive_times) == ("d2", 1)
    assert used.accessed_ms == 1_798_761_600_000


def test_items_make_room_as_they_are_read() -> None:
    """A file is in memory once, and less and less of it."""
    content = parse(text([pattern(f"p{n}") for n in range(10)]))
    place = place_of("a/patterns.json")
    assert isinstance(place, Place)
    reading = AmlFile("aml", "a/patterns.json", place, UTC).read(content, b"")
    for n, _ in enumerate(reading):
        assert content.value[: n + 1] == [None] * (n + 1)


def test_the_source_is_never_changed(tmp_path: Path) -> None:
    write(tmp_path, packed_tree())

    def state() -> dict[Path, tuple[bytes, int]]:
        files = (path for path in tmp_path.rglob("*") if path.is_file())
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    before = state()
    assert list(read_source(tmp_path)) == list(read_source(tmp_path))
    assert state() == before
