"""Laws of importing, whatever happens to source and store in between."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.clock import ManualClock
from memtend.model.policy import Policy, Reading
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.verify import verify_store
from tests.fixtures.stores import set_policies

NOW_MS = 1_795_000_000_000
HOUR_MS = 3_600_000
NAMES = tuple(f"notes/{name}" for name in "abcd")
COUNTER = "counts/c"
VALUES = st.one_of(st.integers(-3, 3), st.text(max_size=3), st.lists(st.none(), max_size=2))
STEPS = st.one_of(
    st.tuples(st.just("source"), st.sampled_from(NAMES), VALUES),
    st.tuples(st.just("source counts"), st.just(COUNTER), st.integers(0, 50)),
    st.tuples(st.just("gone from source"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("put"), st.sampled_from(NAMES), VALUES),
    st.tuples(st.just("count"), st.just(COUNTER), st.integers(1, 9)),
    st.tuples(st.just("delete"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("import"), st.none(), st.none()),
)


class World:
    """A source, a store, and what must be true of them. The clock moves with every step."""

    def __init__(self, services: Services, clock: ManualClock, root: Path) -> None:
        self.services, self.clock = services, clock
        self.root, self.memory = root, root / ".claude-flow/memory"
        self.memory.mkdir(parents=True)
        self.theirs: dict[str, Any] = {}
        self.counted = 0

    def step(self, what: str, path: str | None, value: Any) -> None:
        self.clock.advance(HOUR_MS)
        if path is None:
            self.take()
            return
        namespace, _, key = path.partition("/")
        memory = self.services.memory
        if what.startswith("source"):
            item = {"key": path, "value": value, "timestamp": self.clock.now_ms() / 1_000}
            self._file(path).write_text(json.dumps(item | {"namespace": namespace}))
        elif what == "gone from source":
            self._file(path).unlink(missing_ok=True)
        elif what == "put":
            self.theirs[path] = {"mine": value}  # never what the source says
            memory.put(namespace, key, self.theirs[path])
        elif what == "count":
            memory.increment(namespace, key, value)
            self.counted += value
        elif memory.delete(namespace, key):
            self.theirs.pop(path, None)

    def _file(self, path: str) -> Path:
        return self.memory / f"{path.replace('/', '_')}.json"

    def take(self) -> None:
        """Import: what was planned is done, nobody is overwritten, and again changes nothing."""
        plan = self.services.plan_import(str(self.root))
        report = self.services.apply_import(plan)
        assert (report.written, report.changed_since) == (plan.writes, 0)
        assert (report.refused, report.unchanged) == (plan.refused, plan.actions.get("keep", 0))
        for path, value in self.theirs.items():
            assert self.services.memory.get(*path.split("/")) == value
        file = self._file(COUNTER)
        total = json.loads(file.read_text())["value"] if file.exists() else 0
        if not report.refused:
            assert self.services.memory.get("counts", "c", 0) == self.counted + total
        before = self.services.store.meta().seq
        again = self.services.apply_import(self.services.plan_import(str(self.root)))
        assert (again.written, self.services.store.meta().seq) == (0, before)


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_imports_do_what_was_planned_once_and_over_nobody(
    steps: list[tuple[str, str | None, Any]],
) -> None:
    clock = ManualClock(NOW_MS)
    with tempfile.TemporaryDirectory() as folder:
        chosen = Settings(plans_url=f"{folder}/plans")
        with open_services("sqlite://", clock=clock, settings=chosen) as services:
            set_policies(services.memory, Policy(pattern="counts/*", reading=Reading.COUNTER))
            world = World(services, clock, Path(folder, "source"))
            for step in [*steps, ("import", None, None)]:
                world.step(*step)
            assert verify_store(services.store).ok
