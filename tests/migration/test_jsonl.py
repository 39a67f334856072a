"""JSON lines from anywhere: what is good comes in, what is not is named, and nothing is bent."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from memtend.clock import ManualClock
from memtend.errors import SourceUnknown
from memtend.limits import VALUE_BYTES_MAX
from memtend.migrate import jsonl
from memtend.migrate.detect import detect_source, read_source
from memtend.migrate.items import Found, ImportItem, Quarantined
from memtend.model.record import Labels
from memtend.services import open_services

GOLDEN = Path(__file__).parents[1] / "golden/export/memory.jsonl"
HEAD = b'{"memtend":"export","format":1,"store":"s","seq":1,"at":"2026-01-01T00:00:00.000Z"}'
GOOD: dict[str, Any] = {"namespace": "n", "key": "k", "value": 1}
ELEMENT = {"namespace": "n", "key": "s", "field": "0" * 64, "type": "element", "value": 1}


def save(path: Path, *lines: bytes | dict[str, Any], end: int | None = -1) -> Path:
    """An export of these lines; the end counts them unless told otherwise."""
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    said = len(texts) if end == -1 else end
    tail = [] if said is None else [b'{"memtend":"end","records":%d}' % said]
    text = b"\n".join([HEAD, *texts, *tail, b""])
    if path.suffix == ".gz":
        text = gzip.compress(text)
    elif path.suffix == ".zst":
        text = zstandard.compress(text)
    path.write_bytes(text)
    return path


def split(found: list[Found]) -> tuple[list[ImportItem], list[Quarantined]]:
    return (
        [one for one in found if isinstance(one, ImportItem)],
        [one for one in found if isinstance(one, Quarantined)],
    )


def fill_golden(url: str, dest: Path) -> None:
    """What the golden file holds, made with a clock of its own."""
    clock = ManualClock(1_790_000_000_000)
    with open_services(url, clock=clock) as services:
        memory = services.memory
        rich = Labels(
            kind="fact", agent="ada", session="s1", tags=("t", "ü"), importance=0.75,
            confidence=0.5, success_count=3, failure_count=1, pinned=True, extra={"x": [1, None]},
        )  # fmt: skip
        memory.put("notes", "rich", {"ü": [1, 2.5, True, None, "\u2028"]}, labels=rich)
        memory.put("notes", "short", "lived", ttl_ms=86_400_000)
        memory.put("notes", "contested", "first", ttl_ms=1_000_000)
        clock.advance(1_500)
        memory.put("notes", "contested", "second", ctx={})
        memory.increment("counts", "hits", 41)
        memory.add("sets", "colours", "red")
        memory.put_field("maps", "limits", "cpu/soft", 0.5)
        memory.get("notes", "rich")
        services.apply_export(services.plan_export(str(dest)))


@pytest.mark.parametrize("engine", ["file", "memory", "postgres"])
def test_the_format_stays(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Every byte, on every engine: a change here is a new format number."""
    urls = {"file": f"{tmp_path}/store.db", "memory": "sqlite://"}
    url = urls.get(engine) or request.getfixturevalue("postgres_url")
    fill_golden(url, tmp_path / "memory.jsonl")
    assert (tmp_path / "memory.jsonl").read_bytes() == GOLDEN.read_bytes()


def test_the_golden_file_can_be_read() -> None:
    items, bad = split(list(read_source(GOLDEN)))
    assert bad == []
    assert detect_source(GOLDEN) == "jsonl"
    assert [(one.path, one.field) for one in items][:2] == [
        ("counts/hits", ""), ("maps/limits", "cpu/soft"),
    ]  # fmt: skip
    rich = next(one for one in items if one.key == "rich")
    assert rich.labels.tags == ("t", "ü")
    assert (rich.access_count, rich.created_ms) == (1, 1_790_000_000_000)


BAD: dict[str, bytes | dict[str, Any]] = {
    "not JSON": b"{'single': 'quotes'}",
    "empty": b"",
    "cut off": b'{"namespace":"n","key":"k","val',
    "no object": b"[1,2]",
    "a twin key": b'{"namespace":"n","key":"k","value":1,"value":2}',
    "NaN": b'{"namespace":"n","key":"k","value":NaN}',
    "a big integer": b'{"namespace":"n","key":"k","value":123456789012345678901234567890}',
    "half a surrogate": b'{"namespace":"n","key":"k","value":"\\ud800"}',
    "not UTF-8": b'{"namespace":"n","key":"k","value":"\xff"}',
    "no key": {"namespace": "n", "value": 1},
    "a number as key": GOOD | {"key": 5},
    "a path": GOOD | {"key": "../../etc/passwd"},
    "no value": {"namespace": "n", "key": "k"},
    "an unknown member": GOOD | {"color": "red"},
    "an unknown type": GOOD | {"type": "tree"},
    "a type of the wrong type": GOOD | {"type": ["counter"]},
    "labels that are none": GOOD | {"labels": {"importance": 7}},
    "a label of another type": GOOD | {"labels": {"importance": "0.5"}},
    "an unknown label": GOOD | {"labels": {"colour": "red"}},
    "labels as a list": GOOD | {"labels": []},
    "an unknown trust": GOOD | {"labels": {"trust": "absolute"}},
    "garbage as time": GOOD | {"created": "yesterday"},
    "a number as ttl": GOOD | {"ttl_ms": -1},
    "true as ttl": GOOD | {"ttl_ms": True},
    "a field of a value": GOOD | {"field": "f"},
    "a wrong element": ELEMENT,
    "a counter of text": GOOD | {"type": "counter", "value": "5"},
    "siblings as text": GOOD | {"siblings": "x"},
    "a sibling as text": GOOD | {"siblings": ["x"]},
    "too many siblings": GOOD | {"siblings": [{"value": n} for n in range(65)]},
    "a sibling of siblings": GOOD | {"siblings": [{"value": 1, "siblings": []}]},
    "access as text": GOOD | {"access": "often"},
    "a negative access": GOOD | {"access": {"count": -1}},
    "another head": HEAD,
    "deep": b'{"namespace":"n","key":"k","value":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "a value that is too long": GOOD | {"value": "x" * (VALUE_BYTES_MAX + 1)},
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_line_stops_only_itself(what: str, tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", GOOD, BAD[what], GOOD | {"key": "after"})
    items, bad = split(list(read_source(path)))
    assert [one.key for one in items] == ["k", "after"]
    assert [one.path for one in bad] == ["x.jsonl:3"]
    assert bad[0].reason


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_what_is_cut_off_says_so(ending: str, tmp_path: Path) -> None:
    """Wherever it is cut: no beginning of an export is taken for a whole one."""
    lines = [GOOD | {"key": f"k{n}", "value": "text " * n} for n in range(50)]
    path = save(tmp_path / f"x.{ending}", *lines)
    whole = path.read_bytes()
    assert split(list(read_source(path)))[1] == []
    for size in range(len(whole) // 3, len(whole) - 1, len(whole) // 7):
        path.write_bytes(whole[:size])
        try:
            items, bad = split(list(read_source(path)))
        except SourceUnknown:
            continue
        assert bad
        assert len(items) <= 50


def test_a_wrong_end(tmp_path: Path) -> None:
    for end in (None, 7):
        _, bad = split(list(read_source(save(tmp_path / "x.jsonl", GOOD, end=end))))
        assert len(bad) == 1
    path = save(tmp_path / "x.jsonl", GOOD)
    path.write_bytes(path.read_bytes() + b'{"namespace":"n","key":"late","value":1}\n')
    items, bad = split(list(read_source(path)))
    assert (len(items), len(bad)) == (1, 1)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"[]\n",
        b'{"role":"user","content":"hi"}\n',
        b'{"memtend":"export","format":2}\n',
    ],
)
def test_other_lines_are_another_kind(text: bytes, tmp_path: Path) -> None:
    """Lines of another program, or of a later version of this one, are not guessed at."""
    (tmp_path / "x.jsonl").write_bytes(text)
    with pytest.raises(SourceUnknown):
        list(read_source(tmp_path / "x.jsonl"))


def test_links_are_not_followed(tmp_path: Path) -> None:
    path = save(tmp_path / "real.jsonl", GOOD)
    (tmp_path / "x.jsonl").symlink_to(path)
    with pytest.raises(SourceUnknown):
        list(read_source(tmp_path / "x.jsonl", "jsonl"))


def gzip_bomb(size: int) -> bytes:
    return gzip.compress(HEAD + b"\n" + b"x" * size)


def zstd_bomb(size: int) -> bytes:
    return zstandard.compress(HEAD + b"\n" + b"x" * size)


@pytest.mark.parametrize(("ending", "bomb"), [("gz", gzip_bomb), ("zst", zstd_bomb)])
def test_a_line_without_an_end(
    ending: str, bomb: Callable[[int], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither held in memory nor followed to its end."""
    monkeypatch.setattr(jsonl, "EXPORT_LINE_BYTES_MAX", 2**16)
    monkeypatch.setattr(jsonl, "EXPORT_SKIPPED_BYTES_MAX", 2**21)
    (tmp_path / f"x.jsonl.{ending}").write_bytes(bomb(2**23))
    items, bad = split(list(read_source(tmp_path / f"x.jsonl.{ending}")))
    assert items == []
    assert any("no end" in one.reason for one in bad)
    assert sum(len(one.data) for one in bad) <= 2**16 + 1


def test_times_without_a_zone_are_counted(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", GOOD | {"created": "2026-01-01T00:00:00"})
    [item], _ = split(list(read_source(path, zone="Europe/Berlin")))
    assert (item.naive_times, item.created_ms) == (1, 1_767_222_000_000)
