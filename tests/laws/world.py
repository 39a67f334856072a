"""Replicas, each beside the model of what it has seen, and how the two are compared.

A world asks a replica only for what every kind of replica can do, so that the same histories also
run on real stores (`sql_world`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from memtend.crdt import tally
from memtend.limits import PEER_AHEAD_MS_MAX, SWEEP_MARGIN_MS
from tests.laws.model import Model
from tests.laws.replica import COUNTER, Counts, Replica, Rules
from tests.laws.scripts import Diverged, Step

KEYS: Final = ("x", "y", "z")
SKEWED_MS: Final = 9_000
FAST_MS: Final = 120_000
"""How far ahead a clock is that others must not believe."""


@dataclass
class Node:
    """A replica beside what the model says it has seen. A message is `(delta, model)`."""

    replica: Any
    model: Model
    skew_ms: int = 0
    read: tuple[Counts, Model] | None = None
    backup: tuple[Any, Model] | None = None


class World:
    keys: tuple[str, ...] = KEYS
    """Those whose siblings are compared; the counter is apart."""
    start_ms = 1_000_000

    def __init__(self, rules: Rules, replicas: int = 3) -> None:
        self.rules = rules
        self.clock_ms = self.start_ms
        self.numbers = 0
        self.nodes = [Node(self.new_replica(i), Model()) for i in range(replicas)]
        self.nodes[-1].skew_ms = SKEWED_MS
        self.ids = {node.replica.id for node in self.nodes}
        self.messages: list[tuple[Any, Model]] = []

    def new_replica(self, i: int) -> Any:
        return Replica(f"r{i}", self.rules)

    def now_ms(self, i: int) -> int:
        return self.clock_ms + self.nodes[i].skew_ms

    def run(self, step: Step) -> None:
        verb, i, j, n = step
        getattr(self, f"do_{verb}")(i, j, n)
        everywhere = verb in ("tick", "edge", "fast")
        for index in range(len(self.nodes)) if everywhere else {i, self.other(j)}:
            self.compare(index)

    def other(self, j: int) -> int:
        return j % len(self.nodes)

    def fresh_id(self) -> str:
        self.numbers += 1
        return f"s{self.numbers}"

    def do_rejoin(self, i: int, j: int, n: int) -> None:
        """Replica `i` comes back under a new id, with what `j` has not seen."""
        raise AssertionError("a history says how")

    def sync(self, sender: int, receiver: int) -> bool:
        here, there = self.nodes[sender], self.nodes[receiver]
        delta = here.replica.delta(there.replica.seen, self.now_ms(sender))
        here.replica.meet(there.replica.id)
        return self.hear(receiver, delta, here.model)

    def compare(self, i: int) -> None:
        """The same siblings, but for those that somebody may have swept by now."""
        node = self.nodes[i]
        horizon = self.clock_ms + max(n.skew_ms for n in self.nodes) - SWEEP_MARGIN_MS
        held = node.replica.held((*self.keys, COUNTER))
        for key in self.keys:
            found = [(s.text, s.exp_ms) for s in held[key]]
            due = [(w.text, w.exp_ms) for w in node.model.at(key)]
            if _unswept(found, horizon) != _unswept(due, horizon):
                raise Diverged(f"replica {i}, {key}: {found}, but the model has {due}")
        value = tally.value(held[COUNTER], self.now_ms(i))
        wanted = node.model.tally(COUNTER, self.now_ms(i))
        if value != wanted:
            raise Diverged(f"replica {i}: the counter is {value}, not {wanted}")

    def settle(self) -> None:
        """Clocks are right again, the retired come back, everybody hears everybody: all agree."""
        self.clock_ms += FAST_MS
        for node in self.nodes:
            node.skew_ms = 0
        retired = {peer for node in self.nodes for peer in node.replica.retired}
        for i, node in enumerate(self.nodes):
            if node.replica.id in retired:
                self.do_rejoin(i, i + 1, 0)
        self.before_hearing()
        self.hear_all()
        for i in range(len(self.nodes)):
            self.compare(i)
        if any(node.replica.seen != self.nodes[0].replica.seen for node in self.nodes):
            raise Diverged("the vectors differ")

    def before_hearing(self) -> None:
        """What else is done before the last messages."""

    def hear_all(self) -> None:
        last = len(self.nodes) - 1
        gather = [(i, last) for i in range(last)]
        for sender, receiver in (*gather, *((last, i) for i in range(last))):
            if not self.sync(sender, receiver):
                raise Diverged(f"replica {receiver} refuses a fresh delta of {sender}")

    def hear(self, i: int, delta: Any, model: Model) -> bool:
        replica = self.nodes[i].replica
        return self.heard(i, delta, model, lambda: replica.apply(delta, self.now_ms(i)))

    def heard(self, i: int, delta: Any, model: Model, take_in: Callable[[], bool]) -> bool:
        """Whether it is taken in. Then it had to be, and the model knows what its sender knew."""
        retired = set(self.nodes[i].replica.retired)
        if not take_in():
            return False
        if delta.sent_ms > self.now_ms(i) + PEER_AHEAD_MS_MAX:
            raise Diverged(f"replica {i} believes a clock that is far ahead")
        if delta.sender in retired:
            raise Diverged(f"replica {i} hears a replica that it has retired")
        self.nodes[i].model.merge(model)
        return True


def _unswept(found: list[tuple[bytes, int | None]], horizon: int) -> list[tuple[bytes, int]]:
    return sorted((text, exp or 0) for text, exp in found if exp is None or exp > horizon)
