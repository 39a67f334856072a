"""Many values, damaged ones, plans that were saved, runs that were cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import MigrationWrong, RehearsalFailed
from memtend.memory import Memory
from memtend.migrate import apply as applying
from memtend.migrate.apply import Recasting
from memtend.migrate.casting import Forward, Move
from memtend.migrate.plan import MigrationPlan
from memtend.migrate.rehearse import compare_copy
from memtend.migrate.sums import Sums
from memtend.model.migrated import MIGRATED
from memtend.model.record import Labels
from memtend.plans import load_plan, save_plan
from memtend.services import Services, open_services
from memtend.serving.recasts import Source
from memtend.store import recasting
from memtend.upcast.family import AML
from tests.fixtures.aging import NOW_MS, NS, item, keep, migrated, settings_in, version_at
from tests.fixtures.stores import blob, run_sql

PATTERN = Labels(kind="pattern")


def test_one_bad_item_among_ten_thousand(aging: Services) -> None:
    """It blocks nothing but itself, and nothing is as long as the store."""
    values = [item(n) for n in range(6)]
    bad = 7_321
    for start in range(0, 10_000, 1_000):
        aging.memory.put_many(
            Put(NS, f"p{n:05d}", values[n % 6] | ({"version": "x"} if n == bad else {}), PATTERN)
            for n in range(start, start + 1_000)
        )
    plan = aging.plan_migration()
    assert (plan.planned, plan.of(Move.REFUSED)) == (9_999, 1)
    assert len(plan.model_dump_json()) < 4_000
    report = aging.apply_migration(plan, rehearsal=False)
    assert (report.written, report.refused, report.kept[0].key) == (9_999, 1, f"p{bad:05d}")
    assert report.slices > 5
    assert report.notes == ("10,000 rows verified",)


def test_a_damaged_row_is_left_and_told(tmp_path: Path, aging: Services) -> None:
    keep(aging.memory, *range(4))
    damaged = blob(aging.memory, b'{"id": "somebody changed this"}')
    run_sql(aging.memory, f"UPDATE sibling SET value = {damaged} WHERE seq = 2")
    plan = aging.plan_migration()
    assert (plan.planned, plan.refused[0].why) == (3, "its hash does not match")
    assert aging.rehearse_migration(plan).rows == 3
    report = aging.apply_migration(plan)
    assert (report.written, report.refused) == (3, 1)
    assert "damaged" in report.notes[0]
    aging.apply_restore(aging.plan_restore(manifest=report.manifest))


@pytest.mark.parametrize("column", ["flags", "size", "agent", "content", "hash", "body", "ns"])
def test_whatever_stands_in_a_column_blocks_only_its_row(tmp_path: Path, column: str) -> None:
    """A row of which only copies are damaged is migrated, which mends them."""
    chosen, mended = settings_in(tmp_path), column in ("agent", "content")
    with open_services("sqlite://", settings=chosen, clock=ManualClock(NOW_MS)) as services:
        keep(services.memory, *range(4), agent="ada")
        run_sql(services.memory, f"UPDATE sibling SET {column} = 'no such thing' WHERE seq = 2")
        plan = services.plan_migration()
        assert (plan.planned, plan.of(Move.REFUSED)) == (3 + mended, 1 - mended)
        run = services._new_run(plan, plan.found, Source("", ""), "running")
        work = Recasting(
            services.store, Forward(AML, "2.0.0", run.run), run, lease=None,
            squeeze=services._as_stored(),
        )  # fmt: skip
        assert work.work(plan.basis).written == 3 + mended
        assert services.verify_store().ok is mended


def test_a_saved_plan_is_the_one_that_was_rehearsed(aging: Services) -> None:
    keep(aging.memory, 1)
    ref = save_plan(aging.plan_migration(), aging.settings.plans_url, aging.clock)
    aging.rehearse_migration(load_plan(ref, aging.clock, MigrationPlan))
    assert aging.apply_migration(load_plan(ref, aging.clock, MigrationPlan)).rehearsed


def test_the_same_plan_finishes_what_was_cut_off(
    aging: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sums go on where they were, and are those of the rehearsal in the end."""
    monkeypatch.setattr(applying, "_FIRST_ROWS", 2)
    keep(aging.memory, *range(9))
    plan = aging.plan_migration()
    rehearsal = aging.rehearse_migration(plan)
    real, left = recasting.renew, [1]

    def failing(*given: object, **named: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(*given, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as cut:
        cut.setattr(recasting, "renew", failing)
        with pytest.raises(KeyboardInterrupt):
            aging.apply_migration(plan)
    done = sum(version_at(aging.memory, n) == "2.0.0" for n in range(9))
    assert 0 < done < 9
    assert aging.migration_history()[0].state == "running"
    report = aging.apply_migration(plan)
    assert (report.run, report.values) == (rehearsal.run, rehearsal.values)
    assert (report.written, report.changed_since) == (9, 0)
    assert len(aging.migration_history()) == 1


def test_a_new_plan_finishes_it_too(aging: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(aging.memory, *range(4))
    plan = aging.plan_migration()
    run = aging._new_run(plan, plan.found, aging._backed_up(plan.basis, None), "running")
    aging.store.ballast.fill()
    with aging._maintaining("test") as lease:
        aging._begin(run, lease)
    assert migrated(aging).written == 4
    assert [one.state for one in aging.migration_history()] == ["done", "failed"]


def test_what_differs_from_the_rehearsal_is_told(
    aging: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(aging.memory, *range(4))
    plan = aging.plan_migration()
    aging.rehearse_migration(plan)
    real = Forward.__call__

    def other(self: Forward, aged: recasting.Aged) -> object:
        look = real(self, aged)
        return look and look._replace(content=look.content + 1)

    with monkeypatch.context() as wrong:
        wrong.setattr(Forward, "__call__", other)
        with pytest.raises(MigrationWrong):
            aging.apply_migration(plan)
    assert aging.migration_history()[0].state == "failed"
    restored = aging.plan_rollback_restore()
    aging.apply_restore(restored)
    assert {version_at(aging.memory, n) for n in range(4)} == {"1.0.0"}


@pytest.mark.parametrize("lost", ["undo", "label"])
def test_a_rehearsal_notices_a_way_back_that_is_none(
    aging: Services, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """Nothing live is touched by it."""
    aging.memory.put(NS, "k", item(1) | {"timestamp": "2026-09-05T07:10:59.1Z"}, labels=PATTERN)
    real = Forward._extra

    def forgetful(self: Forward, aged: recasting.Aged, *given: object) -> bytes:
        if lost == "undo":
            return real(self, aged, given[0], given[1], None)  # type: ignore[arg-type]
        return b"\x80"

    monkeypatch.setattr(Forward, "_extra", forgetful)
    with pytest.raises(RehearsalFailed):
        aging.rehearse_migration(aging.plan_migration())
    assert version_at(aging.memory, 1) == ""
    [told] = aging.memory.siblings(NS, "k")
    assert MIGRATED not in told.labels.extra


def test_a_copy_that_is_another_one_is_noticed() -> None:
    with Memory.open("sqlite://", clock=ManualClock(NOW_MS)) as memory:
        keep(memory, *range(3))
        with memory.store.engine.snapshot() as before:
            run_sql(memory, f"UPDATE sibling SET hash = {blob(memory, b'x' * 16)}")
            with memory.store.engine.snapshot() as after, pytest.raises(RehearsalFailed):
                compare_copy(before, after, 3)
            run_sql(memory, "DELETE FROM sibling")
            with memory.store.engine.snapshot() as after:
                assert compare_copy(before, after, 3).missing == (1, 2, 3)
                assert compare_copy(after, before, 3).changed == 3


def test_sums_tell_parts_apart() -> None:
    one, two = Sums(), Sums()
    for seq in range(1_000):
        one.add(seq, seq * 7)
        two.add(seq, seq * 7)
    assert (one.compared(two), one.digest == two.digest) == ((64, 0), True)
    again = Sums.heard(one.told())
    assert (again.digest, again.rows) == (one.digest, 1_000)
    two.add(1_000, 3)
    one.add(1_001, 3)
    assert one.compared(two) == (62, 0)
    one.add(1_002, 5)
    two.add(1_002, 6)
    assert one.compared(two) == (62, 1)
