"""Damage of every kind to a repository of chains: all of it is found, and nothing else believed.

Damaged are the identity, objects, manifests, pins, records of rotations and wrapped keys. A backup
that verification calls whole in spite of the damage gives back exactly what was put in.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from memtend.backup import Repository, VerifyReport, verify_repository
from memtend.backup.layers import open_state
from memtend.backup.pins import pin
from memtend.clock import ManualClock
from memtend.codec.crypto import UserKey
from memtend.errors import MemtendError
from memtend.limits import GARBAGE_GRACE_MS
from memtend.model.retention import Retention
from memtend.objects import open_target
from tests.crash.damages import Damages
from tests.fixtures.backups import check_row, row
from tests.fixtures.rotations import Series, named, rotated

SEED = 20_261


def history(root: Path, key: UserKey | None, seed: int) -> Series:
    """Two chains and two stores, rotated once, with pins."""
    clock = ManualClock(seed=seed)
    store = open_target(str(root), clock)
    series = Series(store, clock, key)
    series.full(seed + 1)
    old = series.full(seed + 2)
    dead = row("n", "dead", b"1")
    first = series.increment(old, dead, row("n", "a", b"2" * 99))
    second = series.increment(first, row("n", "a", b"3"), gone=(dead,))
    other = series.full(seed + 3, store_id="6" * 32)
    base = series.full(seed + 2, count=15)
    newest = series.increment(series.increment(base, row("n", "c", b"4")), row("n", "d", b"5"))
    repository = Repository.open(store, key)
    pin(repository, clock, "old", named(second))
    pin(repository, clock, "other", named(other))
    retention = Retention(within_ms=0, daily=2, max_age_ms=86_400_000)
    rotated(store, clock, retention, key=key)
    clock.advance(GARBAGE_GRACE_MS)
    assert rotated(store, clock, retention, key=key).objects_deleted > 0
    assert newest == series.names[-1]
    return series


def believed(series: Series, whole: tuple[str, ...], damage: str) -> None:
    """Every backup called whole gives what was put in."""
    for name in whole:
        repository = Repository.open(series.store, series.key)
        rows = list(open_state(repository, name, check_row=check_row).rows())
        assert rows == sorted(series.states[name].values()), damage


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_every_damage_is_found(
    encrypted: bool, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short form does 300 damages, half of them here; --damages 3000 is the long one."""
    monkeypatch.setattr("memtend.backup.cut.cut.__kwdefaults__", {"target": 1_000, "cap": 20_000})
    key = UserKey("ab" * 32) if encrypted else None
    series = history(tmp_path / "repository", key, 10)
    history(tmp_path / "foreign", key, 50)
    store, clock, head = series.store, series.clock, series.names[-1]

    def verified() -> VerifyReport:
        return verify_repository(store, clock, check_row=check_row, deep=True, head=head, key=key)

    sound = verified()
    assert (sound.findings, len(sound.whole)) == ((), 7)
    damages = Damages(tmp_path / "repository", tmp_path / "foreign", random.Random(SEED))
    kinds: Counter[str] = Counter()
    missed: list[str] = []
    for _ in range(request.config.getoption("--damages", 300) // 2):
        kind, changes = damages.draw()
        what = f"{kind} {[path.name for path, _ in changes]}"
        kinds[kind] += 1
        damages.do(changes)
        try:
            report = verified()
        except MemtendError:
            pass  # found: what identifies the repository or opens it is not what it was
        else:
            if not report.findings:
                missed.append(what)
            believed(series, report.whole, what)
        damages.undo(changes)
    print(f"seed {SEED}: {dict(kinds)}, {len(missed)} missed")
    assert missed == []
    assert verified().findings == ()
