"""The contract of a target, kept by a folder, by memory and by S3."""

from __future__ import annotations

import pickle
from pathlib import Path

import fsspec
import pytest

from memtend.clock import ManualClock
from memtend.errors import InvalidName, ObjectDamaged, ObjectMissing
from memtend.objects import ObjectInfo, ObjectStore, open_target


@pytest.fixture(params=["local", "memory", "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "local":
        url = str(tmp_path / "target")
    elif request.param == "memory":
        fsspec.filesystem("memory").store.clear()
        url = "memory://contract/target"
    else:
        url = request.getfixturevalue("s3_url")
    return open_target(url, ManualClock())


def test_what_is_put_is_got(target: ObjectStore) -> None:
    for data in (b"", b"x", bytes(range(256)) * 5_000):
        name = f"objects/aa/{len(data)}"
        assert target.put_if_absent(name, data) is True
        assert target.get(name) == data
        assert target.size(name) == len(data)
        assert target.exists(name)


def test_a_name_is_taken_once(target: ObjectStore) -> None:
    assert target.put_if_absent("memtend.json", b"first")
    assert target.put_if_absent("memtend.json", b"second") is False
    assert target.get("memtend.json") == b"first"


def test_a_range_is_clipped(target: ObjectStore) -> None:
    target.put_if_absent("objects/a", b"0123456789")
    assert target.get_range("objects/a", 2, 3) == b"234"
    assert target.get_range("objects/a", 8, 100) == b"89"
    assert target.get_range("objects/a", 10, 1) == b""
    assert target.get_range("objects/a", 99, 1) == b""
    assert target.get_range("objects/a", 0, 0) == b""


def test_what_is_not_there_is_missing(target: ObjectStore) -> None:
    assert not target.exists("objects/none")
    for read in (target.get, target.size, lambda name: target.get_range(name, 0, 1)):
        with pytest.raises(ObjectMissing) as caught:
            read("objects/none")
        assert caught.value.facts["name"] == "objects/none"


def test_a_folder_is_no_object(target: ObjectStore) -> None:
    target.put_if_absent("objects/aa/one", b"1")
    assert not target.exists("objects/aa")
    assert not target.exists("objects")


def test_an_object_longer_than_the_limit_is_refused(target: ObjectStore) -> None:
    target.put_if_absent("objects/a", b"0123456789")
    assert target.get("objects/a", limit=10) == b"0123456789"
    with pytest.raises(ObjectDamaged):
        target.get("objects/a", limit=9)


def test_a_list_is_in_order_and_below_its_prefix(target: ObjectStore) -> None:
    assert list(target.list()) == []
    assert list(target.list("objects/")) == []
    for name in ("objects/b/2", "objects/a/10", "objects/a/1", "objectsx", "memtend.json"):
        target.put_if_absent(name, name.encode())
    assert [info._replace(modified_ms=None) for info in target.list("objects/")] == [
        ObjectInfo("objects/a/1", 11),
        ObjectInfo("objects/a/10", 12),
        ObjectInfo("objects/b/2", 11),
    ]
    names = [info.name for info in target.list()]
    assert names == sorted(names)
    assert len(names) == 5


def test_a_list_says_when_each_was_written(target: ObjectStore) -> None:
    """By one clock, the target's: rotation compares these times with each other."""
    for name in ("objects/a/1", "objects/a/2"):
        target.put_if_absent(name, b"x")
    first, second = (info.modified_ms for info in target.list("objects/"))
    assert first is not None
    assert second is not None
    assert 0 <= second - first < 3_600_000


def test_what_is_deleted_is_gone_and_may_be_deleted_again(target: ObjectStore) -> None:
    target.put_if_absent("objects/a/1", b"1")
    target.delete("objects/a/1")
    target.delete("objects/a/1")
    target.delete("never/was")
    assert not target.exists("objects/a/1")
    assert list(target.list()) == []
    assert target.put_if_absent("objects/a/1", b"2")


@pytest.mark.parametrize(
    "name",
    ["", "/", "../x", "a/../b", "a//b", "/a", "a/", ".x", "a/.x", "a\\b", "a b", "é", "a" * 201],
)
def test_a_name_cannot_leave_the_target(target: ObjectStore, name: str) -> None:
    calls = (
        target.get,
        target.size,
        target.exists,
        target.delete,
        lambda name: target.put_if_absent(name, b""),
        lambda name: target.get_range(name, 0, 1),
    )
    for call in calls:
        with pytest.raises(InvalidName):
            call(name)


def test_a_prefix_ends_in_a_slash(target: ObjectStore) -> None:
    for prefix in ("objects", "../", "/"):
        with pytest.raises(InvalidName):
            list(target.list(prefix))


def test_a_probe_tries_and_leaves_nothing(target: ObjectStore) -> None:
    can = target.probe()
    assert target.probe() is can
    assert list(target.list()) == []
    assert can.conditional_create is not target.url.startswith("s3://")  # rclone ignores it
    assert can.checksum is target.url.startswith("s3://")


def test_a_remote_target_is_not_pickled(s3_url: str) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(open_target(s3_url, ManualClock()))
