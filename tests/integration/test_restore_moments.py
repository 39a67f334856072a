"""Twenty random moments under a random history, each restored and held against a model.

The model remembers the state after every change. Wherever a restore says that it is exact, what is
seen must be what the model held at that moment; elsewhere it is what an earlier backup held. At the
moment of a backup everything is exact, and so are the sum and the root.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from memtend.backup.moment import name_of
from memtend.clock import ManualClock, to_datetime
from memtend.codec.envelope import unpack
from memtend.memory import Memory
from memtend.model.stored import StoredRow
from memtend.services import Services, open_services
from memtend.serving.wishing import open_repository, wishing
from memtend.settings import Settings
from memtend.store.logfloor import drop_log
from memtend.store.snapshot import snapshot
from tests.fixtures.replicas import send

KEYS = [("a/b", f"k{n}") for n in range(8)] + [("c", f"k{n}") for n in range(4)]
MOMENTS = 20
STEPS = 160
State = dict[str, list[bytes]]


class History:
    """A random life of a store: what it was at each moment, and where backups were taken."""

    def __init__(
        self, services: Services, clock: ManualClock, seed: int, peer: Memory | None = None
    ) -> None:
        self.services, self.clock, self.peer = services, clock, peer
        self.dice = random.Random(seed)
        self.states: list[tuple[int, State]] = []
        self.backups: dict[int, tuple[str, str]] = {}

    def run(self) -> None:
        for step in range(STEPS):
            self.clock.advance(self.dice.choice([1, 3, 1_000, 60_000, 600_000]))
            self._step(step)
            self.clock.advance(1)
            self.states.append((self.clock.now_ms(), self._seen()))
            if step % 23 == 11:
                self.clock.advance(1)
                report = self.services.take_backup(root=True, full=self.dice.random() < 0.2)
                total = bytes(self.services.store.meta().sum).hex()
                self.backups[self.clock.now_ms()] = (total, str(report.root))

    def _step(self, step: int) -> None:
        memory, dice = self.services.memory, self.dice
        if self.peer is not None and dice.random() < 0.5:
            if dice.random() < 0.3:
                send(self.peer, memory)
                send(memory, self.peer)
                return
            memory = self.peer
        namespace, key = dice.choice(KEYS)
        match dice.choice(
            ["put", "put", "put", "beside", "delete", "ttl", "count", "add", "sweep"]
        ):
            case "put":
                memory.put(namespace, key, {"step": step, "text": "x" * dice.choice([1, 2_000])})
            case "beside":
                memory.put(namespace, key, step, ctx={})
            case "delete":
                memory.delete(namespace, key)
            case "ttl":
                memory.put(namespace, key, step, ttl_ms=dice.choice([2_000, 900_000]))
            case "count":
                memory.increment("counts", dice.choice("mn"), dice.randrange(-3, 9))
            case "add":
                memory.add("sets", "s", dice.randrange(5))
            case _:
                self.services.apply_sweep(self.services.plan_sweep())
                drop_log(self.services.store, keep_ms=3_600_000, actor="t")

    def _seen(self) -> State:
        """What is stored, expired or not, by path: sweeping is no change of its own."""
        now_ms = self.clock.now_ms()
        state: State = {}
        with snapshot(self.services.store) as view:
            for row in view.rows():
                if row.exp_ms is None or row.exp_ms > now_ms:
                    name = name_of((row.namespace, row.key, row.field))
                    state.setdefault(name, []).append(row.hash)
        return state

    def at(self, moment_ms: int) -> State:
        return [state for when, state in self.states if when <= moment_ms][-1]


@pytest.mark.parametrize("seed", [1, 2])
def test_random_moments(lasting_url: str, tmp_path: Path, clock: ManualClock, seed: int) -> None:
    """First what each restore would bring, then what each has brought; undone every time."""
    settings = Settings(backup_url=f"{tmp_path}/backups")
    with open_services(lasting_url, settings=settings, clock=clock) as services:
        history = History(services, clock, seed)
        moments = [*_lived(history), *history.backups]
        for moment_ms in moments:
            _check_plan(services, history, moment_ms)
        exact = sum(_check_deed(services, history, moment_ms) for moment_ms in moments)
        assert exact >= len(history.backups)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_moments_between_syncs(tmp_path: Path, clock: ManualClock, seed: int) -> None:
    """What a peer wrote before the moment may have come after it."""
    settings = Settings(backup_url=f"{tmp_path}/backups")
    with (
        open_services(f"{tmp_path}/a.db", settings=settings, clock=clock) as services,
        Memory.open(f"{tmp_path}/b.db", clock=clock) as peer,
    ):
        history = History(services, clock, seed, peer)
        for moment_ms in [*_lived(history), *history.backups]:
            _check_plan(services, history, moment_ms)


def _lived(history: History) -> list[int]:
    """Live it; moments in it."""
    history.run()
    first = min(history.backups)
    later = [when for when, _ in history.states if when > first]
    return [history.dice.choice(later) for _ in range(MOMENTS)]


def _check_plan(services: Services, history: History, moment_ms: int) -> None:
    plan = services.plan_restore(to=to_datetime(moment_ms))
    repository = open_repository(plan.url, services.settings, services.clock)
    with wishing(repository, services.store, moment_ms, plan.manifest) as (_, wished):
        rows = [row for _, at in wished.paths() for row in at.rows]
        names = set(wished.uncertain.names)
        assert len(names) == plan.uncertain
        assert wished.later is not None
    _compare(history, moment_ms, rows, names)


def _check_deed(services: Services, history: History, moment_ms: int) -> bool:
    """Restore to the moment, compare, and undo; whether it was exact."""
    plan = services.plan_restore(to=to_datetime(moment_ms))
    report = services.apply_restore(plan)
    assert (report.uncertain, report.exact) == (plan.uncertain, plan.exact)
    with snapshot(services.store) as view:
        rows = list(view.rows())
    if plan.then is not None or plan.exact:
        _compare(history, moment_ms, rows, set(plan.uncertain_names))
    if moment_ms in history.backups:
        assert plan.exact
        assert (report.state_sum, report.root) == history.backups[moment_ms]
    now_ms = services.clock.now_ms()
    for row in rows:
        if row.exp_ms is not None and row.exp_ms <= now_ms:
            shown = [r.dot for r in services.memory.siblings(row.namespace, row.key)]
            assert unpack(row.body).dot not in shown
    assert services.verify_store().ok
    services.undo_restore(keep_ms=0)
    return plan.exact


def _compare(history: History, moment_ms: int, rows: list[StoredRow], doubtful: set[str]) -> None:
    restored: State = {}
    for row in rows:
        if row.exp_ms is None or row.exp_ms > moment_ms:
            restored.setdefault(name_of((row.namespace, row.key, row.field)), []).append(row.hash)
    model = history.at(moment_ms)
    for name in (model.keys() | restored.keys()) - doubtful:
        assert restored.get(name) == model.get(name), (name, moment_ms)
