"""Three stores of both engines through a folder, memory and S3, and directly: they converge."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from memtend.clock import ManualClock
from memtend.objects import open_target
from memtend.services import Services
from memtend.sync.place import Place
from tests.fixtures.syncing import agree, everybody_syncs, state


@pytest.fixture(params=["folder", "memory", "s3"])
def place_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place."""
    if request.param == "s3":
        return str(request.getfixturevalue("s3_url"))
    if request.param == "memory":
        fsspec.filesystem("memory").store.clear()
        return f"memory://{tmp_path.name}"
    (tmp_path / "place").mkdir()
    return str(tmp_path / "place")


def test_three_stores_come_to_the_same_state(trio: list[Services], place_url: str) -> None:
    a, b, c = trio
    a.memory.put("team/notes", "plan", {"step": 1})
    b.memory.put("team/notes", "plan", {"step": 2})
    b.memory.put("team/notes", "other", [1, 2])
    c.memory.add("team/tags", "colours", "red")
    for one in trio:
        one.memory.increment("team/counts", "runs", 2)
    first = a.sync(place_url)
    assert (first.kind, first.members, first.pulled and first.pulled.records) == ("place", 0, 0)
    assert first.pushed is not None
    assert first.pushed.full
    second = b.sync(place_url)
    assert second.conflicts == 1
    assert (second.members, second.findings) == (1, ())
    everybody_syncs(trio, place_url)
    agree(trio)
    for one in trio:
        assert one.memory.get("team/counts", "runs") == 6
        assert len(one.memory.siblings("team/notes", "plan")) == 2
    c.memory.delete("team/notes", "other")
    everybody_syncs(trio, place_url)
    agree(trio)
    assert a.memory.get("team/notes", "other") is None


def test_an_idle_sync_writes_nothing(pair: list[Services], place_url: str) -> None:
    """And neither does one of a replica that only reads: others have what it has."""
    a = pair[0]
    clock = ManualClock()
    a.memory.put("n", "k", 1)
    everybody_syncs(pair, place_url, rounds=3)
    target = open_target(place_url, clock)
    before = {info.name for info in target.list()}
    [(_, names)] = [one for one in Place(target).names().items() if one[0] == a.store.own_replica()]
    assert len(Place(target).read(names[0]).deltas) == 1
    others = [found for who, found in Place(target).names().items() if who != a.store.own_replica()]
    assert [Place(target).read(found[0]).deltas for found in others] == [()]
    for _ in range(2):
        for one in pair:
            report = one.sync(place_url)
            assert report.pulled is not None
            assert report.pushed is not None
            assert (report.pulled.records, report.pushed.deltas) == (0, 0)
    assert {info.name for info in target.list()} == before


def test_what_a_peer_deleted_is_no_reason_to_put_everything_anew(
    pair: list[Services], place_url: str
) -> None:
    a, b = pair
    for n in range(20):
        a.memory.put("n", f"k{n}", n)
    everybody_syncs(pair, place_url)
    b.memory.delete("n", "k1")  # both have seen it; what a put into the place has not
    everybody_syncs(pair, place_url)
    a.memory.put("n", "k2", "anew")
    pushed = a.sync(place_url).pushed
    assert pushed is not None
    assert (pushed.full, pushed.records) == (False, 2)
    everybody_syncs(pair, place_url)
    agree(pair)
    assert a.sync(place_url).log_dropped == 0
    assert not a.store.engine.read("log_of", (1, "k1"))


def churn(one: Services, dice: random.Random, step: int) -> None:
    """One random write."""
    memory, key = one.memory, f"k{dice.randrange(6)}"
    doing: list[Callable[[], object]] = [
        lambda: memory.put("n", key, step),
        lambda: memory.put("n", key, step, ctx={}),
        lambda: memory.delete("n", key),
        lambda: memory.increment("c", key, dice.randrange(1, 9)),
        lambda: memory.add("s", "set", key),
        lambda: memory.put("n", key, step, ttl_ms=50_000),
    ]
    dice.choice(doing)()


@pytest.mark.parametrize("seed", range(3))
def test_random_interleavings_converge(
    trio: list[Services], tmp_path: Path, clock: ManualClock, seed: int
) -> None:
    """Writes, syncs through two places and directly, either way or both, the log dropped, time."""
    dice = random.Random(seed)
    (tmp_path / "p1").mkdir()
    (tmp_path / "p2").mkdir()
    places = [str(tmp_path / "p1"), str(tmp_path / "p2")]
    for step in range(60):
        one = dice.choice(trio)
        if dice.random() < 0.6:
            churn(one, dice, step)
        else:
            other = dice.choice([each for each in trio if each is not one])
            peer = dice.choice([*places, address(other)])
            pull = dice.random() < 0.8
            one.sync(peer, pull=pull, push=not pull or dice.random() < 0.8)
        clock.advance(dice.randrange(3_000))
        if dice.random() < 0.1:
            one.apply_sweep(one.plan_sweep())
    expected = sum_of_counts(trio)
    for place in places:
        everybody_syncs(trio, place)
    for one in trio:
        one.sync(address(trio[(trio.index(one) + 1) % 3]))
    everybody_syncs(trio, places[0])
    agree(trio)
    assert sum_of_counts(trio) >= expected
    assert state(trio[0])


def address(one: Services) -> str:
    """How the others reach a store directly."""
    engine = one.store.engine
    return one.store.url if engine.kind == "sqlite" else str(engine._dsn)  # type: ignore[attr-defined]


def sum_of_counts(parties: list[Services]) -> int:
    """No counter is ever seen to fall."""
    return max(sum(int(one.memory.get("c", f"k{n}", 0)) for n in range(6)) for one in parties)
