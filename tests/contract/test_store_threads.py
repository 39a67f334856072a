"""Several threads on one store: no update lost, no dot twice, no error of the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from memtend.clock import ManualClock, SystemClock
from memtend.drafting import Put
from memtend.memory import Memory
from memtend.store.snapshot import snapshot
from memtend.store.verify import verify_store

NS = "team/shared"
THREADS = 4
ROUNDS = 25


def in_threads(work: Any) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, range(THREADS)))


def test_threads_lose_nothing(memory: Memory) -> None:
    def work(number: int) -> list[int]:
        dots = []
        for n in range(ROUNDS):
            dots.append(memory.put(NS, f"own/{number}", n).n)
            memory.increment(NS, "count")
            memory.update(NS, "list", lambda old: [*old, number], [])
            memory.add(NS, "set", [number, n])
            assert memory.get(NS, f"own/{number}") == n
            memory.scan(NS, prefix="own/")
        return dots

    dots = [n for own in in_threads(work) for n in own]
    assert len(set(dots)) == THREADS * ROUNDS
    assert memory.get(NS, "count") == THREADS * ROUNDS
    updates = memory.get(NS, "list")
    assert [updates.count(number) for number in range(THREADS)] == [ROUNDS] * THREADS
    assert len(memory.members(NS, "set")) == THREADS * ROUNDS


def test_readers_see_whole_batches(memory: Memory) -> None:
    keys = [f"k{n}" for n in range(10)]
    memory.put_many([Put(NS, key, -1) for key in keys])

    def work(number: int) -> None:
        for n in range(ROUNDS):
            if number == 0:
                memory.put_many([Put(NS, key, n) for key in keys])
            else:
                found = memory.get_many(NS, keys)
                assert len(set(found.values())) == 1
                assert len(found) == 10
                with snapshot(memory.store) as view:
                    assert view.records == 10
                    assert len({row.value for row in view.rows()}) == 1

    in_threads(work)


def test_several_open_memories_write_at_once(lasting_url: str) -> None:
    clock = SystemClock()
    opened = [Memory.open(lasting_url, clock=clock, agent=f"a{n}") for n in range(THREADS)]

    def work(number: int) -> None:
        for n in range(ROUNDS):
            opened[number].put(f"agent/{number}", f"k{n}", n)
            opened[number].increment(NS, "count")
            opened[number].get(f"agent/{number}", f"k{n}")

    in_threads(work)
    memory = opened[0]
    assert memory.get(NS, "count") == THREADS * ROUNDS
    assert memory.stats().records == THREADS * ROUNDS + 1
    for one in opened[1:]:
        one.close()
    report = verify_store(memory.store)
    assert report.ok, report.findings
    memory.close()


def test_access_counts_of_threads_are_flushed_without_an_error(
    store_url: str, clock: ManualClock
) -> None:
    with Memory.open(store_url, clock=clock) as memory:
        memory.put_many([Put(NS, f"k{n}", n) for n in range(100)])
        memory._access.limit = 5

        def work(_: int) -> None:
            for n in range(100):
                memory.get(NS, f"k{n}")

        in_threads(work)
        memory.flush()
        assert verify_store(memory.store).ok


def test_a_reader_waits_for_no_writer(lasting_url: str, clock: ManualClock) -> None:
    """Not at the end, either: what it would have counted is given up."""
    with Memory.open(lasting_url, clock=clock) as writer:
        writer.put(NS, "k", 1)
        with writer.store.engine.write() as tx:
            tx.fetch("meta_locked")
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(read_once, lasting_url, clock).result() == 1


def read_once(url: str, clock: ManualClock) -> Any:
    with Memory.open(url, clock=clock) as reader:
        return reader.get(NS, "k")
