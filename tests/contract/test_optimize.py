"""Optimizing: fewer bytes for the same memory, on every engine; and again it does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memtend import Labels, Memory
from memtend.clock import ManualClock
from memtend.codec.compress import Codec
from memtend.codec.envelope import codec_of
from memtend.drafting import Put
from memtend.errors import DeletesTooMuch, StepUnknown
from memtend.limits_upkeep import DICTIONARY_KEEP_MS
from memtend.model.policy import Compression, Policy
from memtend.optimize.plan import StepName
from memtend.services import Services
from memtend.settings import Settings
from memtend.store import dictionaries, peers
from memtend.store.verify import verify_store
from tests.fixtures.stores import run_sql, set_policies

WORDS = ("plan", "build", "test", "review", "release", "retry", "wait", "done")
ROWS = 400


def progress(n: int) -> dict[str, Any]:
    notes = [f"step {WORDS[n * k % 8]} of task {n} took {n * k % 977} ms" for k in range(36)]
    return {"task": f"task-{n}", "status": WORDS[n % 8], "notes": notes}


def services_of(memory: Memory, folder: Path) -> Services:
    return Services(memory, Settings(store_url=memory.store.url, plans_url=str(folder / "plans")))


@pytest.fixture
def services(memory: Memory, tmp_path: Path) -> Services:
    return services_of(memory, tmp_path)


@pytest.fixture
def breakable(damageable: Memory, tmp_path: Path) -> Services:
    return services_of(damageable, tmp_path)


@pytest.fixture
def one(clock: ManualClock, tmp_path: Path) -> Iterator[Services]:
    """On one engine, where the engine makes no difference."""
    with Memory.open("sqlite://", clock=clock) as memory:
        yield services_of(memory, tmp_path)


def fill(memory: Memory, rows: int = ROWS) -> None:
    labels = Labels(kind="progress", agent="ada", session="s", tags=("t",))
    memory.put_many(Put("log", f"k{n:04}", progress(n), labels) for n in range(rows))


def codecs(memory: Memory) -> set[int]:
    return {codec_of(flags) for (flags,) in run_sql(memory, "SELECT flags FROM sibling")}


def test_a_routine_run_makes_values_smaller_and_changes_none(services: Services) -> None:
    memory = services.memory
    fill(memory)
    before = memory.read("log", "k0007")
    size = memory.stats().bytes
    report = services.apply_optimize(services.plan_optimize())
    assert [step.error for step in report.steps] == [None] * len(report.steps)
    assert codecs(memory) == {Codec.ZSTD_DICT}
    assert memory.stats().bytes < 0.75 * size
    assert report.bytes_freed == size - memory.stats().bytes
    assert memory.read("log", "k0007") == before
    assert memory.get("log", f"k{ROWS - 1:04}") == progress(ROWS - 1)


def test_doing_it_again_does_nothing(services: Services) -> None:
    fill(services.memory)
    services.apply_optimize(services.plan_optimize())
    changes = services.store.meta().seq
    again = services.plan_optimize(["dictionaries", "compression", "garbage"])
    assert again.to_do() == ()
    assert services.apply_optimize(again).steps == ()
    assert services.store.meta().seq == changes


def test_what_changed_since_the_plan_is_left_as_it_is(services: Services) -> None:
    fill(services.memory)
    plan = services.plan_optimize(["compression", "dictionaries"])
    services.memory.put("log", "k0003", {"new": "value"})
    services.memory.delete("log", "k0004")
    report = services.apply_optimize(plan)
    assert services.memory.get("log", "k0003") == {"new": "value"}
    assert services.memory.get("log", "k0004") is None
    assert next(step for step in report.steps if step.name == "compression").rows == ROWS - 2


def test_the_policy_says_what_may_be_compressed(one: Services) -> None:
    off = Policy(pattern="log/**", compression=Compression(enabled=False))
    set_policies(one.memory, off)
    fill(one.memory)
    assert one.plan_optimize(["dictionaries", "compression"]).to_do() == ()
    set_policies(one.memory, Policy(pattern="log/**"))
    one.apply_optimize(one.plan_optimize(["compression"]))
    assert codecs(one.memory) == {Codec.ZSTD}


def test_leftovers_go_and_what_is_used_stays(services: Services) -> None:
    memory = services.memory
    memory.put("n", "k", 1, labels=Labels(tags=("used",), agent="ada"))
    memory.put("n", "gone", 1, labels=Labels(agent="bob", session="s"))
    memory.get("n", "k")
    memory.flush()
    memory.delete("n", "gone")
    run_sql(memory, "INSERT INTO tag (tag, seq) VALUES ('stray', 999)")
    run_sql(memory, "INSERT INTO access SELECT ns, 'stray', 1, 1, 1 FROM access")
    plan = services.plan_optimize(["garbage"])
    assert plan.steps[0].rows == 4  # a tag, a count of reads, the totals of bob and of the session
    assert services.apply_optimize(plan).steps[0].rows == 4
    assert not services.plan_optimize(["garbage"]).to_do()
    assert [key for _, key, _ in memory.tagged("used")] == ["k"]
    record = memory.read("n", "k")
    assert record is not None
    assert record.access_count == 1


def test_a_dictionary_goes_when_no_value_has_needed_it_for_long(
    services: Services, clock: ManualClock
) -> None:
    memory = services.memory
    for _ in range(2):
        clock.advance(DICTIONARY_KEEP_MS)
        texts = [b'{"task":"task-%d","notes":["step %d"]}' % (n, n % 7) * 9 for n in range(200)]
        dictionaries.train(memory.store, "progress", texts, actor="owner")
        memory.config.refresh(memory.store.meta().config)
        memory.put("log", "k0001", progress(1), labels=Labels(kind="progress"))
    clock.advance(DICTIONARY_KEEP_MS)
    assert [step.rows for step in services.plan_optimize(["garbage"]).steps] == [1]
    memory.delete("log", "k0001")
    services.apply_optimize(services.plan_optimize(["garbage"]))
    assert run_sql(memory, "SELECT id FROM dictionary") == [(2,)]


def test_equal_records_are_told_and_left_to_a_prune(one: Services) -> None:
    for key in "ab":
        one.memory.put("n", key, {"text": "the same words " * 9})
    plan = one.plan_optimize(["duplicates"])
    [told] = plan.decisions
    assert (told.action, told.key, told.reason) == ("skip", "b", "says what n/a says")
    one.apply_optimize(plan)
    assert one.memory.get("n", "b") is not None


def damage(memory: Memory, *keys: str) -> None:
    for key in keys:
        run_sql(memory, f"UPDATE sibling SET exp = 5 WHERE key = '{key}'")


def test_what_cannot_be_read_goes_only_by_name_and_is_kept_elsewhere(
    breakable: Services, tmp_path: Path
) -> None:
    memory = breakable.memory
    fill(memory, 20)
    damage(memory, "k0003", "k0004")
    assert breakable.plan_optimize().to_delete() == ()
    plan = breakable.plan_optimize(["damaged"])
    assert [one.key for one in plan.to_delete()] == ["k0003", "k0004"]
    report = breakable.apply_optimize(plan)
    assert report.deleted == 2
    assert report.kept_in is not None
    lines = Path(report.kept_in).read_text().splitlines()
    assert len(lines) == 2
    assert '"key":"k0003"' in lines[0]
    assert memory.get("log", "k0003") is None
    assert memory.get("log", "k0005") == progress(5)
    assert verify_store(memory.store).ok
    assert breakable.plan_optimize(["damaged"]).to_do() == ()


NONSENSE = {
    "kind": "kind = 7", "size": "size = 'much'", "value": "value = 'text'", "hash": "hash = 'text'",
    "body": "body = 'text'", "flags": "flags = 'text'", "key": "key = x'00ff'",
}  # fmt: skip


@pytest.mark.parametrize("what", NONSENSE)
def test_columns_of_the_wrong_type_stop_nothing(one: Services, what: str) -> None:
    """SQLite keeps whatever type it finds in a damaged file."""
    fill(one.memory, 30)
    run_sql(one.memory, f"UPDATE sibling SET {NONSENSE[what]} WHERE key = 'k0003'")
    steps = [step.value for step in StepName if step is not StepName.REWRITE]
    report = one.apply_optimize(one.plan_optimize(steps))
    assert [step.error for step in report.steps if step.error] == []
    assert report.deleted == (what not in ("kind", "size"))  # copies of what the body says
    assert one.memory.get("log", "k0004") == progress(4)
    assert not one.plan_optimize(["damaged"]).to_do()


def test_what_a_peer_may_hold_whole_is_not_taken_away(breakable: Services) -> None:
    memory = breakable.memory
    fill(memory, 20)
    damage(memory, "k0003")
    peer = peers.Peer(
        id="p" * 32, name="there", url="", seen={}, at_seq=0, at_vv={}, heard_ms=1, met_ms=1
    )
    peers.save_peer(memory.store, peer)
    plan = breakable.plan_optimize(["damaged"])
    assert plan.to_delete() == ()
    assert plan.to_do() == ()
    assert "restore" in plan.steps[0].reason


def test_the_guard_bounds_what_is_taken_away(one: Services) -> None:
    one.memory.put_many(Put("n", f"k{n:04}", n) for n in range(1_500))
    run_sql(one.memory, "UPDATE sibling SET exp = 5")
    with pytest.raises(DeletesTooMuch):
        one.apply_optimize(one.plan_optimize(["damaged"]))


def test_an_unknown_step_is_refused(one: Services) -> None:
    with pytest.raises(StepUnknown, match="compression"):
        one.plan_optimize(["no such"])
