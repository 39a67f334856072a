"""Two stores that can both be opened: rights, retirement, roll-back of everybody."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import EpochMismatch, InvalidSettings, NotEntitled
from memtend.limits import PEER_SILENT_MS
from memtend.services import Services
from memtend.store.peers import peers
from memtend.store.rejoining import rejoin
from tests.fixtures.archives import archive_everything
from tests.fixtures.syncing import agree, everybody_syncs, state

DAY_MS = 24 * 3_600_000


@pytest.fixture
def shared(tmp_path: Path) -> str:
    (tmp_path / "place").mkdir()
    return str(tmp_path / "place")


def test_one_call_brings_both_to_the_same_state(pair: list[Services]) -> None:
    a, b = pair
    a.memory.put("n", "a", 1)
    b.memory.put("n", "b", 2)
    report = a.sync(b.store.url)
    agree(pair)
    assert report.pulled is not None
    assert report.pushed is not None
    assert (report.kind, report.pulled.added, report.pushed.added) == ("store", 1, 1)
    assert report.pulled.bytes > 0
    [seen] = a.peers().peers
    assert (seen.id, seen.url, seen.backlog) == (b.store.own_replica(), b.store.url, 0)
    [seen] = b.peers().peers
    assert (seen.id, seen.url, seen.name) == (a.store.own_replica(), "", "sqlite a.db")


def test_one_way_leaves_the_other_as_it_was(pair: list[Services]) -> None:
    a, b = pair
    a.memory.put("n", "a", 1)
    b.memory.put("n", "b", 2)
    report = a.sync(b.store.url, push=False)
    assert report.pushed is None
    assert (set(a.memory.get_many("n", ["a", "b"])), len(state(b))) == ({"a", "b"}, 1)
    assert a.peers().peers[0].backlog == 1
    b.sync(a.store.url, pull=False)
    assert len(state(b)) == 1
    b.sync(a.store.url)
    agree(pair)


def test_archived_values_travel(pair: list[Services]) -> None:
    """They are read through to the archive, and arrive as plain values."""
    a, b = pair
    a.memory.put("n", "k", {"text": " ".join(map(str, range(400)))})
    text = a.memory.get("n", "k")
    assert archive_everything(a).written == 1
    b.sync(a.store.url)
    assert b.memory.get("n", "k") == text


def test_a_store_does_not_sync_with_itself(pair: list[Services]) -> None:
    with pytest.raises(InvalidSettings, match="itself"):
        pair[0].sync(pair[0].store.url)


def test_an_empty_name_is_nobody(pair: list[Services]) -> None:
    pair[0].sync(pair[1].store.url)  # met, and without a name
    with pytest.raises(InvalidSettings, match="empty"):
        pair[0].sync("")


def test_what_a_peer_may_not_send_is_refused_whole(pair: list[Services], shared: str) -> None:
    """Directly, and through a place; until it is allowed."""
    a, b = pair
    b.memory.put("team/notes", "k", 1)
    b.memory.put("private", "k", 2)
    a.add_peer("b", b.store.url)
    a.allow_peer("b", ["team/**"])
    for _ in range(2):
        with pytest.raises(NotEntitled, match="private"):
            a.sync("b")
        assert state(a) == {}
    rejoin(b.store, {}, actor="test")
    with pytest.raises(NotEntitled, match="private"):
        a.sync("b")  # under a new id, it has no other rights
    a.allow_peer("b", [])
    a.sync("b")
    agree(pair)
    b.memory.put("other", "k", 3)
    b.sync(shared)
    a.add_peer("team", shared)
    a.allow_peer("team", ["team/**", "private"])
    report = a.sync("team")
    assert [one.code for one in report.findings] == [95]
    assert a.memory.get("other", "k") is None
    a.allow_peer(b.store.own_replica(), ["**"])
    assert a.sync("team").findings == ()
    agree(pair)


def test_names_stand_for_addresses(pair: list[Services], shared: str, tmp_path: Path) -> None:
    a, b = pair
    assert a.registered() == ()
    a.add_peer("other", f"{tmp_path}/b.db")
    a.add_peer("place", shared)
    assert a.registered() == ("other", "place")
    assert a.peer("other").met_at is None
    assert a.sync("other").name == "other"
    assert a.peer("other").id == b.store.own_replica()
    a.sync("place")
    assert a.registered() == ("other", "place")
    for bad in ("all", "Upper", "", "a b"):
        with pytest.raises(Exception, match="name"):
            a.add_peer(bad, shared)
    with pytest.raises(InvalidSettings, match="already"):
        a.add_peer("other", shared)
    with pytest.raises(InvalidSettings, match="password"):
        a.add_peer("secret", "postgresql://ada:pa55@db.example/agents")
    assert "pa55" not in str(peers(a.store))
    for unknown in ("nobody", f"{tmp_path}/gone/there", "sqlite://"):
        with pytest.raises(InvalidSettings):
            a.sync(unknown)
    a.forget_peer("place")
    a.forget_peer("other")
    assert a.peers().peers == ()


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "place"])
def test_who_was_retired_returns_under_a_new_id_with_all_it_wrote(
    pair: list[Services], shared: str, clock: ManualClock, direct: bool
) -> None:
    """A year later: nothing that was deleted comes back, and nothing it wrote is lost."""
    a, b = pair
    peer_of_a, peer_of_b = (b.store.url, a.store.url) if direct else (shared, shared)
    a.memory.put("n", "gone", 1)
    a.memory.put("n", "kept", 1)
    for _ in range(2):
        b.sync(peer_of_b)
        a.sync(peer_of_a)
    agree(pair)
    b.memory.put("n", "unsent", "by b")
    a.memory.delete("n", "gone")
    old = b.store.own_replica()
    for _ in range(365):
        clock.advance(DAY_MS)
        a.memory.put("n", "day", 1)
    with a.store.change("test") as (change, _):
        change.note("test", "so that somebody was met yesterday")
    from memtend.store.peers import retire_silent  # noqa: PLC0415

    assert retire_silent(a.store) == [old]
    if not direct:
        a.sync(shared)
    report = b.sync(peer_of_b)
    assert report.rejoined == b.store.own_replica() != old
    for _ in range(2):
        a.sync(peer_of_a)
        b.sync(peer_of_b)
    agree(pair)
    assert a.memory.get("n", "gone") is None
    assert a.memory.get("n", "unsent") == "by b"
    assert a.memory.get("n", "kept") == 1


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "place"])
def test_after_everybody_was_rolled_back_who_was_away_bootstraps(
    trio: list[Services], shared: str, tmp_path: Path, direct: bool
) -> None:
    """Its unsent writes lie in a file first; then it has exactly the others' state."""
    a, b, c = trio
    a.memory.put("n", "k", "before")
    a.take_backup(str(tmp_path / "backups"))
    everybody_syncs(trio, shared)
    b.memory.put("n", "unsent", {"by": "b"})
    with a.store.engine.write() as tx:
        meta = a.store.meta()
        tx.run("save_meta", meta._replace(epoch=meta.epoch + 1).params())
    a.memory.put("n", "k", "after")
    a.sync(shared)
    peer = a.store.url if direct else shared
    if direct:
        with pytest.raises(EpochMismatch):
            b.sync(peer)
    else:
        assert b.sync(peer).behind == 1
    assert b.memory.get("n", "k") == "before"
    report = b.sync(peer, bootstrap=True)
    assert (report.bootstrapped, report.unsent) == (True, 1)
    head, line = map(json.loads, Path(report.saved).read_text().splitlines())
    assert (head["epoch"], head["to_epoch"], line["key"]) == (0, 1, "unsent")
    assert line["value"] == {"by": "b"}
    assert b.store.meta().epoch == 1
    assert b.memory.get("n", "k") == "after"
    assert b.memory.get("n", "unsent") is None
    c.sync(shared, bootstrap=True)
    everybody_syncs(trio, shared)
    agree(trio)


def test_silence_is_only_counted_while_we_were_there(
    pair: list[Services], clock: ManualClock
) -> None:
    a, b = pair
    a.sync(b.store.url)
    clock.advance(PEER_SILENT_MS + 1)
    assert a.retire_silent() == ()
