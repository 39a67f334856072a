"""A copy of a whole store: all of it, between any two engines, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from memtend.clock import ManualClock
from memtend.errors import CopyTaken, CopyWrong, InvalidSettings
from memtend.memory import Memory
from memtend.serving.copying import check_copy, copy_store
from memtend.settings import Settings
from memtend.store import catalog
from memtend.store.adapting import Live, look
from memtend.store.audit import entries
from memtend.store.copying import COPY
from memtend.store.peers import Peer, save_peer
from memtend.store.snapshot import snapshot
from memtend.store.store import Store
from memtend.store.verify import verify_store
from tests.fixtures.backups import sum_of
from tests.fixtures.changing import KINDS, act
from tests.fixtures.killing import KILLED, die_before, in_child
from tests.fixtures.stores import run_sql
from tests.fixtures.syncing import party

SETTINGS = Settings()


@pytest.fixture(params=[("file", "file"), ("file", "postgres"), ("postgres", "file")])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Where a store is, and where its copy is to be."""
    urls = {"file": iter((f"{tmp_path}/from.db", f"{tmp_path}/to.db"))}
    source, dest = (
        request.getfixturevalue("postgres_url") if kind == "postgres" else next(urls["file"])
        for kind in request.param
    )
    return source, dest


def fill(url: str, clock: ManualClock, folder: Path) -> None:
    """Everything that a store can hold."""
    with party(url, clock, folder) as services:
        for step in range(2 * KINDS):
            act(services, clock, step, "kl"[step % 2])
        memory, store = services.memory, services.store
        memory.put("a", "once", 1, op_id="op-1")
        memory.messages.send("bob", {"hello": 1})
        memory.config.grant("ada", "a/**", "read", "operator")
        memory.leases.acquire("door", ttl_ms=60_000)
        memory.put("a", "many", list(range(2_000)))
        for _ in range(3):
            memory.get("a", "once")
        save_peer(store, Peer("f" * 32, "office", "sqlite:///x", {"a" * 32: 3}, 7, {"b" * 32: 2}))
        entry = catalog.Entry("m", "u", 1, 2, 3, 4, "root")
        catalog.record(store, entry, "backup")


def everything(store: Store) -> dict[str, Any]:
    """All that a copy must keep."""
    live: Live = look(store.engine)
    with snapshot(store) as view:
        return {
            "rows": list(view.rows()),
            "log": list(view.log()),
            "side": list(view.side()),
            "access": list(view.access()),
            "catalog": live.catalog,
            "ops": live.ops,
            "tokens": view.state.tokens,
            "sum": view.state.sum,
            "erasures": live.erasures,
            "totals": {row for row in view.reader.fetch("tallies") if row[2] or row[0] == "ns"},
        }


def test_everything_comes_along(
    places: tuple[str, str], tmp_path: Path, clock: ManualClock
) -> None:
    """Rows exactly, side tables exactly; the audit trail goes on under its own key."""
    source_url, dest_url = places
    fill(source_url, clock, tmp_path)
    report = copy_store(source_url, dest_url, SETTINGS, clock)
    with (
        Memory.open(source_url, clock=clock) as source,
        Memory.open(dest_url, clock=clock, create=False) as dest,
    ):
        wanted, found = everything(source.store), everything(dest.store)
        assert found == wanted
        assert sum_of(found["rows"]).hex() == report.state_sum
        assert dest.store.key == source.store.key
        with snapshot(source.store) as ours, snapshot(dest.store) as theirs:
            trail = list(entries(ours.reader))
            assert list(entries(theirs.reader))[: len(trail)] == trail
            assert list(entries(theirs.reader))[-1][0].action == COPY
        for memory in (source, dest):
            checked = verify_store(memory.store)
            assert checked.ok, checked.findings
        assert dest.config.grants == source.config.grants
        assert dest.put("a", "once", 2, op_id="op-1") is not None
        assert dest.get("a", "once") == 1
        assert "message" in {row.table for row in found["side"]}


def test_it_is_another_replica_of_the_same_store(
    places: tuple[str, str], tmp_path: Path, clock: ManualClock
) -> None:
    """Nobody holds a lease there, and a token of the copy beats all that the source granted."""
    source_url, dest_url = places
    fill(source_url, clock, tmp_path)
    copy_store(source_url, dest_url, SETTINGS, clock)
    with Memory.open(source_url, clock=clock) as source, Memory.open(dest_url, clock=clock) as dest:
        assert dest.store.meta().store_id == source.store.meta().store_id
        assert dest.store.own_replica() != source.store.own_replica()
        assert dest.context() == source.context()
        granted = source.leases.acquire("window", ttl_ms=1_000).fence
        assert dest.leases.acquire("door", ttl_ms=1_000).fence > granted
        [peer] = look(dest.store.engine).peers
        assert peer[:3] == ("f" * 32, "office", "sqlite:///x")
        assert peer[4] == 0


def test_later_writes_are_named(tmp_path: Path, clock: ManualClock) -> None:
    source_url, dest_url = f"{tmp_path}/from.db", f"{tmp_path}/to.db"
    fill(source_url, clock, tmp_path)
    report = copy_store(source_url, dest_url, SETTINGS, clock)
    found = check_copy(source_url, dest_url, SETTINGS, clock)
    assert (found.equal, found.changed, found.root) == (True, 0, report.root)
    with Memory.open(source_url, clock=clock) as source:
        source.put("a", "late", 1)
        source.delete("a", "once")
    found = check_copy(source_url, dest_url, SETTINGS, clock)
    assert (found.equal, found.changed) == (False, 2)
    assert found.names == ("a/late", "a/once")
    with pytest.raises(CopyWrong):
        check_copy(dest_url, source_url, SETTINGS, clock)


def test_a_store_is_never_written_over(
    places: tuple[str, str], tmp_path: Path, clock: ManualClock
) -> None:
    source_url, dest_url = places
    for url in places:
        with Memory.open(url, clock=clock) as memory:
            memory.put("a", "b", url)
    with pytest.raises(CopyTaken):
        copy_store(source_url, dest_url, SETTINGS, clock)
    with Memory.open(dest_url, clock=clock) as memory:
        assert memory.get("a", "b") == dest_url
    with pytest.raises(CopyTaken):
        copy_store(source_url, source_url, SETTINGS, clock)
    with pytest.raises(InvalidSettings):
        copy_store("sqlite://", f"{tmp_path}/x.db", SETTINGS, clock)


@pytest.mark.parametrize("dest", ["sqlite://", ":memory:", "", "mysql://me:secret@host/db"])
def test_a_place_that_cannot_be_one(
    dest: str, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that is not known is no path, and is not shown: a password may be in it."""
    monkeypatch.chdir(tmp_path)
    Memory.open(f"{tmp_path}/from.db", clock=clock).close()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InvalidSettings) as caught:
        copy_store(f"{tmp_path}/from.db", dest, SETTINGS, clock)
    assert "secret" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_a_damaged_source_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    """And nothing is left where the copy would be."""
    source_url, dest_url = f"{tmp_path}/from.db", f"{tmp_path}/to.db"
    with Memory.open(source_url, clock=clock) as memory:
        memory.put("a", "b", "value")
        run_sql(memory, "UPDATE sibling SET value = X'2278'")
    with pytest.raises(CopyWrong, match="a/b does not match"):
        copy_store(source_url, dest_url, SETTINGS, clock)
    assert [path.name for path in tmp_path.glob("to.db*") if ".key" not in path.name] == []


def test_another_key_is_not_taken(tmp_path: Path, clock: ManualClock) -> None:
    """A key that a lost store has left is nobody's to replace."""
    source_url, dest_url = f"{tmp_path}/from.db", f"{tmp_path}/to.db"
    Memory.open(source_url, clock=clock).close()
    Path(f"{dest_url}.key").write_text("ab" * 32)
    with pytest.raises(InvalidSettings, match="audit key"):
        copy_store(source_url, dest_url, SETTINGS, clock)
    assert Path(f"{dest_url}.key").read_text() == "ab" * 32


@pytest.fixture
def filled(tmp_path: Path, clock: ManualClock) -> str:
    url = f"{tmp_path}/from.db"
    fill(url, clock, tmp_path)
    return url


def test_killed_anywhere(filled: str, tmp_path: Path, clock: ManualClock) -> None:
    """There is no store, or the whole one; and once more makes it."""
    killed = placed = 0
    for operation in range(1, 400, 9):
        dest = f"{tmp_path}/to-{operation}.db"

        def work(dest: str = dest, operation: int = operation) -> None:
            die_before(operation)
            copy_store(filled, dest, SETTINGS, ManualClock(seed=operation))

        status = in_child(work)
        killed += status == KILLED
        try:
            copy_store(filled, dest, SETTINGS, ManualClock(seed=operation + 1_000))
            assert not list(tmp_path.glob(f"to-{operation}.db.restore-*"))
        except CopyTaken:
            placed += 1
        assert check_copy(filled, dest, SETTINGS, clock).equal
        if status == 0:
            break
    assert status == 0
    assert killed > 3
    assert placed >= 1
