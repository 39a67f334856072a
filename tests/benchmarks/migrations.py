"""Migrations of values 1.0.0 → 2.0.0, in CPU seconds, beside what the original program took.

The original read its files, moved every item and wrote them back in 1.27 CPU seconds for 10,000
items, 1.74 with its backup before; for other sizes the same per item is assumed. Ours are patterns
of the sample as an import leaves them, in a SQLite file. The first two rows do what it did: read,
cast, write, without and with a backup. The others say what the protocol around it costs, which the
original had nothing of: a plan that casts every value, a rehearsal on a restored copy with a look
at every row, the verification of the whole store, and the way back.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from memtend.drafting import Put
from memtend.migrate.apply import Recasting
from memtend.migrate.casting import Forward
from memtend.migrate.plan import MigrationPlan
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.migrations import Migration
from memtend.upcast.family import AML
from tests.benchmarks.harness import Row, chunks, expect, undisturbed

SAMPLE = Path(__file__).parents[1] / "golden/legacy/aml-1.0.0/memory/agent-0/patterns.json"
ORIGINAL_S, ORIGINAL_WITH_BACKUP_S = 1.27e-4, 1.74e-4  # an item
SHARE = 0.2
ROUNDS = 3
AGENTS = 10


def rows(folder: Path, size: int) -> Iterator[Row]:
    """One row for each part; every round works on a store of its own."""
    rounds = [
        _round(folder / str(number), size) for number in range(ROUNDS if size <= 10_000 else 1)
    ]
    for name, per_item_s, target in (
        ("migrate 1.0.0 to 2.0.0", ORIGINAL_S, SHARE),
        ("migrate, with a backup before", ORIGINAL_WITH_BACKUP_S, SHARE),
        ("migrate, the plan", ORIGINAL_S, None),
        ("migrate, whole protocol", ORIGINAL_WITH_BACKUP_S, None),
        ("migrate, taken back", ORIGINAL_WITH_BACKUP_S, None),
    ):
        ours, baseline = [one[name] for one in rounds], per_item_s * size
        ratios = [mine / baseline for mine in ours]
        against = "the original" + (", with backup" if per_item_s != ORIGINAL_S else "")
        yield Row(
            name, size, "CPU s", median(ours), against, baseline,
            median(ratios), min(ratios), max(ratios), target, "lower", rounds=len(ours),
        )  # fmt: skip


def _round(folder: Path, size: int) -> dict[str, float]:
    folder.mkdir(parents=True)
    settings = Settings(backup_url=str(folder / "backups"), plans_url=str(folder / "plans"))
    took: dict[str, float] = {}
    with open_services(f"sqlite:///{folder}/store.db", settings=settings) as services:
        _fill(services, size)
        backup_s, _ = _cpu(lambda: services.take_backup(full=True))
        plan_s, plan = _cpu(services.plan_migration)
        expect(plan.planned, size, "planned")
        write_s, written = _cpu(lambda: _written(services, plan))
        expect(written, size, "written")
        _check(services, size, "2.0.0")
    shutil.rmtree(folder / "backups")
    for file in folder.glob("store.db*"):
        file.unlink()
    with open_services(f"sqlite:///{folder}/store.db", settings=settings) as services:
        _fill(services, size)
        whole_s, _ = _cpu(lambda: _whole(services))
        back_s, taken = _cpu(lambda: services.apply_rollback(services.plan_rollback()))
        expect(taken.written, size, "taken back")
        _check(services, size, "1.0.0")
    shutil.rmtree(folder)
    took["migrate 1.0.0 to 2.0.0"] = write_s
    took["migrate, with a backup before"] = backup_s + write_s
    took["migrate, the plan"] = plan_s
    took["migrate, whole protocol"] = whole_s
    took["migrate, taken back"] = back_s
    return took


def _fill(services: Services, size: int) -> None:
    sample = json.loads(SAMPLE.read_text())
    for numbers in chunks(range(size), 1_000):
        services.memory.put_many([_put(sample, number) for number in numbers])


def _put(sample: list[dict[str, Any]], number: int) -> Put:
    name = f"{number:032x}"
    agent = f"agent-{number % AGENTS}"
    lineage = {
        "kind": "aml", "path": f"{agent}/patterns.json", "id": name, "format": "1.0.0",
        "version": "1.0.0", "import_id": name, "digest": name * 2, "run": name,
    }  # fmt: skip
    told = Labels(
        kind="pattern", agent=agent, confidence=0.4, success_count=3, failure_count=1,
        extra={"import": lineage},
    )  # fmt: skip
    value = sample[number % len(sample)] | {"id": name, "agent": agent}
    return Put(f"agent/{agent}/patterns", name, value, told)


def _written(services: Services, plan: MigrationPlan) -> int:
    """The deed alone, as `apply_migration` does it under its lease."""
    run = Migration(
        services.clock.new_id(), "values", plan.family, plan.found, plan.wanted, plan.digest, "",
        "running", "{}", services.clock.now_ms(),
    )  # fmt: skip
    looker = Forward(AML, plan.wanted, run.run)
    work = Recasting(services.store, looker, run, squeeze=services._as_stored(), lease=None)
    return work.work(plan.basis).written


def _whole(services: Services) -> None:
    plan = services.plan_migration()
    services.rehearse_migration(plan)
    services.apply_migration(plan)


def _check(services: Services, size: int, version: str) -> None:
    found = {one.found: one.count for one in services.detect_migrations()}
    expect(found, {version: size}, "versions")
    expect(services.verify_store().damage_count, 0, "damage")


def _cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    with undisturbed():
        began = time.process_time()
        answer = work()
        return time.process_time() - began, answer
