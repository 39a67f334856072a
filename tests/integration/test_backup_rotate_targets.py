"""Rotation, pins and verification in pieces on every kind of target, plain and encrypted."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from memtend.backup import Repository, verify_repository
from memtend.backup.layers import open_state
from memtend.backup.pins import pin
from memtend.clock import ManualClock
from memtend.codec.crypto import UserKey
from memtend.limits import GARBAGE_GRACE_MS
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import check_row, row
from tests.fixtures.rotations import Series, named, rotated


@pytest.fixture(params=["local", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    url = str(tmp_path / "target")
    if request.param == "memory":
        fsspec.filesystem("memory").store.clear()
        url = "memory://rotations/target"
    elif request.param == "s3":
        url = request.getfixturevalue("s3_url")
    return open_target(url, ManualClock(seed=3))


@pytest.mark.parametrize("key", [None, UserKey("12" * 32)], ids=["plain", "encrypted"])
def test_what_is_kept_is_whole_and_the_rest_is_gone(
    store: ObjectStore, key: UserKey | None
) -> None:
    """The test's clock is not the target's, so that objects go in the second rotation."""
    clock = ManualClock()
    series = Series(store, clock, key)
    old = series.full(1)
    series.increment(old, row("n", "a", b"1"))
    pinned = series.full(2)
    base = series.full(3)
    newest = series.increment(base, row("n", "b", b"2"))
    repository = Repository.open(store, key)
    pin(repository, clock, "mine", named(pinned))

    assert rotated(store, clock, key=key).deleted == 2
    clock.advance(GARBAGE_GRACE_MS)
    assert rotated(store, clock, key=key).objects_deleted > 0

    first = verify_repository(
        store, clock, check_row=check_row, deep=True, key=key, head=newest, max_seconds=1e-9
    )
    rest = verify_repository(
        store, clock, check_row=check_row, deep=True, key=key, head=newest, resume=True
    )
    assert (first.findings, rest.findings, rest.complete) == ((), (), True)
    assert rest.whole == (pinned, base, newest)
    assert rest.garbage_count == 0
    for name in rest.whole:
        rows = list(open_state(repository, name, check_row=check_row).rows())
        assert rows == sorted(series.states[name].values())
