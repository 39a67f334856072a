"""What a target that fails means: which error, how often it is tried again, what is said."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from memtend.clock import ManualClock
from memtend.errors import (
    InvalidSettings,
    MemtendError,
    ObjectMissing,
    TargetDenied,
    TargetFull,
    TargetUnavailable,
)
from memtend.limits import TARGET_PAUSE_S_MAX, TARGET_TRIES
from memtend.objects import ObjectStore, address_of, open_target, redact
from memtend.objects.local import LocalStore


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("/plain/path@here", "/plain/path@here"),
        ("file:///a/b@c", "file:///a/b@c"),
        ("s3://bucket/a@b/c", "s3://bucket/a@b/c"),
        ("sftp://host:22/a@b", "sftp://host:22/a@b"),
        ("s3://KEY:se/cr@et@bucket/x", "s3://***@bucket/x"),
        ("s3://KEY:s@e/cret@bucket/x", "s3://***@bucket/x"),
        ("s3://KEY:SECRET@bucket/x", "s3://***@bucket/x"),
        ("sftp://me@host/x", "sftp://***@host/x"),
        ("s3://bucket/x?token=SECRET#SECRET", "s3://bucket/x"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert redact(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "s3://KEY:SECRET@bucket/x",
        "s3://KEY:SEC/RET@bucket/x",
        "simplecache::s3://bucket/x",
        "s3:///x",
        "nosuch://SECRET.host/x",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_unrepeated(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        open_target(url, ManualClock())
    assert "SEC" not in str(caught.value)


def test_a_target_has_one_address_however_it_is_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("b", "./b/", f"file://{tmp_path}/b", f"{tmp_path}/x/../b"):
        assert address_of(url) == open_target(url, ManualClock()).url == str(tmp_path / "b")
    for url in ("memory://a/b", "memory://a/b/", "memory://a/b?x=SECRET"):
        assert address_of(url) == open_target(url, ManualClock()).url == "memory://a/b"


class Pauses(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def failing(
    monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception], times: int
) -> tuple[ObjectStore, Pauses]:
    """A memory target whose file system fails `times` times at reading."""
    fsspec.filesystem("memory").store.clear()
    pauses = Pauses()
    store = open_target("memory://failing/x", ManualClock(), sleep=pauses)
    store.put_if_absent("a", b"data")
    kind = type(fsspec.filesystem("memory"))
    real = kind.cat_file
    left = [times]

    def cat_file(self: Any, *given: Any, **named: Any) -> bytes:
        left[0] -= 1
        if left[0] >= 0:
            raise error()
        data: bytes = real(self, *given, **named)
        return data

    monkeypatch.setattr(kind, "cat_file", cat_file)
    return store, pauses


def test_a_passing_failure_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store, pauses = failing(monkeypatch, ConnectionResetError, TARGET_TRIES - 1)
    assert store.get("a") == b"data"
    assert len(pauses) == TARGET_TRIES - 1
    assert all(0 < pause <= TARGET_PAUSE_S_MAX for pause in pauses)
    assert pauses == sorted(pauses)


def test_a_lasting_failure_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    store, pauses = failing(monkeypatch, TimeoutError, TARGET_TRIES)
    with pytest.raises(TargetUnavailable) as caught:
        store.get("a")
    assert caught.value.transient
    assert len(pauses) == TARGET_TRIES - 1


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (PermissionError(errno.EACCES, "SECRET"), TargetDenied),
        (FileNotFoundError("SECRET"), ObjectMissing),
        (OSError(errno.ENOSPC, "SECRET"), TargetFull),
        (OSError(errno.EINVAL, "SECRET"), TargetDenied),
        (NotImplementedError("SECRET"), TargetDenied),
    ],
)
def test_what_will_not_pass_is_tried_once(
    monkeypatch: pytest.MonkeyPatch, error: Exception, meaning: type[MemtendError]
) -> None:
    store, pauses = failing(monkeypatch, lambda: error, 99)
    with pytest.raises(meaning) as caught:
        store.get("a")
    assert pauses == []
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_bucket_that_does_not_exist_is_said_so(s3_url: str) -> None:
    store = open_target("s3://no-such-bucket/x", ManualClock())
    assert s3_url
    with pytest.raises(TargetDenied, match="does not exist"):
        store.put_if_absent("a", b"")


def test_a_file_where_a_folder_must_be(tmp_path: Path) -> None:
    (tmp_path / "objects").write_bytes(b"")
    store = open_target(str(tmp_path), ManualClock())
    with pytest.raises(MemtendError):
        store.put_if_absent("objects/a", b"")
    assert not store.exists("objects/a")


def test_a_full_disk_leaves_no_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_target(str(tmp_path), ManualClock())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TargetFull):
        store.put_if_absent("a", b"data")
    monkeypatch.undo()
    assert list(store.list()) == []
    assert store.put_if_absent("a", b"data")


def test_a_file_system_without_links_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no links")

    monkeypatch.setattr("os.link", no_links)
    store = LocalStore(tmp_path, ManualClock().new_id)
    assert not store.probe().conditional_create
    assert store.put_if_absent("a/b", b"first")
    assert not store.put_if_absent("a/b", b"second")
    assert [info.name for info in store.list()] == ["a/b"]
    assert store.get("a/b") == b"first"


def test_what_is_not_ours_is_not_listed(tmp_path: Path) -> None:
    store = open_target(f"file://{tmp_path}", ManualClock())
    for name in (".hidden", "a b", ".git/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    store.put_if_absent("a", b"")
    assert [info.name for info in store.list()] == ["a"]
