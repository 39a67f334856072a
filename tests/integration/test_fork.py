"""A store lives through `fork`: both sides go on, and nothing is written twice or lost."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from memtend.clock import ManualClock, SystemClock
from memtend.errors import StoreClosed
from memtend.memory import Memory
from memtend.store.snapshot import snapshot
from memtend.store.verify import verify_store

NS = "team/shared"
ROUNDS = 20


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a forked child; the child's pid."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def ended_well(pid: int) -> bool:
    _, status = os.waitpid(pid, 0)
    return status == 0


def test_parent_and_children_write_on(lasting_url: str) -> None:
    with Memory.open(lasting_url, clock=SystemClock()) as memory:
        memory.put(NS, "before", 1)
        memory.get(NS, "before")

        def work() -> None:
            for n in range(ROUNDS):
                memory.put(NS, f"{os.getpid()}/{n}", n)
                memory.increment(NS, "count")
                assert memory.get(NS, f"{os.getpid()}/{n}") == n

        children = [in_child(work) for _ in range(3)]
        work()
        assert [ended_well(pid) for pid in children] == [True] * 3
        assert memory.get(NS, "count") == 4 * ROUNDS
        assert len(memory.scan(NS, limit=1_000)) == 4 * ROUNDS + 2
        with snapshot(memory.store) as view:
            seqs = [row.seq for row in view.rows()]
            assert len(seqs) == len(set(seqs))
            assert view.state.vv == {memory.store.own_replica(): 8 * ROUNDS + 1}
        assert verify_store(memory.store).ok


def test_an_inherited_transaction_is_refused_in_the_child(store_url: str) -> None:
    with Memory.open(store_url, clock=ManualClock()) as memory:
        memory.put(NS, "k", "before")
        pid = -1
        try:
            with memory.store.change("parent") as (change, _):
                change.note("test", "of the parent")
                pid = os.fork()
        except BaseException as error:
            if pid != 0:
                raise
            leave_child(memory, error)
        if pid == 0:
            os._exit(2)
        assert ended_well(pid)
        memory.put(NS, "k", "after")
        assert memory.get(NS, "k") == "after"
        assert verify_store(memory.store).audit_entries >= 3
        assert verify_store(memory.store).ok


def leave_child(memory: Memory, error: BaseException) -> None:
    """In the child: the transaction was refused, and the store works."""
    status = 1
    try:
        assert isinstance(error, StoreClosed), repr(error)
        assert memory.get(NS, "k") in ("before", "after")
        if memory.store.engine.path is None:
            # SQLite itself takes a file for locked where a process was forked amid a write to it.
            memory.put(NS, "child", 1)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def test_a_dying_parent_leaves_no_lock_with_its_child(tmp_path: Path) -> None:
    """The child of a writer must not keep the writer's place in the queue."""
    url = f"sqlite:///{tmp_path}/store.db"
    with Memory.open(url, clock=ManualClock()) as memory:
        memory.put(NS, "k", 1)
        reading, writing = os.pipe()

        def parent() -> None:
            with memory.store.engine.write():
                if os.fork() == 0:
                    os.write(writing, b"%d" % os.getpid())
                    signal.pause()
                signal.pause()

        writer = in_child(parent)
        orphan = int(os.read(reading, 20))
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        try:
            memory.put(NS, "k", 2)
            assert memory.get(NS, "k") == 2
        finally:
            os.kill(orphan, signal.SIGKILL)


@pytest.mark.parametrize("reads", [True, False])
def test_a_child_that_ends_leaves_the_parents_connections_alone(
    lasting_url: str, reads: bool
) -> None:
    with Memory.open(lasting_url, clock=ManualClock()) as memory:
        memory.put(NS, "k", 1)

        def work() -> None:
            if reads:
                assert memory.get(NS, "k") == 1
            memory.close()

        assert ended_well(in_child(work))
        memory.put(NS, "k", 2)
        assert memory.get(NS, "k") == 2
        with snapshot(memory.store) as view:
            assert view.records == 1


def test_stores_that_are_closed_already_do_not_matter(lasting_url: str) -> None:
    closed = [Memory.open("sqlite://", clock=ManualClock()) for _ in range(5)]
    for one in closed:
        one.close()
    with Memory.open(lasting_url, clock=ManualClock()) as memory:
        generation = memory.store.engine._generation  # type: ignore[attr-defined]

        def work() -> None:
            assert memory.store.engine._generation is not generation  # type: ignore[attr-defined]

        assert [ended_well(in_child(work)) for _ in range(5)] == [True] * 5
    assert len(closed) == 5
