"""A store with work for one flow, and what is to be seen once that work is done exactly once.

Each batch has names of its own, and a trail in the audit that counts every row that an operation
took: a row that was taken twice, or never, changes the sum.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import ormsgpack

from memtend.clock import SystemClock
from memtend.drafting import Put
from memtend.limits import SWEEP_MARGIN_MS
from memtend.policies import load_policies
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.snapshot import snapshot

DAY_MS = 24 * 3_600_000
LIVE = 4_000
DEAD = 1_200
COLD = 150
SAME_AS = 9  # records that say the same as one that stays; so few that nobody has to approve
TEXT = " ".join(sha256(str(n).encode()).hexdigest() for n in range(400))
SAME = {"note": "the build is slow on Mondays, " * 40, "seen": True}
POLICIES = "prune:\n  shields: {settle: 0s}\n"
_COUNT = re.compile(r"([0-9,]+) (?:expired )?records")


class Stage(NamedTuple):
    """One store with its backups and its archive; all of it below `folder`, or on PostgreSQL."""

    url: str
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        return {
            "MEMTEND_STORE_URL": self.url,
            "MEMTEND_BACKUP_URL": f"{self.folder}/backups",
            "MEMTEND_ARCHIVE_URL": f"{self.folder}/archive",
            "MEMTEND_PLANS_URL": f"{self.folder}/plans",
            "MEMTEND_REPORT_URL": f"{self.folder}/reports",
            "MEMTEND_MODELS_URL": f"{self.folder}/models",
        }

    @contextmanager
    def opened(self) -> Iterator[Services]:
        chosen = Settings(
            archive_url=f"{self.folder}/archive",
            backup_url=f"{self.folder}/backups",
            plans_url=f"{self.folder}/plans",
        )
        with open_services(self.url, settings=chosen) as services:
            yield services


class Batch(NamedTuple):
    """Work for one flow: how much the audit had counted before, and how much is to come."""

    flow: str
    name: str
    before: int
    rows: int


def begin(stage: Stage) -> None:
    """A store in which what was just written may be pruned."""
    with stage.opened() as services:
        services.memory.config.set_policies(load_policies(POLICIES), "owner")
        services.memory.put_many(
            [Put("task/alive", f"k{n}", {"n": n}, ttl_ms=0) for n in range(LIVE)]
        )


def prepare(stage: Stage, flow: str, name: str) -> Batch:
    """Write what the next run of the flow is to find."""
    before = counted(stage, flow)
    now = SystemClock().now_ms()
    if flow == "sweep":
        ended = now - 10 * SWEEP_MARGIN_MS
        puts = [
            Put(f"task/{name}", f"d{n}", {"n": n}, created_ms=ended - 1, expires_at_ms=ended)
            for n in range(DEAD)
        ]
        return _written(stage, puts, Batch(flow, name, before, DEAD))
    if flow == "archive":
        old = now - 30 * DAY_MS
        puts = [
            Put(f"report/{name}", f"r{n}", {"n": n, "text": TEXT}, ttl_ms=0, created_ms=old)
            for n in range(COLD)
        ]
        return _written(stage, puts, Batch(flow, name, before, COLD))
    if flow == "prune":
        puts = [
            Put(f"notes/{name}", f"n{n}", {"of": name, **SAME}, ttl_ms=0)
            for n in range(SAME_AS + 1)
        ]
        return _written(stage, puts, Batch(flow, name, before, SAME_AS))
    puts = [Put(f"plan/{name}", f"p{n}", {"n": n, "text": TEXT[n:]}, ttl_ms=0) for n in range(COLD)]
    return _written(stage, puts, Batch(flow, name, 0, 1))


def progress(stage: Stage, batch: Batch, runs: list[str]) -> int:
    """How much of a batch has been done by now: rows, or backups noted by these runs."""
    if batch.flow == "backup":
        return len(noted(stage, runs))
    return counted(stage, batch.flow) - batch.before


def wrong(stage: Stage, batch: Batch, runs: list[str]) -> list[str]:
    """What is not as if the run had been left alone."""
    found: list[str] = []
    done = progress(stage, batch, runs)
    if done != batch.rows:
        found.append(f"{batch.flow} {batch.name}: {done} done instead of {batch.rows}")
    with stage.opened() as services:
        memory = services.memory
        if batch.flow == "sweep":
            left = services.plan_sweep().to_delete()
            found += [f"{len(left)} expired records are still there"] if left else []
        if batch.flow == "archive":
            values = dict(memory.scan(f"report/{batch.name}", limit=10_000))
            whole = {f"r{n}": {"n": n, "text": TEXT} for n in range(COLD)}
            found += [] if values == whole else ["archived records do not read as before"]
        if batch.flow == "prune":
            kept = memory.scan(f"notes/{batch.name}", limit=100)
            found += [] if len(kept) == 1 else [f"{len(kept)} that say the same were kept"]
        alive = sum(1 for _ in memory.scan("task/alive", limit=10_000))
        found += [] if alive == LIVE else [f"{alive} of {LIVE} live records"]
    return found


def at_the_end(stage: Stage) -> list[str]:
    """The whole store and all that lies beside it, read to the last byte."""
    with stage.opened() as services:
        found = [str(one) for one in services.verify_store().findings]
        if (stage.folder / "backups").exists():
            backups = services.verify_backup(deep=True)
            found += [f"{one.kind}: {one.name}" for one in backups.findings if one.damage]
        before = services.memory.stats().records
        pruned = [one for one in services.prunings(limit=1_000) if one.undone_at is None]
        for one in pruned:
            services.undo_prune(one.plan)
        back = services.memory.stats().records - before
        took = sum(one.records for one in pruned)
        found += [] if back == took else [f"{took} records were pruned, {back} came back"]
        if (stage.folder / "archive").exists():
            found += [str(one) for one in services.verify_archive().findings]
    return found


def counted(stage: Stage, flow: str) -> int:
    """The rows that the audit trail says an operation took."""
    with stage.opened() as services, snapshot(services.store) as view:
        cells = [ormsgpack.unpackb(row.cells) for row in view.audit()]
    total = 0
    for _, action, _, detail, _ in cells:
        if action == flow and (match := _COUNT.match(str(detail))):
            total += int(match[1].replace(",", ""))
    return total


def noted(stage: Stage, runs: list[str]) -> list[str]:
    """The backups that these runs took; each run takes one."""
    with stage.opened() as services:
        if not (stage.folder / "backups" / "manifests").exists():
            return []
        notes = [one.why for one in services.backups().backups]
    return [note for note in notes if any(note.endswith(f"[run {run}]") for run in runs)]


def _written(stage: Stage, puts: list[Put], batch: Batch) -> Batch:
    with stage.opened() as services:
        services.memory.put_many(puts)
    return batch
