"""The sweep over claude-flow's own database: what has expired goes, and nothing else happens."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from memtend.clock import ManualClock
from memtend.errors import ClockAlarmed, ForeignSweepRefused, SourceUnknown, StoreBusy
from memtend.limits import CLOCK_ALARM_MS, SWEEP_MARGIN_MS
from memtend.limits_foreign import FOREIGN_SLICE_ROWS
from memtend.migrate import foreign_sweep
from memtend.migrate.foreign_sweep import (
    ClearedSweep,
    apply_foreign_sweep,
    clear_foreign_sweep,
    plan_foreign_sweep,
)
from memtend.model.plan import Report
from tests.fixtures.claude_flow import NOON, SCHEMA, rows
from tests.fixtures.cli import Cli
from tests.fixtures.foreign import another_program, made, snapshot
from tests.fixtures.killing import KILLED, in_child

pytest_plugins = ["tests.fixtures.cli"]

GOLDEN = Path(__file__).parents[1] / "golden/legacy/claude-flow"
FILL = (
    "INSERT INTO memory_entries (key, value, expires_at) WITH RECURSIVE n(i) AS "
    "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT 'k' || i, 'v', {} FROM n"
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON * 1_000 + SWEEP_MARGIN_MS)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    (tmp_path / ".swarm").mkdir()
    return made(tmp_path / ".swarm/memory.db", *SCHEMA)


def sweep(path: Path, clock: ManualClock, share: float = 0.25) -> Report:
    plan = plan_foreign_sweep(path, clock)
    return apply_foreign_sweep(clear_foreign_sweep(plan, clock, share), clock)


def keys(path: Path) -> set[str]:
    with closing(connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {key for (key,) in database.execute("SELECT key FROM memory_entries")}


def test_what_has_expired_goes_and_the_rest_stays(tmp_path: Path, clock: ManualClock) -> None:
    root = Path(shutil.copytree(GOLDEN, tmp_path / "source"))
    path, before = root / ".swarm/memory.db", snapshot(root)
    plan = plan_foreign_sweep(root, clock)
    over = {row[0] for row in rows(60) if row[-1] is not None and row[-1] <= NOON}
    assert {one.key for one in plan.decisions} == over
    assert (plan.total, plan.expired) == (60, 28)
    assert plan.decisions[0].reason.startswith("expired 2025-10-26 12:39:08")
    assert snapshot(root) == before
    report = apply_foreign_sweep(clear_foreign_sweep(plan, clock), clock)
    assert (report.planned, report.deleted, report.changed_since) == (28, 28, 0)
    assert len(keys(path)) == 32
    assert path.stat().st_size == len(before[".swarm/memory.db"].data)  # type: ignore[union-attr]
    assert apply_foreign_sweep(clear_foreign_sweep(plan, clock), clock).changed_since == 28
    assert sweep(path, clock).planned == 0


def test_a_deadline_is_over_a_minute_later(theirs: Path) -> None:
    made(theirs, FILL.format(1, NOON))
    early = ManualClock(NOON * 1_000 + SWEEP_MARGIN_MS - 1)
    assert sweep(theirs, early).deleted == 0
    early.advance(1)
    assert sweep(theirs, early).deleted == 1


def test_what_nobody_can_read_or_place_in_time_stays(theirs: Path, clock: ManualClock) -> None:
    made(
        theirs,
        "INSERT INTO memory_entries (key, value, expires_at) VALUES ('zero', '', 0), "
        "('none', '', NULL), ('garbage', '', 'soon'), ('naive', '', '2020-01-01T00:00:00'), "
        "('iso', '', '2020-01-01T00:00:00Z'), ('ms', '', 1600000000000), "
        "('later', '', 4000000000), (x'00', '', 5), ('float', '', 1600000000.5)",
    )
    plan = plan_foreign_sweep(theirs, clock)
    assert {one.key for one in plan.decisions} == {"iso", "ms", "float"}
    assert plan.undated == 3
    report = sweep(theirs, clock)
    assert report.deleted == 3
    assert "3 rows have a deadline that nobody can read, and stay" in report.notes


def test_the_brake_of_a_sweep(theirs: Path, clock: ManualClock) -> None:
    made(theirs, FILL.format(1_001, NOON), "INSERT INTO memory_entries (key, value) VALUES (1, 2)")
    before = snapshot(theirs.parent)
    with pytest.raises(ForeignSweepRefused, match=r"1,001 of 1,002 rows \(100%\)"):
        sweep(theirs, clock)
    assert snapshot(theirs.parent) == before
    assert sweep(theirs, clock, share=1.0).deleted == 1_001
    assert keys(theirs) == {"1"}


def test_a_clock_that_jumped_sweeps_nothing(theirs: Path, clock: ManualClock) -> None:
    made(theirs, FILL.format(1, NOON))
    plan = plan_foreign_sweep(theirs, clock)
    clock.jump(2 * CLOCK_ALARM_MS)
    with pytest.raises(ClockAlarmed):
        clear_foreign_sweep(plan, clock)
    with pytest.raises(TypeError):
        ClearedSweep(plan, object())


def test_a_row_that_was_renewed_or_replaced_stays(theirs: Path, clock: ManualClock) -> None:
    made(theirs, FILL.format(4, NOON))
    cleared = clear_foreign_sweep(plan_foreign_sweep(theirs, clock), clock)
    made(theirs, f"UPDATE memory_entries SET expires_at = {NOON + 9} WHERE key = 'k1'",
         "UPDATE memory_entries SET key = 'other' WHERE key = 'k2'",
         "DELETE FROM memory_entries WHERE key = 'k3'")  # fmt: skip
    report = apply_foreign_sweep(cleared, clock)
    assert (report.deleted, report.changed_since) == (1, 3)
    assert keys(theirs) == {"k1", "other"}


def test_a_running_program_goes_on(theirs: Path, clock: ManualClock) -> None:
    made(theirs, FILL.format(100, NOON))
    with another_program(theirs, "db.execute('PRAGMA journal_mode = wal')",
                         f"db.execute('UPDATE memory_entries SET expires_at = {NOON + 99} '"
                         "           'WHERE id = 7')"):  # fmt: skip
        assert sweep(theirs, clock, share=1).deleted == 99
        assert keys(theirs) == {"k7"}


def test_a_locked_file_is_busy(
    theirs: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign_sweep, "FOREIGN_BUSY_WAIT_MS", 10)
    made(theirs, "PRAGMA journal_mode = wal", FILL.format(3, NOON))
    with another_program(theirs, "db.execute('BEGIN IMMEDIATE')"):
        cleared = clear_foreign_sweep(plan_foreign_sweep(theirs, clock), clock)
        with pytest.raises(StoreBusy):
            apply_foreign_sweep(cleared, clock)
    assert len(keys(theirs)) == 3


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE TRIGGER t AFTER DELETE ON memory_entries BEGIN "
         "DELETE FROM memory_entries; END", "set off more: trigger t"),
        ("CREATE TABLE children (id REFERENCES Memory_Entries(id) ON DELETE CASCADE)",
         "set off more: foreign key of children"),
    ],
)  # fmt: skip
def test_deleting_sets_off_nothing(
    theirs: Path, clock: ManualClock, statement: str, why: str
) -> None:
    made(theirs, FILL.format(2, NOON), statement)
    with pytest.raises(ForeignSweepRefused, match=why):
        sweep(theirs, clock)
    assert keys(theirs) == {"k1", "k2"}


def test_what_is_not_whole_or_of_another_program_is_refused(
    theirs: Path, clock: ManualClock
) -> None:
    made(theirs, FILL.format(900, NOON))
    data = theirs.read_bytes()
    theirs.write_bytes(data[:-4_096])
    with pytest.raises(ForeignSweepRefused, match=r"damaged|malformed"):
        plan_foreign_sweep(theirs, clock)
    theirs.write_bytes(data)
    plan = plan_foreign_sweep(theirs, clock)
    link = theirs.with_name("link.db")
    link.symlink_to(theirs)
    linked = plan.model_copy(update={"path": str(link)})
    with pytest.raises(ForeignSweepRefused, match="symbolic link"):
        apply_foreign_sweep(clear_foreign_sweep(linked, clock, 1), clock)
    theirs.unlink()
    made(theirs, "CREATE TABLE memory_entries (key, value, namespace)")
    with pytest.raises(SourceUnknown, match="no column expires_at"):
        plan_foreign_sweep(theirs, clock)
    assert len(keys(theirs)) == 0


class DyingClock(ManualClock):
    """Ends the process the n-th time that somebody looks at elapsed time."""

    def __init__(self, looks: int) -> None:
        super().__init__(NOON * 1_000 + SWEEP_MARGIN_MS)
        self.looks = looks

    def monotonic_ns(self) -> int:
        self.looks -= 1
        if self.looks == 0:
            os._exit(KILLED)
        return super().monotonic_ns()


def test_a_crash_leaves_rows_that_the_next_sweep_deletes(theirs: Path, clock: ManualClock) -> None:
    count = 5 * FOREIGN_SLICE_ROWS
    made(theirs, FILL.format(count, NOON), FILL.format(3, NOON + 9_999).replace("'k'", "'s'"))

    def swept_until(looks: int) -> Callable[[], object]:
        return lambda: sweep(theirs, DyingClock(looks), share=1)

    left = len(keys(theirs))
    for looks in (2, 3, 5, 7):
        assert in_child(swept_until(looks)) == KILLED
        now = keys(theirs)
        assert now >= {"s1", "s2", "s3"}
        assert len(now) <= left
        left = len(now)
    assert 3 < left < count + 3
    sweep(theirs, clock, share=1)
    assert keys(theirs) == {"s1", "s2", "s3"}


def test_the_command(bare_cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / ".swarm", tmp_path / ".swarm")
    shown = bare_cli("claude-flow", "sweep", ".")
    assert "would delete 30 of 60 rows (50%)" in shown.told
    assert "swarm/researcher/status-1" in shown.out
    assert bare_cli("claude-flow", "sweep", ".", "--json").json["expired"] == 30
    done = bare_cli("claude-flow", "sweep", ".swarm/memory.db", "--apply")
    assert done.out.startswith("deleted       30")
    assert "the file keeps its size" in done.told
    assert bare_cli("claude-flow", "sweep", ".", "--apply", "--json").json["deleted"] == 0
    made(tmp_path / ".swarm/memory.db", FILL.format(1_500, NOON))
    refused = bare_cli("claude-flow", "sweep", ".", "--apply")
    assert refused.status == ForeignSweepRefused.code
    assert "--delete-share-max" in refused.told
    assert bare_cli("claude-flow", "sweep", ".", "--apply", "--delete-share-max", "1").status == 0
