"""Snapshots of an agent's or a swarm's memory. On each engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from memtend import limits
from memtend.agent import picture
from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import SnapshotRefused, SnapshotUnknown
from memtend.memory import Memory
from tests.fixtures.agents import Join

HOME = "swarm-demo/agent-builder"


def test_a_snapshot_shows_what_was_there(join: Join, clock: ManualClock) -> None:
    builder = join("builder")
    builder.update_state(step=1)
    builder.record_decision("storage", "SQLite", decision_id="d1")
    join("reviewer").update_state(step=7)
    info = builder.snapshot("before")
    builder.update_state(step=2)
    before = builder.snapshot_of("before")
    assert (info.records, len(before.records)) == (2, 2)
    assert before.value(HOME, "state")["step"] == 1
    assert before.value(f"{HOME}/decisions", "storage/d1")["decision"] == "SQLite"
    assert before.value(HOME, "nothing", "else") == "else"
    everybody = builder.snapshot(whole_swarm=True)
    assert builder.snapshot_of(everybody.name).value("swarm-demo/agent-reviewer", "state")
    assert {one.name for one in builder.snapshots()} == {"before", everybody.name}
    assert all(one.namespace != "swarm-demo/snapshots" for one in before.records)


def test_a_name_is_taken_once_and_may_be_let_go(join: Join) -> None:
    builder = join("builder")
    builder.snapshot("before")
    with pytest.raises(SnapshotRefused, match="one of this name"):
        builder.snapshot("before")
    builder.delete_snapshot("before")
    with pytest.raises(SnapshotUnknown):
        builder.snapshot_of("before")
    builder.snapshot("before")


def test_a_snapshot_of_nothing_is_empty(join: Join) -> None:
    assert join("builder").snapshot("empty").records == 0
    assert join("builder").snapshot_of("empty").records == ()


def test_large_snapshots_come_in_parts_and_end_at_a_limit(
    join: Join, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = join("builder")
    monkeypatch.setattr(picture, "SNAPSHOT_PART_BYTES", 1_000)
    for number in range(10):
        builder.record_decision("storage", "x" * 300, decision_id=f"d{number}")
    info = builder.snapshot("many")
    assert info.parts > 3
    assert len(builder.snapshot_of("many").records) == 10
    memory.delete("swarm-demo/snapshots", "many/part-0001")
    assert builder.snapshot_of("many").missing_parts == 1
    monkeypatch.setattr(picture, "SNAPSHOT_BYTES_MAX", 2_000)
    before = memory.scan("swarm-demo/snapshots")
    with pytest.raises(SnapshotRefused, match="larger"):
        builder.snapshot("more")
    assert memory.scan("swarm-demo/snapshots") == before
    assert limits.SNAPSHOT_BYTES_MAX == 64 * limits.MIB


def test_sets_are_counted_and_siblings_read_as_always(join: Join, memory: Memory) -> None:
    builder = join("builder")
    memory.add(f"{HOME}/notes", "members", "x")
    memory.increment(f"{HOME}/notes", "count", 3)
    info = builder.snapshot("mixed")
    assert (info.left_out, info.records) == (1, 1)
    assert builder.snapshot_of("mixed").value(f"{HOME}/notes", "count") == 3


def test_a_snapshot_is_one_moment(join: Join, memory: Memory) -> None:
    """A writer keeps two records equal; no snapshot ever shows them different."""
    builder = join("builder")
    stop = Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            memory.put_many([Put(f"{HOME}/a", "k", number), Put(f"{HOME}/z", "k", number)])

    memory.put(f"{HOME}/a", "k", 0)
    memory.put(f"{HOME}/z", "k", 0)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        names = [builder.snapshot().name for _ in range(10)]
        stop.set()
        writing.result()
    for name in names:
        found = builder.snapshot_of(name)
        assert found.value(f"{HOME}/a", "k") == found.value(f"{HOME}/z", "k")
