"""Damage, theft and lies in a place concern their owner only, and are mended by the next syncs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import InvalidSettings
from memtend.limits import GARBAGE_GRACE_MS
from memtend.objects import open_target
from memtend.services import Services
from memtend.sync.head import Head
from memtend.sync.place import Place
from tests.fixtures.syncing import agree, everybody_syncs, party, state


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def delete(path: Path) -> None:
    path.unlink()


DAMAGES = (flip, truncate, lengthen, empty, delete)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def place_of(folder: Path) -> Place:
    return Place(open_target(str(folder), ManualClock()))


def those(folder: Path, kind: str, replica: str) -> list[Path]:
    return sorted((folder / kind / replica).iterdir())


@pytest.mark.parametrize("kind", ["heads", "pages"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_told_and_mended(
    files: list[Services], shared: Path, damage: Callable[[Path], None], kind: str
) -> None:
    """The others come all the same; the owner publishes anew without being asked."""
    a, b, c = files
    a.memory.put("n", "a", 1)
    b.memory.put("n", "b", 2)
    a.sync(str(shared))
    b.sync(str(shared), pull=False)
    for path in those(shared, kind, a.store.own_replica()):
        damage(path)
    report = c.sync(str(shared))
    assert c.memory.get("n", "b") == 2
    assert c.memory.get("n", "a") is None
    assert [one.where[:32] for one in report.findings][:1] == (
        [] if (kind, damage) == ("heads", delete) else
        ["heads/" + a.store.own_replica()[:26]] if kind == "heads" else [a.store.own_replica()]
    )  # fmt: skip
    everybody_syncs(files, str(shared))
    agree(files)
    assert c.sync(str(shared)).findings == ()


def test_an_older_head_put_back_does_no_harm(pair: list[Services], shared: Path) -> None:
    """To nobody: what was lost from the place is published again."""
    a, b = pair
    a.memory.put("n", "k", 1)
    a.sync(str(shared))
    [old] = those(shared, "heads", a.store.own_replica())
    kept = old.read_bytes()
    everybody_syncs(pair, str(shared))
    a.memory.put("n", "k", 2)
    everybody_syncs(pair, str(shared))
    for path in those(shared, "heads", a.store.own_replica()):
        path.unlink()
    old.write_bytes(kept)
    assert b.sync(str(shared)).findings == ()
    assert b.memory.get("n", "k") == 2
    a.memory.put("n", "j", 3)
    everybody_syncs(pair, str(shared))
    agree(pair)


def test_pages_swapped_between_replicas_are_refused(files: list[Services], shared: Path) -> None:
    a, b, c = files
    for one, key in ((a, "a"), (b, "b")):
        one.memory.put("n", key, key)
        one.sync(str(shared), pull=False)
    [of_a] = those(shared, "pages", a.store.own_replica())
    [of_b] = those(shared, "pages", b.store.own_replica())
    data = of_a.read_bytes()
    of_a.write_bytes(of_b.read_bytes())
    of_b.write_bytes(data)
    assert len(c.sync(str(shared)).findings) == 2
    assert state(c) == {}
    everybody_syncs(files, str(shared))
    agree(files)


LIES: list[dict[str, object]] = [
    {"vv": {"a" * 32: 2**53 - 1}},
    {"epoch": 7},
    {"store_id": "f" * 32},
    {"sent_ms": 2**52},
    {"deltas": ()},
    {"name": "\x1b[2J" * 20},
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: next(iter(lie)))
def test_a_stranger_s_lies_stop_nobody(
    pair: list[Services], shared: Path, lie: dict[str, object]
) -> None:
    """A head that fits its name and says what it likes; then one that claims what we have not."""
    a, b = pair
    a.memory.put("n", "a", 1)
    a.sync(str(shared))
    place, stranger = place_of(shared), "e" * 32
    [name] = place.names()[a.store.own_replica()]
    true: dict[str, object] = place.read(name).model_dump()
    own: dict[str, object] = {"vv": {a.store.own_replica(): 2**40, b.store.own_replica(): 2**40}}
    retires: dict[str, object] = {"retired": (b.store.own_replica(),)}
    for number, said in enumerate((lie, own, retires), 1):
        lied = true | {"replica": stranger, "number": number} | said
        place.put_head(Head.model_validate(lied))
        everybody_syncs(pair, str(shared))
    b.memory.put("n", "b", 2)
    everybody_syncs(pair, str(shared))
    agree(pair)
    assert a.memory.get("n", "b") == 2


def test_a_lie_under_our_own_id_is_published_over(pair: list[Services], shared: Path) -> None:
    a, _ = pair
    a.memory.put("n", "k", 1)
    a.sync(str(shared))
    own, place = a.store.own_replica(), place_of(shared)
    true = place.read(place.names()[own][0])
    lied = true.model_copy(update={"number": 9, "vv": {own: 2**40}, "deltas": ()})
    place.put_head(lied)
    with pytest.raises(InvalidSettings, match="put back"):
        a.sync(str(shared), pull=False)
    everybody_syncs(pair, str(shared))
    agree(pair)
    assert a.store.own_replica() == own


def test_what_the_dead_left_damaged_is_published_by_the_living(
    files: list[Services], shared: Path
) -> None:
    """Its owner does not come back; whoever took it before puts it there for those who come."""
    dead, living, late = files
    dead.memory.put("n", "k", 1)
    dead.sync(str(shared))
    living.memory.put("n", "j", 2)
    living.sync(str(shared), pull=False)
    living.sync(str(shared), push=False)
    flip(those(shared, "pages", dead.store.own_replica())[0])
    for one in (late, living, late):
        one.sync(str(shared))
    agree((living, late))
    assert late.memory.get("n", "k") == 1


def test_garbage_beside_changes_nothing(pair: list[Services], shared: Path) -> None:
    for name in ("heads/x", "heads/odd/1-2", "pages/stray", "readme.txt", "heads/" + "a" * 32):
        path = shared / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("garbage")
    pair[0].memory.put("n", "k", 1)
    everybody_syncs(pair, str(shared))
    agree(pair)
    assert (shared / "readme.txt").exists()


def test_backups_and_sync_do_not_share_a_folder(pair: list[Services], shared: Path) -> None:
    pair[0].take_backup(str(shared))
    before = {path: path.stat().st_mtime_ns for path in shared.rglob("*")}
    with pytest.raises(InvalidSettings, match="backups or an archive"):
        pair[0].sync(str(shared))
    assert {path: path.stat().st_mtime_ns for path in shared.rglob("*")} == before


def test_a_long_chain_gives_way_to_a_new_base_and_its_pages_go_later(
    tmp_path: Path, shared: Path, clock: ManualClock
) -> None:
    """A reader may be in the middle of the old chain: its pages stay for a day."""
    with (
        party(f"sqlite:///{tmp_path}/a.db", clock, tmp_path) as a,
        party(f"sqlite:///{tmp_path}/b.db", clock, tmp_path) as b,
    ):
        own, most = a.store.own_replica(), 0
        for n in range(60):
            a.memory.put("n", f"k{n % 7}", n)
            a.sync(str(shared))
            most = max(most, len(those(shared, "pages", own)))
            assert len(those(shared, "heads", own)) <= 2
        head = place_of(shared).newest(place_of(shared).names()[own]).head
        assert head is not None
        assert 1 < len(head.deltas) < 20
        assert most == 60
        for path in those(shared, "pages", own):
            ms = clock.now_ms() - GARBAGE_GRACE_MS - 1
            os.utime(path, ns=(ms * 10**6, ms * 10**6))
        a.memory.put("n", "k", "last")
        a.sync(str(shared))
        assert len(those(shared, "pages", own)) == len(head.deltas) + 1
        b.sync(str(shared))
        agree((a, b))
