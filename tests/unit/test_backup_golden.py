"""Files written by the first version are read for ever, byte for byte.

Compressed bytes may differ between versions of zstd; what is compressed may not. Made by

    python -c 'from tests.unit import test_backup_golden as golden; golden.make()'
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import ormsgpack
import pytest
import zstandard

from memtend.backup import Asked, Manifest, ManifestName, Repository, take, verify_repository
from memtend.backup.identity import Identity
from memtend.backup.layers import open_state
from memtend.backup.manifest import parse_manifest
from memtend.clock import ManualClock
from memtend.codec.crypto import UserKey
from memtend.codec.segment import SegmentKind, Table, decode, encode, read_header
from memtend.model.stored import LogRow, SideRow
from memtend.objects import open_target
from tests.fixtures.backups import STATE, MadeSnapshot, check_row, row

GOLDEN = Path(__file__).parents[1] / "golden"
KEYS = {
    "backup": None,
    "backup-key": UserKey("0123456789abcdef" * 4),
    "backup-phrase": UserKey("correct horse battery staple"),
}


class Golden(MadeSnapshot):
    """With something in every table."""

    def side(self) -> Iterator[SideRow]:
        yield SideRow("access_grant", "ada", "notes/**\0read", ormsgpack.packb((7,)))
        yield SideRow("setting", "policies", "", ormsgpack.packb(("{}", 9)))

    def audit(self, after: int = 0) -> Iterator[SideRow]:
        for n in range(after + 1, self.facts.audit_n + 1):
            cells = ormsgpack.packb((1_750_000_000_000 + n, "put", "owner", "a", bytes(16)))
            yield SideRow("audit", f"{n:020d}", "", cells)

    def access(self) -> Iterator[SideRow]:
        yield SideRow("access", "agents/a", "task/1", ormsgpack.packb((3, 1_750_000_000_000)))

    def seal_of(self, number: int) -> bytes | None:
        return bytes([number]) * 32


FIRST = Golden(
    stored=(
        row("agents/a", "task/1", b'{"status":"done"}', seq=3, n=1),
        row("agents/a", "task/2", bytes(range(256)), seq=5, n=2),
        row("agents/b", "note", "\u00e4\u4e2d".encode(), seq=9, n=7),
    ),
    logged=(LogRow("agents/b", "gone", "", "b" * 32, 4, 8, 1_750_000_000_000, "deleted"),),
)
SECOND = Golden(
    stored=(row("agents/a", "task/1", b'{"status":"late"}', seq=2**53, n=9), *FIRST.stored[2:]),
    logged=(
        LogRow("agents/a", "task/2", "", "a" * 32, 10, 1_001, 1_750_000_000_001, "deleted"),
        *FIRST.logged,
    ),
    facts=STATE._replace(seq=2**53, audit_n=9, audit_head=bytes([9]) * 32),
)


def take_both(target: Path, key: UserKey | None) -> list[str]:
    clock = ManualClock()
    store = open_target(str(target), clock)
    asked = Asked(who="golden", why="format 1", program="0.1.0", label="sqlite golden.db")
    return [
        take(one, store, clock, check_row=check_row, asked=asked, key=key).manifest
        for one in (FIRST, SECOND)
    ]


def make() -> None:
    for name, key in KEYS.items():
        take_both(GOLDEN / name, key)


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
        del text["written_bytes"]
        for link in ("base", "parent"):
            text[link] = text[link] and text[link].partition("-")[0]
        return text
    if name.startswith("objects/"):
        header, start = read_header(data)
        return header, data[:start], zstandard.decompress(data[start:])
    return data


@pytest.mark.parametrize("name", KEYS)
def test_the_golden_repositories_are_whole(name: str) -> None:
    store = open_target(str(GOLDEN / name), ManualClock())
    report = verify_repository(store, ManualClock(), check_row=check_row, deep=True, key=KEYS[name])
    assert report.findings == ()
    assert len(report.whole) == 2


@pytest.mark.parametrize("name", KEYS)
def test_the_golden_rows_are_read(name: str) -> None:
    repository = Repository.open(open_target(str(GOLDEN / name), ManualClock()), KEYS[name])
    manifests = repository.manifests()
    for wanted, manifest in zip((FIRST, SECOND), manifests, strict=True):
        state = open_state(repository, manifest, check_row=check_row)
        assert tuple(state.rows()) == wanted.stored
        assert tuple(state.log()) == wanted.logged
        assert list(state.side()) == list(wanted.side())
        assert list(state.audit()) == list(wanted.audit())
        assert list(state.access()) == list(wanted.access())
        assert state.manifest.state_sum == wanted.state.sum.hex()
    assert [repository.get_manifest(one).kind for one in manifests] == ["full", "incremental"]


def test_the_same_backups_taken_today_say_the_same(tmp_path: Path) -> None:
    take_both(tmp_path, None)
    today = [meaning(*one) for one in files_of(tmp_path).items()]
    golden = [meaning(*one) for one in files_of(GOLDEN / "backup").items()]
    assert sorted(map(repr, today)) == sorted(map(repr, golden))


def test_a_segment_begins_as_the_specification_says() -> None:
    data = encode(SegmentKind.BASE, Table.LOG, "0001", FIRST.logged)
    assert data[:10] == b"MEMTSEG\0\x00\x01"
    assert [*decode(data)[1]] == list(FIRST.logged)


def test_an_identity_checks_itself() -> None:
    assert Identity(repo_id="0" * 32).pack() == (
        b'{"check":"a3ef2e6a9f051a59b0f20bee5c34870c8c3534d7f80593450e9d6bc2edae021e",'
        b'"compression":"zstd","encryption":null,"format":1,"hash":"sha256",'
        b'"repo_id":"00000000000000000000000000000000"}'
    )
