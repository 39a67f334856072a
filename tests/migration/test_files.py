"""Foreign files: bounded, never followed, never waited for."""

from __future__ import annotations

import base64
import gzip
import os
from pathlib import Path

import pytest

from memtend.errors import LimitExceeded
from memtend.migrate import files
from memtend.migrate.files import SourceFile, parse_json, read_bytes, unpack, walk
from memtend.model.unreadable import Unreadable


def why(path: Path) -> str:
    with pytest.raises(Unreadable) as caught:
        read_bytes(SourceFile(path, path.name))
    return str(caught.value)


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    """A pipe without a writer would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    assert why(tmp_path / "pipe") == "it is not a plain file"
    assert "symbolic link" in why(tmp_path / "link")
    assert "folder that cannot be listed" in why(tmp_path)
    assert why(tmp_path / "none") == "No such file or directory"


def test_sizes_and_numbers_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "IMPORT_FILE_BYTES_MAX", 4)
    monkeypatch.setattr(files, "IMPORT_FILES_MAX", 2)
    for name in "abc":
        (tmp_path / name).write_bytes(b"12345")
    assert why(tmp_path / "a") == "it is longer than 4 bytes"
    with pytest.raises(LimitExceeded):
        list(walk(tmp_path, tmp_path))


def test_folders_too_deep_are_named_not_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "IMPORT_DEPTH_MAX", 2)
    (tmp_path / "a/b/c/d").mkdir(parents=True)
    (tmp_path / "a/x").touch()
    (tmp_path / "a/loop").symlink_to(tmp_path)
    assert [file.relative for file in walk(tmp_path, tmp_path)] == ["a/loop", "a/x", "a/b/c"]
    set_aside = files.set_aside(SourceFile(tmp_path / "a/b/c", "a/b/c"), "it is no file of ours")
    assert "lies too deep" in set_aside.reason
    gone = walk(tmp_path / "none", tmp_path)
    assert [file.relative for file in gone] == ["none"]


def test_names_that_are_not_utf8_are_shown(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.json")).touch()
    assert [file.relative for file in walk(tmp_path, tmp_path)] == ["caf\\xe9.json"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"1" * 5_000, "not JSON: Exceeds the limit"),
        (b"\xef\xbb\xbf ", "not JSON"),
        (b"{} {}", "not JSON: Extra data"),
    ],
)
def test_what_is_not_json_says_so(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse_json(data)


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert parse_json(b"\xef\xbb\xbf[1]") == [1]


def test_a_damaged_compressed_value_says_so() -> None:
    data = bytearray(gzip.compress(b'"text that is long enough to be hit"'))
    data[15] ^= 0xFF
    with pytest.raises(Unreadable, match=r"is damaged|not JSON|cut off"):
        unpack(base64.b64encode(data).decode())
    with pytest.raises(Unreadable, match="is damaged"):
        unpack(base64.b64encode(b"plain bytes").decode())
