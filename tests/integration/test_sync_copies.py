"""Copies of a store, and a store that was put back in its place, sync beside the others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import InvalidSettings
from memtend.services import Services
from tests.fixtures.syncing import agree, everybody_syncs, party


@pytest.fixture
def shared(tmp_path: Path) -> str:
    (tmp_path / "place").mkdir()
    return str(tmp_path / "place")


def put_back(path: Path, contents: bytes) -> None:
    """The same file, with older contents."""
    with path.open("r+b") as file:
        file.write(contents)
        file.truncate(len(contents))


def test_a_copied_file_syncs_beside_its_original(
    pair: list[Services], shared: str, tmp_path: Path, clock: ManualClock
) -> None:
    a, b = pair
    a.memory.put("n", "k", 1)
    everybody_syncs(pair, shared)
    a.store.engine.script("PRAGMA wal_checkpoint(TRUNCATE)")
    for end in ("", ".key"):
        shutil.copy(tmp_path / f"a.db{end}", tmp_path / f"copy.db{end}")
    with party(f"sqlite:///{tmp_path}/copy.db", clock, tmp_path) as copy:
        assert copy.store.own_replica() != a.store.own_replica()
        a.memory.put("n", "a", 1)
        copy.memory.put("n", "copy", 2)
        for one in (copy, a, b, copy, a):
            one.sync(shared)
        agree((a, b, copy))
        copy.sync(a.store.url)
        agree((a, b, copy))


def test_a_store_put_back_in_place_loses_nothing_that_it_writes_next(
    pair: list[Services], shared: str, tmp_path: Path, clock: ManualClock
) -> None:
    """The file beside it knows how far others were told: it opens under a new id."""
    a, b = pair
    path = tmp_path / "back.db"
    with party(f"sqlite:///{path}", clock, tmp_path) as c:
        c.memory.put("n", "k", 1)
        c.store.engine.script("PRAGMA wal_checkpoint(TRUNCATE)")
        old = path.read_bytes()
        c.memory.put("n", "k", 2)
        c.memory.put("n", "kept", 2)
        for one in (c, a):
            one.sync(shared)
        own = c.store.own_replica()
    put_back(path, old)
    with party(f"sqlite:///{path}", clock, tmp_path) as c:
        assert c.store.own_replica() != own
        c.memory.put("n", "new", 3)
        everybody_syncs((a, b, c), shared)
        agree((a, b, c))
        assert [c.memory.get("n", key) for key in ("k", "kept", "new")] == [2, 2, 3]
        renewed = c.store.own_replica()
    with party(f"sqlite:///{path}", clock, tmp_path) as c:
        assert c.store.own_replica() == renewed


@pytest.mark.parametrize("written", [False, True], ids=["unused", "written to"])
def test_a_store_put_back_behind_its_back_draws_a_new_id(
    pair: list[Services], shared: str, tmp_path: Path, clock: ManualClock, written: bool
) -> None:
    """With all that lies beside it, too: its own head says more than it has. If it was written to
    since, under numbers that others know as something else, it has to bootstrap."""
    a, b = pair
    with party(f"sqlite:///{tmp_path}/back.db", clock, tmp_path) as c:
        c.memory.put("n", "k", 1)
        c.store.engine.script("PRAGMA wal_checkpoint(TRUNCATE)")
        old = (tmp_path / "back.db").read_bytes()
        c.memory.put("n", "k", 2)
        c.memory.put("n", "lost", 2)
        for one in (c, a):
            one.sync(shared)
        own = c.store.own_replica()
    put_back(tmp_path / "back.db", old)
    (tmp_path / "back.db.told").unlink()
    with party(f"sqlite:///{tmp_path}/back.db", clock, tmp_path) as c:
        assert c.store.own_replica() == own
        if written:
            c.memory.put("n", "new", 3)
        report = c.sync(shared)
        assert any(own in alarm for alarm in report.alarms)
        assert report.renewed == c.store.own_replica() != own
        assert report.unsent == (2 if written else 1)
        if written:
            assert '"new"' in Path(report.saved).read_text()
            clock.advance(1_000)
            assert c.sync(shared, bootstrap=True).bootstrapped
        assert (c.memory.get("n", "k"), c.memory.get("n", "lost")) == (2, 2)
        c.memory.put("n", "newer", 4)
        everybody_syncs((a, b, c), shared)
        agree((a, b, c))
        assert a.memory.get("n", "newer") == 4


def test_a_peer_that_was_put_back_keeps_its_writes_in_a_file(
    pair: list[Services], tmp_path: Path, clock: ManualClock
) -> None:
    """Whoever notices saves them, also for the other; one way would not do."""
    a, _ = pair
    url = f"sqlite:///{tmp_path}/back.db"
    with party(url, clock, tmp_path) as c:
        c.memory.put("n", "k", 1)
        c.store.engine.script("PRAGMA wal_checkpoint(TRUNCATE)")
        old = (tmp_path / "back.db").read_bytes()
        c.memory.put("n", "k", 2)
        c.memory.put("n", "k", 3)
        a.sync(url)
    put_back(tmp_path / "back.db", old)
    (tmp_path / "back.db.told").unlink()
    with party(url, clock, tmp_path) as c:
        c.memory.put("n", "new", 3)
        with pytest.raises(InvalidSettings, match="put back"):
            a.sync(url, push=False)
        with pytest.raises(InvalidSettings, match="put back"):
            c.sync(a.store.url, pull=False)
        report = a.sync(url)
        [saved] = (tmp_path / "memtend-unsent").iterdir()
        assert str(saved) in report.alarms[-1]
        assert '"new"' in saved.read_text()
        clock.advance(1_000)
        assert c.sync(a.store.url, bootstrap=True).bootstrapped
        agree((a, c))
