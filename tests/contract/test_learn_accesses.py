"""The sample of accesses: what gets in, how it is halved, what takes it out again."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.limits_learning import ACCESS_SMALL_STORE, ACCESS_STEP_MS
from memtend.memory import Memory
from memtend.model.policyfile import PolicyFile
from memtend.model.subject import Subject
from memtend.services import Services
from memtend.settings import Settings
from memtend.store.accessed import accesses_of
from memtend.store.accesslog import tidy
from memtend.store.sampled import MISS, READ, WRITE, Sample, below, digest_of, hash_of
from tests.fixtures.stores import run_sql

NS = "notes"


def rows(memory: Memory) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Time and sort of every sampled access of the keys that these tests use, by path."""
    memory.flush()
    names = {digest_of((NS, f"k{n}")): (NS, f"k{n}") for n in range(9_000)}
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    columns = accesses_of(memory.store)
    for digest, at_ms, what in sorted(
        zip(columns.digest, columns.at_ms, columns.what, strict=True), key=lambda one: one[1:]
    ):
        found.setdefault(names[digest], []).append((at_ms, what))
    return found


def sample(memory: Memory) -> Sample:
    with memory.store.engine.snapshot() as reader:
        return Sample.now(reader)


def learn(memory: Memory, **said: Any) -> None:
    memory.config.set_policies(PolicyFile(learning=said), "operator")


def put_all(memory: Memory, count: int) -> None:
    for start in range(0, count, 1_000):
        memory.put_many([Put(NS, f"k{n}", n) for n in range(start, min(start + 1_000, count))])


def test_reads_writes_and_their_times(memory: Memory, clock: ManualClock) -> None:
    began = clock.now_ms()
    memory.put(NS, "k1", "x" * 100)
    clock.advance(5_000)
    for _ in range(3):
        memory.get(NS, "k1")
    clock.advance(ACCESS_STEP_MS)
    memory.get(NS, "k1")
    memory.flush()
    clock.advance(60_000)
    memory.get(NS, "k1")
    times = [(0, WRITE), (5_000, READ), (6_000, READ), (66_000, READ)]
    assert rows(memory) == {(NS, "k1"): [(began + ms, what) for ms, what in times]}
    found = accesses_of(memory.store)
    assert (len(found), found.rate, found.since_ms) == (4, 1.0, began)
    assert found.until_ms == clock.now_ms()
    assert set(found.size) == {memory.store.meta().size}
    assert [found.names[ns] for ns in found.ns] == [NS] * 4
    assert len(accesses_of(memory.store, began + 6_000)) == 2
    assert len(accesses_of(memory.store, namespaces=["other"])) == 0


def test_a_miss_counts_where_something_is_missed(memory: Memory, clock: ManualClock) -> None:
    memory.put(NS, "k1", 1, ttl_ms=1_000)
    memory.put(NS, "k2", 1)
    memory.delete(NS, "k2")
    clock.advance(2_000)
    for key in ("k1", "k2", "k3"):  # expired, deleted on purpose, never there
        assert memory.get(NS, key) is None
    found = rows(memory)
    assert {path: [what for _, what in events] for path, events in found.items()} == {
        (NS, "k1"): [WRITE, MISS],
        (NS, "k2"): [WRITE],
    }


def test_what_was_swept_or_pruned_is_missed(memory: Memory, clock: ManualClock) -> None:
    services = Services(memory, Settings())
    memory.put(NS, "k1", 1, ttl_ms=1_000)
    clock.advance(3_600_000)
    services.apply_sweep(services.plan_sweep())
    assert memory.store.engine.read("get", (memory.store.namespaces.ids[NS][0], "k1")) == []
    memory.get(NS, "k1")
    columns = rows(memory)[NS, "k1"]
    assert [what for _, what in columns] == [WRITE, MISS]


def test_the_sample_is_the_keys_below_the_bound(memory: Memory) -> None:
    learn(memory, accesses_max=1_000)
    put_all(memory, 3_000)
    found, now = rows(memory), sample(memory)
    assert now.halvings == 2
    assert set(found) == {
        (NS, f"k{n}") for n in range(3_000) if hash_of((NS, f"k{n}")) < below(now.halvings)
    }
    assert accesses_of(memory.store).rate == 0.25
    assert run_sql(memory, "SELECT count(*) FROM access_log") == [(now.rows,)]


def test_a_store_that_has_grown_is_sampled_more_thinly(memory: Memory) -> None:
    put_all(memory, ACCESS_SMALL_STORE - 1)
    assert set(rows(memory)) == {(NS, f"k{n}") for n in range(ACCESS_SMALL_STORE - 1)}
    memory.put(NS, f"k{ACCESS_SMALL_STORE}", 1)
    found = rows(memory)
    assert sample(memory).halvings == 4
    assert all(hash_of(path) < below(4) for path in found)
    assert 150 < len(found) < 380


def test_histories_stay_whole_when_it_is_halved(memory: Memory, clock: ManualClock) -> None:
    put_all(memory, 600)
    for _ in range(3):
        clock.advance(10_000)
        for n in range(600):
            memory.get(NS, f"k{n}")
        memory.flush()
    before = rows(memory)
    assert {len(events) for events in before.values()} == {4}
    learn(memory, accesses_max=1_300)
    clock.advance(10_000)
    memory.get(NS, min(before, key=hash_of)[1])
    after = rows(memory)
    assert sample(memory).halvings == 1
    kept = {path for path in before if hash_of(path) < below(1)}
    assert set(after) == kept
    assert {path: events[:4] for path, events in after.items()} == {
        path: before[path] for path in kept
    }


def test_what_is_old_goes_and_an_empty_sample_begins_anew(
    memory: Memory, clock: ManualClock
) -> None:
    services = Services(memory, Settings())
    learn(memory, accesses_max=1_000, accesses_keep_ms=3_600_000)
    put_all(memory, 1_500)
    memory.flush()
    assert sample(memory).halvings == 1
    clock.advance(3_000_000)
    path = min(((NS, f"k{n}") for n in range(1_500)), key=hash_of)
    memory.get(*path)
    memory.flush()
    clock.advance(1_800_000)
    services.apply_sweep(services.plan_sweep())
    assert list(rows(memory)) == [path]
    assert sample(memory) == Sample(1, 1)
    clock.advance(3_600_000)
    services.apply_sweep(services.plan_sweep())
    assert sample(memory) == Sample(0, 0)


def test_what_a_clock_that_ran_ahead_has_noted_is_left_out_and_goes(
    memory: Memory, clock: ManualClock
) -> None:
    """Another machine's, of the same store, or this one's before it was set back."""
    services = Services(memory, Settings())
    memory.put(NS, "k1", 1)
    memory.flush()
    for ahead_ms, kept in ((60_000, 2), (200 * 24 * 3_600_000, 1)):
        clock.jump(ahead_ms)
        clock.accept()
        memory.get(NS, "k1")
        memory.flush()
        clock.jump(-ahead_ms)
        clock.accept()
        assert services.plan_ttl().accesses == 1
        tidy(memory.store, {})
        assert run_sql(memory, "SELECT count(*) FROM access_log") == [(kept,)]
        run_sql(memory, "DELETE FROM access_log WHERE what = 0")


def test_where_nobody_wants_it_there_is_none(memory: Memory) -> None:
    put_all(memory, 10)
    memory.flush()
    learn(memory, accesses=False)
    memory.get(NS, "k1")
    memory.put(NS, "k2", 1)
    services = Services(memory, Settings())
    assert len(rows(memory)) == 10
    services.apply_sweep(services.plan_sweep())
    assert rows(memory) == {}
    learn(memory)
    memory.get(NS, "k3")
    assert set(rows(memory)) == {(NS, "k3")}


def test_what_was_erased_meanwhile_is_not_written(memory: Memory, tmp_path: Path) -> None:
    settings = Settings(plans_url=str(tmp_path / "plans"), archive_url=str(tmp_path / "archive"))
    services = Services(memory, settings)
    put_all(memory, 20)
    memory.flush()
    for key in ("k1", "k2"):
        report = services.apply_erase(services.plan_erase(Subject.of_record(NS, key)))
        assert report.residue == 0
    memory.store.accesses.add((NS, "k1"), 5, READ)  # as another process may have noted it before
    assert set(rows(memory)) == {(NS, f"k{n}") for n in range(20)} - {(NS, "k1"), (NS, "k2")}
    report = services.apply_erase(services.plan_erase(Subject.of_namespace(NS)))
    assert report.residue == 0
    memory.store.accesses.add((NS, "k3"), 6, READ)
    assert rows(memory) == {}


def test_threads_share_it_and_a_thread_that_ends_loses_nothing(memory: Memory) -> None:
    put_all(memory, 40)

    def read(first: int) -> None:
        for n in range(first, first + 10):
            memory.get(NS, f"k{n}")
        memory.store.engine.leave()

    threads = [threading.Thread(target=read, args=(first,)) for first in (0, 10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sorts = [[what for _, what in events] for events in rows(memory).values()]
    assert sorts == [[READ, WRITE]] * 40  # within one millisecond


@pytest.fixture
def forked(tmp_path: Path, clock: ManualClock) -> Iterator[Memory]:
    with Memory.open(f"sqlite:///{tmp_path}/store.db", clock=clock) as memory:
        yield memory


def test_a_fork_writes_nothing_twice(forked: Memory, clock: ManualClock) -> None:
    began = clock.now_ms()
    put_all(forked, 2)
    clock.advance(2_000)
    child = os.fork()
    if not child:
        forked.get(NS, "k1")
        forked.flush()
        os._exit(len(forked.store.accesses.taken()))
    assert os.waitpid(child, 0)[1] == 0
    clock.advance(2_000)
    assert rows(forked) == {
        (NS, "k0"): [(began, WRITE)],
        (NS, "k1"): [(began, WRITE), (began + 2_000, READ)],
    }
