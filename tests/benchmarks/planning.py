"""`python -m tests.benchmarks.planning --records 1000000`: what it costs to plan in shards.

Every step runs in a process of its own, so that its CPU time and its memory are its own: the plan
of one process; frame, parts one after another, and joining of the same plan. How long `n` processes
would take is computed from these: the frame, the parts given to whoever is free, the joining. That
is what they take where there are processors for them; here there are two. A plan is checked to have
as many decisions.

Prints the table of docs/adr/0047-plans-in-shards.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from heapq import heapreplace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from memtend.archive.plan import ArchiveFrame, ArchivePart
from memtend.clock import SystemClock
from memtend.drafting import Put
from memtend.migrate.parts import MigrationFrame, MigrationPart
from memtend.model.policyfile import PolicyFile
from memtend.model.record import Labels
from memtend.plans import PartRef, load_part, save_part, save_plan
from memtend.prune.parts import PruneFrame, PrunePart
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.benchmarks.harness import chunks, expect
from tests.benchmarks.migrations import SAMPLE
from tests.benchmarks.prune import _item

NAMESPACES = 40
PROCESSES = (2, 8)
SHARDS_A_PROCESS = 4
MODELS: dict[str, tuple[Any, Any]] = {
    "prune": (PruneFrame, PrunePart),
    "archive": (ArchiveFrame, ArchivePart),
    "migrate": (MigrationFrame, MigrationPart),
}


class Took(NamedTuple):
    """One step in a process of its own. `answer` is what it says."""

    cpu_s: float
    grown_mib: float
    answer: Any


def step(url: str, folder: str, name: str, operation: str, *given: Any) -> Took:
    """Begin, look, join, or make the whole plan. Memory is what it grew by since it opened."""
    settings = Settings(plans_url=f"{folder}/plans", archive_url=f"{folder}/archive")
    with open_services(url, settings=settings, create=False) as services:
        before, began = _memory_mib(), time.process_time()
        answer = STEPS[name](services, f"{folder}/plans", operation, *given)
        return Took(time.process_time() - began, _memory_mib() - before, answer)


def _memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def _one(services: Services, url: str, operation: str) -> tuple[str, int]:
    plans: dict[str, Callable[[], Any]] = {
        "prune": services.plan_prune,
        "archive": services.plan_archive,
        "migrate": services.plan_migration,
    }
    plan = plans[operation]()
    return save_plan(plan, url, services.clock).sha256, len(plan.decisions)


def _begin(services: Services, url: str, operation: str, shards: int) -> tuple[PartRef, int]:
    begins: dict[str, Callable[..., Any]] = {
        "prune": services.begin_prune,
        "archive": services.begin_archive,
        "migrate": services.begin_migration,
    }
    frame = begins[operation](shards_max=shards)
    return save_part(frame, operation, url, services.clock), len(frame.shards)


def _look(
    services: Services, url: str, operation: str, frame: PartRef, count: int
) -> list[tuple[float, PartRef]]:
    looks: dict[str, Callable[..., Any]] = {
        "prune": services.look_prune,
        "archive": services.look_archive,
        "migrate": services.look_migration,
    }
    found = []
    for shard in range(count):
        began = time.process_time()
        part = looks[operation](load_part(frame, services.clock, MODELS[operation][0]), shard)
        ref = save_part(part, operation, url, services.clock)
        del part
        found.append((time.process_time() - began, ref))
    return found


def _join(
    services: Services, url: str, operation: str, frame: PartRef, refs: Sequence[PartRef]
) -> int:
    joins: dict[str, Callable[..., Any]] = {
        "prune": services.join_prune,
        "archive": services.join_archive,
        "migrate": services.join_migration,
    }
    frames, parts = MODELS[operation]
    found = (load_part(ref, services.clock, parts) for ref in refs)
    plan = joins[operation](load_part(frame, services.clock, frames), found)
    save_plan(plan, url, services.clock)
    return len(plan.decisions)


STEPS: dict[str, Callable[..., Any]] = {
    "one": _one, "begin": _begin, "look": _look, "join": _join,
}  # fmt: skip


def alone(*given: Any) -> Took:
    """In a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(step, *given).result()


def lines(url: str, folder: str, operation: str) -> Iterator[str]:
    one = alone(url, folder, "one", operation)
    said = f"{one.cpu_s:.1f} s, {one.grown_mib:,.0f} MiB"
    yield f"| {operation} | 1 | {one.answer[1]:,} | {said} | | | {one.cpu_s:.1f} s | 1 |"
    for processes in PROCESSES:
        shards = SHARDS_A_PROCESS * processes
        begun = alone(url, folder, "begin", operation, shards)
        frame, count = begun.answer
        looks = alone(url, folder, "look", operation, frame, count)
        refs = [ref for _, ref in looks.answer]
        joined = alone(url, folder, "join", operation, frame, refs)
        expect(joined.answer, one.answer[1], "decisions")
        free = [0.0] * processes
        for cpu_s, _ in looks.answer:
            heapreplace(free, free[0] + cpu_s)
        total_s = begun.cpu_s + max(free) + joined.cpu_s
        sizes = [Path(f"{folder}/plans/{ref.name}").stat().st_size for ref in refs]
        yield (
            f"| | {processes} | in {count} shards | "
            f"{looks.cpu_s:.1f} s, {looks.grown_mib:,.0f} MiB | "
            f"{sum(sizes) / 2**20:,.0f} MiB | {joined.cpu_s:.1f} s, {joined.grown_mib:,.0f} MiB | "
            f"{total_s:.1f} s | {one.cpu_s / total_s:.1f} |"
        )


def fill(url: str, records: int, share: float = 1.0) -> None:
    """A third patterns, decisions and solutions each, in namespaces of unequal size; a fifth of
    what they take is too much. Only that share of them is not important, and so may go."""
    now_ms, sample = SystemClock().now_ms(), json.loads(SAMPLE.read_text())
    with open_services(url, settings=Settings(durability="normal")) as services:
        for chunk in chunks(range(records), 5_000):
            puts = []
            for number in chunk:
                kind, value = _item(number, now_ms)
                if kind == "pattern":  # of an older version
                    value = {**sample[number % len(sample)], "id": f"{number:032x}"}
                importance = 0.4 if number % 1_000 < share * 1_000 else 0.9
                labels = Labels(kind=kind, agent=f"agent-{number % 100}", importance=importance)
                place = min(number * 7_919 % NAMESPACES, number * 104_729 % NAMESPACES)
                puts.append(
                    Put(f"bench/n{place:02}", f"k{number:08}", value, labels, created_ms=now_ms)
                )
            services.memory.put_many(puts)
        room = services.memory.stats().bytes * 4 // 5
        rules = {"settle_ms": 0, "store_bytes": room}
        cold = {"rules": [{"name": "large", "larger_than_bytes": 400, "importance_below": 0.5}]}
        file = PolicyFile.model_validate({"pruning": rules, "archive": cold})
        services.memory.config.set_policies(file, "benchmark")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--records", type=int, default=100_000)
    arguments.add_argument("--share", type=float, default=1.0)
    arguments.add_argument("--store", default="")
    arguments.add_argument("--operations", default="prune,archive,migrate")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="memtend-planning-") as folder:
        url = chosen.store or f"sqlite:///{folder}/store.db"
        fill(url, chosen.records, chosen.share)
        print("| plan | processes | | CPU, memory of each | parts | joining | takes | times |")
        print("|---|--:|---|---|--:|---|--:|--:|")
        for operation in chosen.operations.split(","):
            for line in lines(url, folder, operation):
                print(line, flush=True)


if __name__ == "__main__":
    main()
