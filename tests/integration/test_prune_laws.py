"""Whatever is written, deleted, pruned and undone in whatever order: a record comes back as it was,
and it does so if and only if its prune was the last that happened to it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.clock import ManualClock
from memtend.model.record import Labels
from memtend.services import Services
from tests.fixtures.pruning import plan_of, pruning, whole

NS = "notes"
KEYS = st.sampled_from("abcd")
STEPS = st.one_of(
    st.tuples(st.just("put"), KEYS, st.integers(0, 3)),
    st.tuples(st.just("delete"), KEYS, st.none()),
    st.tuples(st.just("miss"), KEYS, st.none()),
    st.tuples(st.just("prune"), st.sets(KEYS, min_size=1), st.none()),
    st.tuples(st.just("undo"), st.integers(0, 3), st.none()),
)


class World:
    """A store, and what must be in it. `gone` is by which plan a path ended last, and as what."""

    def __init__(self, services: Services, clock: ManualClock) -> None:
        self.services, self.memory, self.clock = services, services.memory, clock
        self.live: dict[str, dict[str, Any]] = {}
        self.gone: dict[str, tuple[str, dict[str, Any]]] = {}
        self.plans: list[str] = []

    def step(self, what: str, given_: Any, value: Any) -> None:
        self.clock.advance(1_000)
        if what == "put":
            labels = Labels(tags=(f"t{value}",), success_count=value)
            self.memory.put(NS, given_, {"n": value}, labels=labels)
            self.gone.pop(given_, None)
            self.live[given_] = whole(self.memory, NS)[given_]
        elif what == "delete":
            if self.memory.delete(NS, given_):
                del self.live[given_]
                self.gone.pop(given_, None)
        elif what == "miss":
            assert (self.memory.get(NS, given_) is None) is (given_ not in self.live)
        elif what == "prune":
            self._prune(sorted(given_ & self.live.keys()))
        elif given_ < len(self.plans):
            self._undo(self.plans[given_])

    def _prune(self, keys: list[str]) -> None:
        plan = plan_of(self.services, *(f"{NS}/{key}" for key in keys))
        report = self.services.apply_prune(plan)
        assert report.deleted == len(keys)
        if keys:
            self.plans.append(report.plan)
        self.gone |= {key: (report.plan, self.live.pop(key)) for key in keys}

    def _undo(self, plan: str) -> None:
        back = {key: record for key, (by, record) in self.gone.items() if by == plan}
        assert self.services.undo_prune(plan).written == len(back)
        self.live |= back
        for key in back:
            del self.gone[key]


@given(st.lists(STEPS, min_size=4, max_size=14))
@settings(max_examples=12, deadline=None)
def test_a_record_comes_back_if_its_prune_was_the_last(steps: list[tuple[str, Any, Any]]) -> None:
    clock = ManualClock()
    with (
        tempfile.TemporaryDirectory() as folder,
        pruning("sqlite://", Path(folder), clock) as services,
    ):
        world = World(services, clock)
        for key in "abcd":
            world.step("put", key, 1)
        for step in steps:
            world.step(*step)
            assert whole(services.memory, NS) == world.live
        # In any order: each brings back what is its own.
        for plan in dict.fromkeys(world.plans):
            world._undo(plan)
        assert whole(services.memory, NS) == world.live
        assert services.verify_store().ok
