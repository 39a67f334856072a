"""Coming back: copies, restored stores, retired replicas, and those left behind (CRDT_SPEC 1.2,
7.2, 8)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.codec.delta import write_pages
from memtend.errors import DeltaRefused, EpochMismatch, PeerRetired, ReplicaCloned
from memtend.limits import PEER_SILENT_MS
from memtend.memory import Memory
from memtend.model.record import Labels
from memtend.store.expiry import drop_expired, expired
from memtend.store.peers import peers, retire_silent
from memtend.store.rejoining import bootstrap, rejoin, unsent
from memtend.store.sync import apply, outgoing, vector
from tests.fixtures.replicas import NS, Make, assert_alike, pages_of, rows, send, sync
from tests.fixtures.stores import run_sql


def put_epoch(memory: Memory, epoch: int) -> None:
    """What a restore that rolls everybody back does to the number."""
    with memory.store.engine.write() as tx:
        meta = memory.store.meta()._replace(epoch=epoch)
        tx.run("save_meta", meta.params())


def test_a_peer_that_knows_more_of_me_than_i_do(both: tuple[Memory, Memory]) -> None:
    """Example 12: put back behind its own back, a replica draws a new id and loses nothing."""
    a, b = both
    a.put(NS, "one", 1)
    send(a, b)
    own = a.store.own_replica()
    with outgoing(b.store, vector(a.store)) as delta:
        # b has heard of one more event of a, which a does not remember.
        head = delta.head._replace(vv={own: 2})
        applied = apply(a.store, write_pages(head, delta.items()))
    assert applied.new_replica == a.store.own_replica() != own
    assert "copied or put back" in applied.alarms[0]
    assert vector(a.store) == {own: 2}
    a.put(NS, "two", 2)
    send(a, b)
    assert vector(b.store) == {own: 2, a.store.own_replica(): 1}
    assert b.get(NS, "two") == 2
    assert_alike(a, b)


def test_a_copied_file_is_a_replica_of_its_own(replica: Make, tmp_path: Path) -> None:
    a = replica("file")
    a.put(NS, "k", "before")
    path = Path(str(a.store.engine.path))
    run_sql(a, "PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(path, tmp_path / "copy.db")
    shutil.copy(f"{path}.key", tmp_path / "copy.db.key")
    copy = replica(url=f"sqlite:///{tmp_path}/copy.db")
    assert copy.store.own_replica() != a.store.own_replica()
    a.put(NS, "k", "a")
    copy.put(NS, "k", "copy")
    sync(a, copy)
    assert sorted(one.value for one in a.siblings(NS, "k")) == ["a", "copy"]
    assert_alike(a, copy)


def test_two_histories_under_one_id_are_refused(replica: Make, tmp_path: Path) -> None:
    a, b = replica("file"), replica()
    a.put(NS, "k", "before")
    path = Path(str(a.store.engine.path))
    run_sql(a, "PRAGMA wal_checkpoint(TRUNCATE)")
    for name in ("clone.db", "clone.db.key"):
        shutil.copy(f"{path}{name[8:]}", tmp_path / name)
    clone = replica(url=f"sqlite:///{tmp_path}/clone.db")
    with clone.store.engine.write() as tx:  # a copy that does not know that it is one
        tx.run("save_meta", clone.store.meta()._replace(replica_no=1, n=1).params())
    clone.put(NS, "k", "clone's")
    a.put(NS, "k", "a's")
    assert clone.store.own_replica() == a.store.own_replica()
    send(a, b)
    with pytest.raises(ReplicaCloned, match=NS):
        apply(b.store, pages_of(clone))
    assert b.get(NS, "k") == "a's"
    assert [one["value"] for one in unsent(clone.store, {})] == ["clone's"]
    bootstrap(clone.store, pages_of(b, full=True), actor="operator")
    clone.put(NS, "k2", "clone's")
    sync(clone, b, a)
    assert (a.get(NS, "k"), a.get(NS, "k2")) == ("a's", "clone's")
    assert_alike(a, b, clone)


def test_a_silent_replica_is_retired_and_comes_back(
    both: tuple[Memory, Memory], clock: ManualClock
) -> None:
    a, b = both
    a.put(NS, "old", 1)
    sync(a, b)
    b.put(NS, "unsent", {"x": 1}, labels=Labels(agent="ada", tags=("t",)))
    b.increment(NS, "n", 5)
    b.delete(NS, "old")
    clock.advance(PEER_SILENT_MS + 1)
    assert retire_silent(a.store) == [b.store.own_replica()]
    assert retire_silent(b.store) == [a.store.own_replica()]
    assert retire_silent(a.store) == []
    with pytest.raises(PeerRetired, match="7 days"):
        send(b, a)
    rejoined = rejoin(b.store, vector(a.store), actor="sync")
    assert rejoined == (b.store.own_replica(), 2)
    assert all(peer.retired_ms is None for peer in peers(b.store))
    b.increment(NS, "n", 1)
    sync(a, b)
    assert (a.get(NS, "unsent"), a.get(NS, "n"), a.get(NS, "old")) == ({"x": 1}, 6, None)
    assert [one[1] for one in a.tagged("t")] == ["unsent"]
    assert_alike(a, b)


def test_a_counter_waits_until_every_peer_was_heard(
    both: tuple[Memory, Memory], clock: ManualClock
) -> None:
    """ADR 0007: a part swept here while another extends it there would be missed in the sum."""
    a, b = both
    a.increment(NS, "n", 3)
    a.touch(NS, "n", 10_000)
    sync(a, b)
    clock.advance(9_000)
    b.increment(NS, "n", 4)
    b.touch(NS, "n", 3_600_000)
    clock.advance(200_000)
    assert drop_expired(a.store, [row.seq for row in expired(a.store, 9)], actor="t").rows == 0
    sync(a, b)
    assert a.get(NS, "n") == b.get(NS, "n") == 7
    clock.advance(7_200_000)
    assert drop_expired(a.store, [row.seq for row in expired(a.store, 9)], actor="t").rows == 0
    sync(a, b)
    assert drop_expired(a.store, [row.seq for row in expired(a.store, 9)], actor="t").rows == 2


def test_who_was_left_behind_begins_anew(both: tuple[Memory, Memory], clock: ManualClock) -> None:
    a, b = both
    a.put(NS, "shared", 1, labels=Labels(tags=("t",)))
    a.put(NS, "late", 1)
    sync(a, b)
    b.put(NS, "unsent", 2, labels=Labels(agent="ada"))
    b.put("mine", "counter", 1)
    b.delete(NS, "late")
    put_epoch(a, 3)
    for sender, receiver in ((a, b), (b, a)):
        with pytest.raises(EpochMismatch, match="epoch"):
            send(sender, receiver)
    lost = list(unsent(b.store, vector(a.store)))
    assert [(one["namespace"], one["key"]) for one in lost] == [
        ("mine", "counter"), (NS, "unsent"), (NS, "late"),
    ]  # fmt: skip
    assert (lost[1]["value"], lost[1]["labels"]["agent"]) == (2, "ada")
    with pytest.raises(DeltaRefused, match="whole"):
        bootstrap(b.store, pages_of(a, vector(a.store), full=True), actor="operator")
    with pytest.raises(EpochMismatch):
        bootstrap(a.store, pages_of(b, full=True), actor="operator")
    before, own = vector(a.store), b.store.own_replica()
    done = bootstrap(b.store, pages_of(a, full=True), actor="operator")
    b.config.refresh(b.store.meta().config)
    assert (done.epoch, done.rows, done.late) == (3, 2, 0)
    assert done.replica == b.store.own_replica() != own
    assert done.kept is not None
    assert_alike(a, b)
    assert vector(b.store) == before
    assert (b.get(NS, "unsent"), b.get("mine", "counter")) == (None, None)
    assert b.tagged("t") == a.tagged("t")
    b.put(NS, "new", 5)
    sync(a, b)
    assert a.get(NS, "new") == 5
    assert rows(a) == rows(b) == 3
