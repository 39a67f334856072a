"""A real store backed up a hundred times, rotated, verified, compared: on each engine."""

from __future__ import annotations

from pathlib import Path

from memtend.backup.rotation_plan import RotationPlan
from memtend.clock import ManualClock
from memtend.limits import GARBAGE_GRACE_MS
from memtend.model.retention import Retention
from memtend.plans import load_plan, save_plan
from memtend.services import open_services
from memtend.settings import Settings

HOUR_MS = 3_600_000
DAYS = 5


def test_a_long_history_is_thinned_and_stays_whole(lasting_url: str, tmp_path: Path) -> None:
    """Twenty increments a day; every kept one is whole, and gives what the store held then."""
    clock = ManualClock()
    settings = Settings(store_url=lasting_url, backup_url=str(tmp_path / "backups"))
    with open_services(settings=settings, clock=clock) as services:
        memory = services.memory
        held: dict[str, dict[str, object]] = {}
        for number in range(20 * DAYS):
            memory.put("n", f"k{number % 17}", number)
            memory.put("m", f"k{number}", "x" * 50)
            memory.delete("n", f"k{(number * 5) % 17}")
            report = services.take_backup()
            held[report.manifest] = dict(memory.scan("n"))
            clock.advance(24 * HOUR_MS / 20)
        kinds = {one.kind for one in services.plan_rotation().decisions}
        assert kinds >= {"full", "incremental"}

        retention = Retention(within_ms=6 * HOUR_MS, daily=3, max_age_ms=4 * 24 * HOUR_MS)
        plan = services.plan_rotation(retention=retention)
        ref = save_plan(plan, str(tmp_path / "plans"), clock)
        again = load_plan(ref, clock, RotationPlan)
        assert again == plan
        first = services.apply_rotation(again)
        assert first.deleted == len(plan.to_delete()) > 20
        clock.advance(GARBAGE_GRACE_MS)
        second = services.apply_rotation(services.plan_rotation(retention=retention))
        assert (second.deleted, second.objects_deleted > 0) == (0, True)

        found = services.verify_backup()
        assert (found.findings, len(found.whole)) == ((), first.kept)
        kept = services.plan_rotation(retention=retention).decisions
        assert [f"manifests/{one.key}" for one in kept] == list(found.whole)
        for name in found.whole:
            keys = services.inspect_keys(name, "n")
            values = {one.key: services.inspect_record(name, "n", one.key) for one in keys}
            assert {key: one.value for key, (one,) in values.items()} == held[name]
        assert services.diff_backups(found.whole[-1]).same
        third = services.take_backup()
        assert third.kind == "incremental"
        assert services.verify_backup().ok
