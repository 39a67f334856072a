"""The change log and its floor: what is let go when, and what that means for peers and backups."""

from __future__ import annotations

from pathlib import Path

from memtend.clock import ManualClock
from memtend.limits import LOG_KEEP_MS, PEER_SILENT_MS
from memtend.memory import Memory
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.logfloor import drop_log
from memtend.store.peers import Peer, address_id, peers, save_peer
from memtend.store.sync import outgoing, vector
from tests.fixtures.changing import check_against_store
from tests.fixtures.replicas import NS, Make, assert_alike, rows, send, sync
from tests.fixtures.stores import run_sql


def logged(memory: Memory) -> int:
    return int(run_sql(memory, "SELECT count(*) FROM log")[0][0])


def test_an_entry_goes_when_every_peer_has_seen_it(replica: Make) -> None:
    a, b, c = replica(), replica("file"), replica()
    a.put(NS, "k", 1)
    sync(a, b, c)
    a.delete(NS, "k")
    send(a, b)
    assert drop_log(a.store, actor="t") == 0
    send(a, c)
    assert drop_log(a.store, actor="t") == 1
    assert logged(a) == 0
    with outgoing(a.store, vector(b.store)) as delta:
        assert not delta.head.full
    with outgoing(a.store, {}) as delta:
        assert delta.head.full


def test_an_entry_goes_after_a_week_whoever_has_not_seen_it(
    both: tuple[Memory, Memory], clock: ManualClock
) -> None:
    a, b = both
    a.put(NS, "k", 1)
    a.put(NS, "old", 2)
    sync(a, b)
    a.delete(NS, "k")
    clock.advance(LOG_KEEP_MS - 1)
    assert drop_log(a.store, actor="t") == 0
    clock.advance(1)
    assert drop_log(a.store, actor="t") == 1
    with outgoing(a.store, vector(b.store)) as delta:
        assert delta.head.full
        # What b has seen is only named.
        assert [len(one.siblings) for one in delta.items()] == [1]
    send(a, b)
    assert (b.get(NS, "k"), b.get(NS, "old"), rows(b)) == (None, 2, 1)
    assert logged(b) == 1  # the path was touched: backups and third replicas must hear of it
    assert_alike(a, b)


def test_without_peers_people_may_ask_for_a_week_why_a_key_is_gone(
    memory: Memory, clock: ManualClock
) -> None:
    memory.put(NS, "k", 1)
    memory.delete(NS, "k")
    assert drop_log(memory.store, actor="t") == 0
    clock.advance(LOG_KEEP_MS)
    assert drop_log(memory.store, actor="t") == 1


def test_a_place_has_no_say(memory: Memory, clock: ManualClock) -> None:
    url = "s3://bucket/sync"
    memory.put(NS, "k", 1)
    memory.delete(NS, "k")
    save_peer(memory.store, Peer(address_id("place", url), url=url, met_ms=clock.now_ms()))
    save_peer(memory.store, Peer("b" * 32, seen=vector(memory.store), met_ms=clock.now_ms()))
    assert drop_log(memory.store, actor="t") == 1


def test_an_increment_never_misses_what_was_let_go(
    store_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    settings = Settings(backup_url=str(tmp_path / "backup"))
    with open_services(store_url, settings=settings, clock=clock) as services:
        store = services.store
        services.memory.put(NS, "k", 1)
        services.memory.put(NS, "kept", 1)
        assert services.take_backup().kind == "full"
        services.memory.delete(NS, "k")
        save_peer(store, Peer("b" * 32, seen=vector(store), met_ms=clock.now_ms()))
        assert drop_log(store, actor="t") == 0  # the newest backup has not read it yet
        report = services.take_backup()
        assert report.kind == "incremental"
        check_against_store(services, report, clock)
        assert drop_log(store, actor="t") == 1
        report = services.take_backup()
        assert report.kind == "incremental"
        services.memory.delete(NS, "kept")
        clock.advance(LOG_KEEP_MS)
        assert drop_log(store, actor="t") == 1
        report = services.take_backup()
        assert report.kind == "full"
        assert any("no longer whole" in note for note in report.notes)
        check_against_store(services, report, clock)


def test_a_sweep_retires_and_lets_go(tmp_path: Path, clock: ManualClock) -> None:
    settings = Settings(plans_url=str(tmp_path / "plans"))
    with open_services("sqlite://", settings=settings, clock=clock) as services:
        memory = services.memory
        memory.put(NS, "k", 1)
        memory.delete(NS, "k")
        save_peer(memory.store, Peer("b" * 32, met_ms=clock.now_ms()))
        swept(services)
        assert logged(memory) == 1
        clock.advance(PEER_SILENT_MS)
        swept(services)
        assert logged(memory) == 0
        assert [peer.retired_ms for peer in peers(memory.store)] == [clock.now_ms()]
        assert services.verify_store().ok


def swept(services: Services) -> None:
    services.apply_sweep(services.plan_sweep())
