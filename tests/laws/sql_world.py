"""Histories on real stores: the same steps, models and comparisons as those of pure replicas."""

from __future__ import annotations

from itertools import count
from typing import Any, Final

from memtend.backup.restore_plan import Mode
from memtend.clock import ManualClock
from memtend.crdt import rows, tally
from memtend.crdt.rows import Reading, Sibling
from memtend.crdt.tally import Epoch
from memtend.store.verify import verify_store
from tests.laws.history import TTLS_MS, History
from tests.laws.model import Model, Write
from tests.laws.replica import COUNTER, Rules
from tests.laws.scripts import WEIGHTS, Diverged, Step, run_all, script
from tests.laws.sql_replica import ELEMENT, PLACES, Sent, StoreReplica
from tests.laws.sql_stores import Stores
from tests.laws.world import KEYS

START_MS: Final = 1_750_000_000_000
SQL_WEIGHTS: Final = {
    **WEIGHTS,
    "add": 2,
    "remove": 2,
    "extend": 1,
    "tend": 1,
    "reopen": 1,
    "restore": 2,
}
FIRST_SEED: Final = 1_000
"""Of the clocks of a history; those of the templates are below."""
RUNS = count()
"""Numbers the folders of backups. Nothing else differs when a history is run again."""


class StoreWorld(History):
    """`stores` gives each replica its store."""

    keys = (*KEYS, ELEMENT)
    start_ms = START_MS

    def __init__(self, stores: Stores, replicas: int) -> None:
        self.stores = stores
        self._seeds, self._number = count(FIRST_SEED), next(RUNS)
        super().__init__(Rules(), replicas)

    def new_replica(self, i: int) -> StoreReplica:
        clock = ManualClock(START_MS, seed=next(self._seeds))
        return StoreReplica(self.stores.fresh(i, clock), clock)

    def do_add(self, i: int, _j: int, _n: int) -> None:
        self._put(i, ELEMENT, None, None, b'"red"')

    def do_remove(self, i: int, _j: int, _n: int) -> None:
        self._delete(i, ELEMENT, None)

    def do_touch(self, i: int, j: int, n: int) -> None:
        """Who extends the newest of several values has not judged the others."""
        node, key, now_ms = self.nodes[i], KEYS[j % 3], self.now_ms(i)
        alive = node.model.at(key)
        seen = [write for write in alive if not write.is_past(now_ms)]
        if new := node.replica.touch(key, TTLS_MS[n % 4], now_ms):
            gone = alive if len(seen) == 1 else [max(seen, key=lambda w: w.sibling.order)]
            node.model.write(self._write(i, key, new)._replace(text=new.text), gone)

    def do_extend(self, i: int, _j: int, n: int) -> None:
        """A counter's deadline moves: this replica's part is written again."""
        node = self.nodes[i]
        alive = node.model.at(COUNTER)
        if new := node.replica.touch(COUNTER, TTLS_MS[n % 4], self.now_ms(i)):
            self._grown(i, new, alive, 0)

    def do_tend(self, i: int, _j: int, _n: int) -> None:
        """A sweep as maintenance runs it: planned, cleared, under a lease."""
        node, now_ms = self.nodes[i], self.now_ms(i)
        heard_ms = node.replica.heard_ms(now_ms)
        node.replica.clock.advance(now_ms - node.replica.clock.now_ms())
        services = node.replica.services
        services.apply_sweep(services.plan_sweep())
        self._model_sweep(i, now_ms, heard_ms)

    def do_reopen(self, i: int, _j: int, _n: int) -> None:
        if self.stores.is_file(i):
            replica = self.nodes[i].replica
            replica.services = self.stores.again(i, replica.clock)

    def do_clone(self, i: int, j: int, _n: int) -> None:
        """A copied file is noticed when it is opened, and goes on under another id."""
        j = self.other(j)
        if i == j or not (self.stores.is_file(i) and self.stores.is_file(j)):
            return
        node, source = self.nodes[i], self.nodes[j]
        clock = ManualClock(node.replica.clock.now_ms(), seed=next(self._seeds))
        node.replica = StoreReplica(self.stores.copied(j, i, clock), clock)
        source.replica.services = self.stores.again(j, source.replica.clock)
        self._new_line(i, source.model)

    def do_backup(self, i: int, _j: int, _n: int) -> None:
        node = self.nodes[i]
        node.replica.clock.advance(self.now_ms(i) - node.replica.clock.now_ms())
        url = str(self.stores.folder / f"backups-{self._number}-{node.replica.clock._seed}")
        report = node.replica.services.take_backup(url)
        node.backup = (url, report.manifest), node.model.copy()

    def do_restore(self, i: int, j: int, n: int) -> None:
        source = self.nodes[self.other(j) if n % 4 == 0 else i]
        if source.backup is None:
            return
        (url, manifest), model = source.backup
        node = self.nodes[i]
        node.replica.clock.advance(self.now_ms(i) - node.replica.clock.now_ms())
        services = node.replica.services
        plan = services.plan_restore(url, manifest=manifest, mode=Mode.REJOIN, replace_other=True)
        services.apply_restore(plan)
        self._new_line(i, model)

    def _new_line(self, i: int, model: Model) -> None:
        node = self.nodes[i]
        if node.replica.id in self.ids:
            raise Diverged(f"replica {i} goes on under an id that was used before")
        self.ids.add(node.replica.id)
        node.model, node.read = model.copy(), None

    def epoch_of_reset(self, new: Sibling, alive: list[Write]) -> Epoch:
        epoch = tally.Part.of(new.text).epoch
        if any(write.epoch >= epoch for write in alive):
            raise Diverged("a reset begins no new epoch")
        return epoch

    def pages(self, delta: Sent) -> list[bytes]:
        return list(delta.pages)

    def sync(self, sender: int, receiver: int) -> bool:
        here, there = self.nodes[sender], self.nodes[receiver]
        delta = here.replica.delta(there.replica.seen, self.now_ms(sender))
        if not self.hear(receiver, delta, here.model):
            return False
        if sender != receiver:
            here.replica.acknowledge(there.replica.id, there.replica.seen, delta)
        return True

    def before_hearing(self) -> None:
        for i in range(len(self.nodes)):
            self.do_sweep(i, 0, 0)

    def settle(self) -> None:
        """Then also all sweep, and hold the same byte by byte; readers see what the model says; one
        of the stores is verified, each time another one."""
        super().settle()
        for i, node in enumerate(self.nodes):
            self.read_all(i, node.replica, node.model)
        whole = self.nodes[self.numbers % len(self.nodes)].replica.memory.store
        report = verify_store(whole)
        if not report.ok:
            raise Diverged(f"a store is not whole: {report.findings[:3]}")
        metas = [node.replica.memory.store.meta() for node in self.nodes]
        if len({(meta.rows, bytes(meta.sum)) for meta in metas}) > 1:
            raise Diverged(f"the contents differ: {[meta.rows for meta in metas]}")

    def read_all(self, i: int, replica: StoreReplica, model: Model) -> None:
        """What the public API returns, against the model."""
        now_ms = self.now_ms(i)
        for key in KEYS:
            due = rows.visible([w.sibling for w in model.at(key)], Reading.LWW, now_ms)
            found: Any = replica.memory.get(*PLACES[key])
            wanted = int(due[0].text) if due else None
            if found != wanted:
                raise Diverged(f"replica {i}, {key}: a reader gets {found}, not {wanted}")
        counted = replica.memory.get(*PLACES[COUNTER])
        if counted != model.tally(COUNTER, now_ms):
            raise Diverged(f"replica {i}: a reader gets the count {counted}")
        members = replica.memory.members(*PLACES[ELEMENT])
        if bool(members) != bool(model.at(ELEMENT)):
            raise Diverged(f"replica {i}: a reader gets the members {members}")


def run_on(stores: Stores, seeds: range, replicas: int, lengths: tuple[int, int]) -> None:
    """The histories of these seeds. A failure tells its seed and the shortest script that fails."""

    def run(steps: list[Step]) -> None:
        check_on(stores, steps, replicas)

    run_all(seeds, lambda seed: script(seed, replicas, SQL_WEIGHTS, lengths), run)


def check_on(stores: Stores, steps: list[Step], replicas: int) -> None:
    world = StoreWorld(stores, replicas)
    for step in steps:
        world.run(step)
    world.settle()
