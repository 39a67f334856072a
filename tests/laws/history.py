"""Random histories of three replicas, run against the model.

A history is a script of plain tuples, made from a seed. `check` runs one and raises `Diverged`
with the step; `shortest` cuts a failing script down to what is needed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, TypeAlias

from memtend.crdt import rows, tally
from memtend.crdt.rows import Reading
from memtend.limits import SWEEP_MARGIN_MS
from tests.laws.model import Model, Write
from tests.laws.replica import COUNTER, Counts, Delta, Replica, Rules

Step: TypeAlias = tuple[str, int, int, int]
KEYS: Final = ("x", "y", "z")
TTLS_MS: Final = (None, None, 10_000, 100_000)
TICKS_MS: Final = (1, 1_000, 20_000, 70_000)
SKEWS_MS: Final = (0, 0, 9_000)
WEIGHTS: Final = {
    "put": 8,
    "put_ctx": 3,
    "read": 2,
    "delete": 4,
    "touch": 2,
    "inc": 4,
    "reset": 1,
    "sync": 7,
    "send": 4,
    "deliver": 5,
    "tick": 4,
    "sweep": 2,
    "edge": 2,
    "drop_log": 2,
    "backup": 1,
    "restore": 1,
}


class Diverged(AssertionError):
    """A replica does not hold what the model says."""


def script(seed: int) -> list[Step]:
    dice = random.Random(seed)
    length = dice.randint(6, 40)
    verbs = dice.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()), k=length)
    return [(v, dice.randrange(3), dice.randrange(3), dice.randrange(12)) for v in verbs]


@dataclass
class Node:
    """A replica beside what the model says it has seen."""

    replica: Replica
    model: Model
    read: tuple[Counts, Model] | None = None
    backup: tuple[Replica, Model] | None = None


class World:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.clock_ms = 1_000_000
        self.numbers = 0
        self.nodes = [Node(Replica(f"r{i}", rules), Model()) for i in range(3)]
        self.ids = {node.replica.id for node in self.nodes}
        self.messages: list[tuple[Delta, Model]] = []

    def now_ms(self, i: int) -> int:
        return self.clock_ms + SKEWS_MS[i]

    def run(self, step: Step) -> None:
        verb, i, j, n = step
        getattr(self, f"do_{verb}")(i, j, n)
        for index in range(3):
            self.compare(index)

    def do_put(self, i: int, j: int, n: int) -> None:
        self._put(i, KEYS[j], TTLS_MS[n % 4], None)

    def do_put_ctx(self, i: int, j: int, n: int) -> None:
        self._put(i, KEYS[j], TTLS_MS[n % 4], self.nodes[i].read)

    def do_read(self, i: int, _j: int, _n: int) -> None:
        node = self.nodes[i]
        node.read = dict(node.replica.seen), node.model.copy()

    def do_delete(self, i: int, j: int, _n: int) -> None:
        node = self.nodes[i]
        node.replica.delete(KEYS[j], self.now_ms(i))
        node.model.undone.update(node.model.at(KEYS[j]))

    def do_touch(self, i: int, j: int, n: int) -> None:
        siblings = self.nodes[i].replica.at(KEYS[j])
        shown = rows.visible(siblings, Reading.LWW, self.now_ms(i))
        if shown:
            self._put(i, KEYS[j], TTLS_MS[n % 4], None, shown[0].text)

    def do_inc(self, i: int, _j: int, n: int) -> None:
        node, by = self.nodes[i], (n % 7) - 2 or 5
        alive = node.model.at(COUNTER)
        new = node.replica.increment(by, TTLS_MS[n % 4], self.now_ms(i))
        fresh = all(w.is_past(self.now_ms(i)) for w in alive)
        epoch = tally.Part.of(new.text).epoch if fresh else max(w.epoch for w in alive)
        own = [w for w in alive if w.owner == node.replica.id]
        before = 0 if fresh else sum(w.total for w in own if w.epoch == epoch)
        write = self._write(i, COUNTER, new.hlc, new.exp_ms)
        write = write._replace(epoch=epoch, total=before + by)
        node.model.write(write, alive if fresh else own)

    def do_reset(self, i: int, _j: int, n: int) -> None:
        node = self.nodes[i]
        new = node.replica.reset(TTLS_MS[n % 4], self.now_ms(i))
        write = self._write(i, COUNTER, new.hlc, new.exp_ms)._replace(epoch=new.hlc)
        node.model.write(write, node.model.at(COUNTER))

    def do_sync(self, i: int, j: int, n: int) -> None:
        self.sync(i, j)
        if n % 2:
            self.sync(j, i)

    def do_send(self, i: int, j: int, _n: int) -> None:
        """A message that is delivered later, more than once, to somebody else, or never."""
        delta = self.nodes[i].replica.delta(self.nodes[j].replica.seen, self.now_ms(i))
        self.messages.append((delta, self.nodes[i].model.copy()))

    def do_deliver(self, i: int, _j: int, n: int) -> None:
        if self.messages:
            self._hear(i, *self.messages[-1 - n % len(self.messages)])

    def do_tick(self, _i: int, _j: int, n: int) -> None:
        self.clock_ms += TICKS_MS[n % 4]

    def do_sweep(self, i: int, _j: int, _n: int) -> None:
        node, now_ms, peers = self.nodes[i], self.now_ms(i), self.ids - {self.nodes[i].replica.id}
        heard_ms = min(node.replica.heard.get(peer, 0) for peer in peers)
        node.replica.sweep(now_ms, self.ids)
        for key in (*KEYS, COUNTER):
            node.model.sweep(key, now_ms, together=key == COUNTER, heard_ms=heard_ms)

    def do_edge(self, i: int, _j: int, n: int) -> None:
        """Sweep at, or one tick before, the first moment at which something may go."""
        siblings = [s for held in self.nodes[i].replica.rows.values() for s in held]
        edges = [s.exp_ms + SWEEP_MARGIN_MS for s in siblings if s.exp_ms is not None]
        later = [edge for edge in edges if edge > self.now_ms(i) + 1]
        if later:
            self.clock_ms = min(later) - SKEWS_MS[i] - n % 2
            self.do_sweep(i, 0, 0)

    def do_drop_log(self, i: int, _j: int, _n: int) -> None:
        self.nodes[i].replica.drop_log()

    def do_backup(self, i: int, _j: int, _n: int) -> None:
        node = self.nodes[i]
        node.backup = node.replica.copy(node.replica.id), node.model.copy()

    def do_restore(self, i: int, _j: int, _n: int) -> None:
        node = self.nodes[i]
        if node.backup is not None:
            replica, model = node.backup
            self.numbers += 1
            new_id = self.rules.id_after_restore(replica.id, f"s{self.numbers}")
            self.ids.add(new_id)
            node.replica, node.model, node.read = replica.copy(new_id), model.copy(), None

    def sync(self, sender: int, receiver: int) -> bool:
        delta = self.nodes[sender].replica.delta(
            self.nodes[receiver].replica.seen, self.now_ms(sender)
        )
        return self._hear(receiver, delta, self.nodes[sender].model)

    def compare(self, i: int) -> None:
        """The same siblings, but for those that somebody may have swept by now."""
        node, horizon = self.nodes[i], self.clock_ms + max(SKEWS_MS) - SWEEP_MARGIN_MS
        for key in KEYS:
            found = [(s.text, s.exp_ms) for s in node.replica.at(key)]
            due = [(w.text, w.exp_ms) for w in node.model.at(key)]
            if _unswept(found, horizon) != _unswept(due, horizon):
                raise Diverged(f"replica {i}, {key}: {found}, but the model has {due}")
        value = tally.value(node.replica.at(COUNTER), self.now_ms(i))
        wanted = node.model.tally(COUNTER, self.now_ms(i))
        if value != wanted:
            raise Diverged(f"replica {i}: the counter is {value}, not {wanted}")

    def settle(self) -> None:
        """Everybody hears everybody, and then all hold the same."""
        for _ in range(2):
            for sender, receiver in ((0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2)):
                if not self.sync(sender, receiver):
                    raise Diverged(f"replica {receiver} refuses a fresh delta of {sender}")
        for i in range(3):
            self.compare(i)
        if any(node.replica.seen != self.nodes[0].replica.seen for node in self.nodes):
            raise Diverged("the vectors differ")

    def _hear(self, i: int, delta: Delta, model: Model) -> bool:
        accepted = self.nodes[i].replica.apply(delta, self.now_ms(i))
        if accepted:
            self.nodes[i].model.merge(model)
        return accepted

    def _put(
        self,
        i: int,
        key: str,
        ttl_ms: int | None,
        read: tuple[Counts, Model] | None,
        text: bytes | None = None,
    ) -> None:
        node, alive = self.nodes[i], self.nodes[i].model.at(key)
        value = b"%d" % (self.numbers + 1) if text is None else text
        context = None if read is None else read[0]
        new = node.replica.put(key, value, ttl_ms, self.now_ms(i), context)
        write = self._write(i, key, new.hlc, new.exp_ms)._replace(text=value)
        node.model.write(write, [w for w in alive if read is None or w in read[1].writes])

    def _write(self, i: int, key: str, hlc: int, exp_ms: int | None) -> Write:
        self.numbers += 1
        return Write(self.numbers, key, self.nodes[i].replica.id, hlc, exp_ms)


def check(steps: list[Step], rules: Rules) -> None:
    """Run a history and let everybody hear everybody; raises `Diverged`."""
    world = World(rules)
    for step in steps:
        world.run(step)
    world.settle()


def fails(steps: list[Step], rules: Rules) -> bool:
    try:
        check(steps, rules)
    except Diverged:
        return True
    return False


def shortest(steps: list[Step], rules: Rules) -> list[Step]:
    """A failing script from which no single step can be left out."""
    position = 0
    while position < len(steps):
        shorter = steps[:position] + steps[position + 1 :]
        if fails(shorter, rules):
            steps, position = shorter, 0
        else:
            position += 1
    return steps


def _unswept(found: list[tuple[bytes, int | None]], horizon: int) -> list[tuple[bytes, int]]:
    return sorted((text, exp or 0) for text, exp in found if exp is None or exp > horizon)
