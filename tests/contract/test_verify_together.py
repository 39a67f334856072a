"""Several processes verify one state of a store, and say what one of them would."""

from __future__ import annotations

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.memory import Memory
from memtend.model.record import Labels
from memtend.store.verify import verify_store
from memtend.store.verify_together import together, verify_shard
from tests.fixtures.stores import run_sql
from tests.fixtures.verifying import timeless, verify_together


def fill(memory: Memory) -> None:
    memory.put_many(
        [
            Put(f"team/{n % 7}", f"k{n}", {"n": n}, Labels(tags=("t",), agent=f"a{n % 3}"))
            for n in range(70)
        ]
    )
    memory.flush()


def test_the_report_is_that_of_one(memory: Memory) -> None:
    empty = verify_together(memory.store)
    assert empty is not None
    assert timeless(empty) == timeless(verify_store(memory.store))
    fill(memory)
    for processes in (1, 2, 5, 64):
        report = verify_together(memory.store, processes)
        assert report is not None
        assert report.ok
        assert timeless(report) == timeless(verify_store(memory.store))


def test_findings_of_all_shards_come_in_one_order(damageable: Memory) -> None:
    """Also of rows that no shard holds, for their namespace is not known."""
    fill(damageable)
    for number, damage in enumerate(("ns = 99", "kind = 'x'", "size = 1", "hash = body")):
        run_sql(damageable, f"UPDATE sibling SET {damage} WHERE key = 'k{60 - 11 * number}'")
    report = verify_together(damageable.store)
    assert report is not None
    assert report.damage_count > 4
    assert timeless(report) == timeless(verify_store(damageable.store))


def test_a_write_in_between_is_noticed_or_not_seen(lasting_url: str, clock: ManualClock) -> None:
    """A server shows everybody the state of the first; SQLite says that it cannot."""
    with (
        Memory.open(lasting_url, clock=clock) as memory,
        Memory.open(lasting_url, clock=clock) as writer,
    ):
        fill(memory)
        before = timeless(verify_store(memory.store))
        with together(memory.store) as whole:
            [first, *others] = whole.shards(2)
            parts = [verify_shard(memory.store, whole.view, first)]
            writer.put("team/1", "k1", "another")
            writer.delete("team/2", "k2")
            parts += [verify_shard(writer.store, whole.view, shard) for shard in others]
            whole.look_at_the_rest()
            report = whole.report(parts)
        assert timeless(report) == (before if whole.view.shared else None)
        assert parts[0] is not None
