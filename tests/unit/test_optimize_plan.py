"""Which steps of an optimization are worth it, and what it does when it is cut off."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memtend import Labels, Memory
from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import StepUnknown, StoreBusy
from memtend.guard import Safety, clear
from memtend.limits_upkeep import FREE_BYTES_MIN
from memtend.model.facts import Facts
from memtend.model.policy import Compression, Policy
from memtend.objects import open_target
from memtend.optimize.apply import Optimizing
from memtend.optimize.plan import (
    ROUTINE,
    Damage,
    Found,
    OptimizePlan,
    Squeezable,
    Step,
    StepName,
    Trainable,
    plan_optimize,
    steps_named,
)
from memtend.optimize.thinning import Thinner
from memtend.services import Services
from memtend.settings import Settings
from memtend.slices import Slices
from memtend.store import statistics
from memtend.store.sql import sqlite_statements
from memtend.store.store import Store
from tests.fixtures.stores import set_policies

FACTS = Facts(store_id="s", at=datetime(2026, 1, 1, tzinfo=UTC), seq=9, records=100, bytes=1_000)
MORE = 10_000_000


def step(name: StepName, found: Found) -> Step:
    [judged] = plan_optimize(found, FACTS, {name}).steps
    return judged


@pytest.mark.parametrize(("share", "worth"), [(0.0499, False), (0.05, True)])
def test_compressing_again_has_to_save_a_twentieth(share: float, worth: bool) -> None:
    found = Found(squeezable=[Squeezable("note", 10, 1_000, share)])
    judged = step(StepName.COMPRESSION, found)
    assert (judged.worth, judged.saves_bytes) == (worth, 50 if worth else 0)


@pytest.mark.parametrize(("share", "worth"), [(0.0999, False), (0.1, True)])
def test_a_dictionary_has_to_save_a_tenth_and_then_all_is_written_with_it(
    share: float, worth: bool
) -> None:
    found = Found(trainable=[Trainable("note", 10, 1_000, share)])
    assert step(StepName.DICTIONARIES, found).worth is worth
    assert step(StepName.COMPRESSION, found).kinds == (("note",) if worth else ())


@pytest.mark.parametrize("free", [FREE_BYTES_MIN - 1, FREE_BYTES_MIN])
def test_free_space_is_given_back_from_some_on_where_the_file_can(free: int) -> None:
    found = Found(free_bytes=free, file_bytes=MORE, gives_back=True)
    assert step(StepName.SPACE, found).worth is (free >= FREE_BYTES_MIN)
    older = step(StepName.SPACE, found._replace(gives_back=False))
    assert (older.worth, older.saves_bytes) == (False, 0)


@pytest.mark.parametrize(("free", "worth"), [(2_499_999, False), (2_500_000, True)])
def test_a_file_is_written_again_from_a_quarter_on(free: int, worth: bool) -> None:
    found = Found(free_bytes=free, file_bytes=MORE, gives_back=True)
    assert step(StepName.REWRITE, found).worth is worth


def test_what_cannot_be_read_is_named_only_where_it_is_asked_for() -> None:
    found = Found(damaged=[Damage(3, "n", "k", 7, "its hash does not match")])
    assert plan_optimize(found, FACTS, ROUTINE).to_delete() == ()
    plan = plan_optimize(found, FACTS, {StepName.DAMAGED})
    assert [one.seq for one in plan.to_delete()] == [3]
    held = plan_optimize(found._replace(peers=1), FACTS, {StepName.DAMAGED})
    assert held.to_delete() == ()
    assert held.to_do() == ()


def test_a_routine_run_takes_nothing_away_and_holds_nobody_up() -> None:
    assert steps_named(None) == ROUTINE
    assert not ROUTINE & {StepName.DAMAGED, StepName.REWRITE, StepName.SIMILAR}
    assert steps_named(["space"]) == {StepName.SPACE}
    with pytest.raises(StepUnknown):
        steps_named(["space", "time"])


def test_steps_are_done_in_their_order() -> None:
    names = [one.name for one in plan_optimize(Found(), FACTS, set(StepName)).steps]
    assert names == list(StepName)


def test_a_sample_comes_evenly_from_all_over() -> None:
    thinner = Thinner[int](10)
    for n in range(1_000):
        thinner.add(n)
    assert len(thinner.kept) <= 10
    gaps = {later - sooner for sooner, later in zip(thinner.kept, thinner.kept[1:], strict=False)}
    assert len(gaps) == 1
    assert thinner.kept[-1] > 800


def test_slices_grow_while_they_are_quick(clock: ManualClock) -> None:
    slices = Slices(clock)
    sizes = []
    for part in slices.of(list(range(1_000))):
        slices.timed(lambda: sizes.append(len(part)))  # noqa: B023
    assert sizes[:4] == [16, 32, 64, 128]
    assert sum(sizes) == 1_000
    assert slices.count == len(sizes)


@pytest.fixture
def services(clock: ManualClock, tmp_path: Path) -> Iterator[Services]:
    """With values that were written before anybody wanted them compressed."""
    with Memory.open(f"sqlite:///{tmp_path}/store.db", clock=clock) as memory:
        set_policies(memory, Policy(pattern="n", compression=Compression(enabled=False)))
        labels = Labels(kind="note", agent="ada", tags=("t",))
        memory.put_many(
            Put("n", f"k{n}", {"n": n, "text": f"words {n % 7} " * 200}, labels) for n in range(300)
        )
        set_policies(memory, Policy(pattern="n"))
        yield Services(memory, Settings(store_url=memory.store.url))


def test_a_run_that_is_cut_off_is_finished_by_the_next_one(services: Services) -> None:
    """The policy cannot be asked any more after so many times."""
    store = services.store
    plan = services.plan_optimize(["compression"])
    asked = 0

    def rule(_namespace: str, _key: str) -> Compression:
        nonlocal asked
        asked += 1
        if asked > 250:
            raise StoreBusy(url=store.url, waited_s=1, why="somebody else")
        return Compression()

    with services._maintaining("test") as lease:
        cleared = clear(plan, lease=lease, facts=services.facts(), safety=Safety())
        place = open_target("memory://none", store.clock)
        [done] = Optimizing(store, rule, 1, lambda: place).run(cleared).steps
    assert done.error is not None
    assert services.verify_store().ok
    assert services.apply_optimize(services.plan_optimize(["compression"])).written == 100
    assert services.plan_optimize(["compression"]).to_do() == ()
    assert services.verify_store().ok


def test_statistics_that_mislead_are_taken_away(services: Services) -> None:
    """With them, SQLite reads a whole index for the few rows that have changed since."""
    store = services.store
    before = _plan_of(store, "stream_changed")
    assert not services.plan_optimize(["statistics"]).to_do()
    store.engine.script("ANALYZE")
    assert _plan_of(store, "stream_changed") != before
    services.apply_optimize(services.plan_optimize(["statistics"]))
    assert _plan_of(store, "stream_changed") == before
    assert not services.plan_optimize(["statistics"]).to_do()


def _plan_of(store: Store, name: str) -> list[str]:
    with closing(sqlite3.connect(str(store.engine.path))) as db:
        text = sqlite_statements()[name]
        rows = db.execute(f"EXPLAIN QUERY PLAN {text}", (None,) * text.count("?"))
        return [row[3] for row in rows]


def test_a_new_file_gives_free_pages_back(services: Services) -> None:
    store = services.store
    assert statistics.gives_back(store)
    before = store.engine.size_bytes()
    services.memory.put_many(Put("n", f"k{n}", n) for n in range(300))
    assert statistics.free_bytes(store) > 0
    while statistics.give_back(store):
        pass
    assert store.engine.size_bytes() < before


def test_a_plan_travels_as_json() -> None:
    plan = plan_optimize(Found(garbage=[("tags of no record", 2)]), FACTS, ROUTINE)
    assert OptimizePlan.model_validate_json(plan.model_dump_json()) == plan
