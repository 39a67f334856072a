"""A backup that is not whole is noticed before anything live is touched."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import MemtendError
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.snapshot import snapshot

Damage = Callable[[bytes, random.Random], bytes]


def flip(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]


def truncate(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))]


def extend(data: bytes, dice: random.Random) -> bytes:
    return data + dice.randbytes(3)


def zero(data: bytes, dice: random.Random) -> bytes:
    return bytes(len(data))


@pytest.fixture
def services(lasting_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Services]:
    settings = Settings(backup_url=f"{tmp_path}/backups")
    with open_services(lasting_url, settings=settings, clock=clock) as opened:
        for n in range(20):
            opened.memory.put("a", f"k{n}", "x" * 200)
        opened.take_backup()
        opened.memory.put("a", "k1", "later")
        opened.memory.delete("a", "k2")
        opened.take_backup()
        opened.memory.put("a", "since", 1)
        yield opened


@pytest.mark.parametrize("damage", [flip, truncate, extend, zero, None])
def test_the_live_store_is_not_touched(
    services: Services, damage: Damage | None, tmp_path: Path
) -> None:
    """Every object of the chain in turn; None deletes it. Rows and files are as they were."""
    dice = random.Random(7)
    plan = services.plan_restore()
    folder = tmp_path / "backups"
    objects = sorted((folder / "objects").rglob("*/*"))
    needed = {n.rpartition("-")[2] for n in plan.chain}
    manifests = [p for p in (folder / "manifests").iterdir() if p.name.rpartition("-")[2] in needed]
    with snapshot(services.store) as view:
        before, state = list(view.rows()), view.state
    for path in [*objects, *manifests]:
        data = path.read_bytes()
        path.chmod(0o600)
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage(data, dice))
        with pytest.raises(MemtendError) as caught:
            services.apply_restore(plan)
        assert 50 <= caught.value.code < 60
        path.write_bytes(data)
    with snapshot(services.store) as view:
        after = view.state
        assert list(view.rows()) == before
        assert (after.seq, after.replica, after.sum) == (state.seq, state.replica, state.sum)
    left = {p.name for p in tmp_path.iterdir()}
    assert not [name for name in left if "restore-" in name or "kept-" in name]
    services.apply_restore(plan)
    assert services.memory.get("a", "k1") == "later"
