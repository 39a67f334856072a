"""Files written by the first version are read for ever, byte for byte.

Compressed bytes may differ between versions of zstd; what is compressed may not.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import zstandard

from memtend.backup import Manifest, ManifestName, take_full, verify_repository
from memtend.backup.manifest import parse_manifest
from memtend.backup.repository import Identity
from memtend.clock import ManualClock
from memtend.codec.segment import SegmentKind, Table, decode, encode, read_header
from memtend.model.stored import LogRow
from memtend.objects import open_target
from tests.fixtures.backups import MadeSnapshot, check_row, row

GOLDEN = Path(__file__).parents[1] / "golden" / "backup"
SNAPSHOT = MadeSnapshot(
    stored=(
        row("agents/a", "task/1", b'{"status":"done"}', seq=3, n=1),
        row("agents/a", "task/2", bytes(range(256)), seq=5, n=2)._replace(seq=2**53),
        row("agents/b", "note", "\u00e4\u4e2d".encode(), seq=9, n=7),
    ),
    logged=(LogRow("agents/b", "gone", "", "b" * 32, 4, 8, 1_750_000_000_000, "deleted"),),
)


def take(target: Path) -> str:
    clock = ManualClock()
    store = open_target(str(target), clock)
    report = take_full(
        SNAPSHOT, store, clock, check_row=check_row, who="golden", why="format 1", program="0.1.0"
    )
    return report.manifest


def files_of(root: Path) -> dict[str, bytes]:
    files = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def meaning(name: str, data: bytes) -> object:
    """What a file says, apart from how well it is compressed."""
    if name.startswith("manifests/"):
        parsed = ManifestName.parse(name)
        assert parsed is not None
        text = orjson.loads(zstandard.decompress(data))
        assert parse_manifest(parsed, data) == Manifest.model_validate_json(orjson.dumps(text))
        for one in text["segments"]:
            del one["object"], one["stored_bytes"]
        return text
    if name.startswith("objects/"):
        header, start = read_header(data)
        return header, data[:start], zstandard.decompress(data[start:])
    return data


def test_the_golden_repository_is_whole() -> None:
    store = open_target(str(GOLDEN), ManualClock())
    report = verify_repository(store, ManualClock(), check_row=check_row, deep=True)
    assert report.findings == ()
    assert report.rows == 4
    assert report.root == "a296a2c9e8c3108780b164912f7f66d3969f780719c23968d897e66eb00c616a"


def test_the_same_backup_taken_today_says_the_same(tmp_path: Path) -> None:
    take(tmp_path)
    today = [meaning(*one) for one in files_of(tmp_path).items()]
    golden = [meaning(*one) for one in files_of(GOLDEN).items()]
    assert sorted(map(repr, today)) == sorted(map(repr, golden))


def test_the_golden_rows_are_read() -> None:
    read = [
        one
        for name, data in files_of(GOLDEN).items()
        if name.startswith("objects/")
        for one in decode(data)[1]
    ]
    assert sorted(read) == sorted([*SNAPSHOT.stored, *SNAPSHOT.logged])


def test_a_segment_begins_as_the_specification_says() -> None:
    data = encode(SegmentKind.BASE, Table.LOG, "0001", SNAPSHOT.logged)
    assert data[:10] == b"MEMTSEG\0\x00\x01"


def test_an_identity_checks_itself() -> None:
    assert Identity(repo_id="0" * 32).pack() == (
        b'{"check":"a3ef2e6a9f051a59b0f20bee5c34870c8c3534d7f80593450e9d6bc2edae021e",'
        b'"compression":"zstd","encryption":null,"format":1,"hash":"sha256",'
        b'"repo_id":"00000000000000000000000000000000"}'
    )
