"""A sweep over claude-flow's own database, whose cleanup never fires: plan, guard, apply, report.

    plan = plan_foreign_sweep(path, clock)             # reads only, like an import
    cleared = clear_foreign_sweep(plan, clock)         # the same brake as the sweep of a store
    report = apply_foreign_sweep(cleared, clock)

**This is the one module that writes to a file of another program.** It deletes rows whose
`expires_at` has passed by more than a minute, and does nothing else: no schema, no pragma that
lasts, no VACUUM. Each row is looked at again in the transaction that deletes it, and stays if its
deadline, key or namespace is another by then. A crash leaves rows that the next sweep deletes.

A row is kept where its deadline is no moment or has no zone: only what is certainly over goes. A
database is refused where deleting would do more than delete: where triggers or foreign keys hang on
the table, where it is damaged, or where its journal belongs to a transaction over several files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from memtend.clock import Clock, to_datetime
from memtend.errors import ClockAlarmed, ForeignSweepRefused, StoreBusy
from memtend.limits import SWEEP_MARGIN_MS, SWEEP_ROWS_FREE, SWEEP_SHARE_MAX
from memtend.limits_foreign import FOREIGN_BUSY_WAIT_MS, FOREIGN_SLICE_ROWS, FOREIGN_SWEEP_ROWS_MAX
from memtend.migrate.claude_flow import COLUMNS, KIND
from memtend.migrate.foreign_connection import FAILURES, said
from memtend.migrate.foreign_copy import look_at, refuse_super_journal, uri_of
from memtend.migrate.foreign_db import Damaged, ForeignDb, Row, opened
from memtend.migrate.foreign_schema import refuse_long_schema
from memtend.migrate.swarm_place import TABLE, located, wanted_columns
from memtend.model.plan import Action, Decision, Plan, Report
from memtend.model.timestamps import NotATime, parse_moment
from memtend.model.unreadable import Unreadable
from memtend.slices import Slices

OPERATION: Final = "claude-flow sweep"
_BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
_DELETE: Final = (
    f"DELETE FROM {TABLE} WHERE rowid = ? AND expires_at IS ? AND key IS ? AND namespace IS ?"  # noqa: S608
)
_HANGING: Final = """
    SELECT type || ' ' || name FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = ?
    UNION ALL
    SELECT 'foreign key of ' || m.name FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
    WHERE m.type = 'table' AND lower(f."table") = ?
"""
_MADE_HERE: Final = object()


class ForeignDecision(Decision, frozen=True, extra="forbid"):
    """One row of the file: `seq` is its number, `expires_at` its deadline as it stands there."""

    expires_at: int | float | str


class ForeignSweepPlan(Plan, frozen=True, extra="forbid"):
    """What a sweep would delete. `expired` counts all of it, `decisions` as many as one run takes;
    `undated` rows have a deadline that nobody can read."""

    decisions: tuple[ForeignDecision, ...] = ()
    path: str
    expired: int = 0
    undated: int = 0

    @property
    def expired_share(self) -> float:
        return self.expired / self.total if self.total else 0.0


class ClearedSweep:
    """A plan that may be carried out; only `clear_foreign_sweep` makes one."""

    __slots__ = ("plan",)

    def __init__(self, plan: ForeignSweepPlan, proof: object) -> None:
        if proof is not _MADE_HERE:
            raise TypeError("only clear_foreign_sweep() makes a ClearedSweep")
        self.plan = plan


def plan_foreign_sweep(root: Path, clock: Clock) -> ForeignSweepPlan:
    """Which rows of the file at or below `root` have outlived their deadline. Changes nothing."""
    path, _ = located(root, KIND)
    now_ms = clock.now_ms()
    try:
        with opened(path) as database:
            wanted_columns(database, COLUMNS | {"expires_at"}, KIND)
            if database.damage is not None:
                raise Unreadable(f"it is damaged: {database.damage}")
            return _plan(database, path, now_ms)
    except Unreadable as error:
        raise ForeignSweepRefused(path=path, why=str(error)) from None


def clear_foreign_sweep(
    plan: ForeignSweepPlan, clock: Clock, delete_share_max: float = SWEEP_SHARE_MAX
) -> ClearedSweep:
    """Refuse a plan that would delete too much, or under a clock that jumped."""
    if clock.alarm_ms is not None:
        raise ClockAlarmed(operation=OPERATION, error_s=clock.alarm_ms / 1_000)
    if plan.expired > SWEEP_ROWS_FREE and plan.expired_share > delete_share_max:
        why = (
            f"{plan.expired:,} of {plan.total:,} rows ({plan.expired_share:.0%}) have expired; "
            f"the limit is {delete_share_max:.0%}"
        )
        raise ForeignSweepRefused(path=plan.path, why=why)
    return ClearedSweep(plan, _MADE_HERE)


def apply_foreign_sweep(cleared: ClearedSweep, clock: Clock) -> Report:
    """Delete what the plan names, in short transactions. Safe to repeat."""
    plan = cleared.plan
    path = Path(plan.path)
    began = clock.monotonic_ns()
    slices = Slices(clock, first=16, least=1, most=FOREIGN_SLICE_ROWS)
    deleted = freed = 0
    try:
        with closing(_writable(path)) as database:
            for batch in slices.of(plan.decisions):
                gone = slices.timed(_delete, database, batch)
                deleted += len(gone)
                freed += sum(decision.size_bytes for decision in gone)
    except FAILURES as error:
        raise _explained(error, path) from None
    except Unreadable as error:
        raise ForeignSweepRefused(path=path, why=str(error)) from None
    return Report(
        operation=OPERATION,
        applied=True,
        planned=len(plan.decisions),
        deleted=deleted,
        changed_since=len(plan.decisions) - deleted,
        bytes_freed=freed,
        slices=slices.count,
        longest_lock_ms=slices.longest_ms,
        seconds=(clock.monotonic_ns() - began) / 1e9,
        notes=tuple(_notes(plan)),
    )


def _plan(database: ForeignDb, path: Path, now_ms: int) -> ForeignSweepPlan:
    decisions: list[ForeignDecision] = []
    total = expired = undated = 0
    for row in database.rows(TABLE):
        total += 1
        if isinstance(row, Damaged):
            raise Unreadable(f"rows cannot be read: {row.why}")
        ends_ms = _deadline(row)
        undated += ends_ms is None
        if ends_ms and ends_ms + SWEEP_MARGIN_MS <= now_ms:
            expired += 1
            if len(decisions) < FOREIGN_SWEEP_ROWS_MAX:
                decisions.append(_decision(row, ends_ms))
    return ForeignSweepPlan(
        operation=OPERATION, store_id=str(path), made_at=to_datetime(now_ms), basis=0, total=total,
        decisions=tuple(decisions), truncated=expired > len(decisions), path=str(path),
        expired=expired, undated=undated,
    )  # fmt: skip


def _deadline(row: Row) -> int | None:
    """Milliseconds, 0 for a row that lives on, None for what nobody can tell."""
    stated = row.values["expires_at"]
    if stated is None or stated == 0:
        return 0
    if not all(isinstance(row.values[name], str) for name in ("key", "namespace")):
        return None
    try:
        moment = parse_moment(stated)
    except NotATime:
        return None
    return None if moment.naive else moment.ms


def _decision(row: Row, ends_ms: int) -> ForeignDecision:
    # Not validated again: there may be a hundred thousand, and each part was looked at.
    return ForeignDecision.model_construct(
        action=Action.DELETE,
        namespace=row.values["namespace"],
        key=row.values["key"],
        seq=row.rowid,
        reason=f"expired {to_datetime(ends_ms).isoformat(' ', 'seconds')}",
        size_bytes=sum(len(part) for part in row.values.values() if isinstance(part, str | bytes)),
        expires_at=row.values["expires_at"],
    )


def _writable(path: Path) -> sqlite3.Connection:
    """The file, opened as its own program does; raises `Unreadable` if that would not be safe."""
    look_at(path)
    refuse_super_journal(path)
    refuse_long_schema(path)
    database = sqlite3.connect(
        uri_of(path, "mode=rw"), uri=True, isolation_level=None, timeout=FOREIGN_BUSY_WAIT_MS / 1e3
    )
    try:
        for pragma in ("trusted_schema = OFF", "foreign_keys = OFF", "recursive_triggers = OFF"):
            database.execute(f"PRAGMA {pragma}")
        _refuse_hanging(database)
    except BaseException:
        database.close()
        raise
    return database


def _refuse_hanging(database: sqlite3.Connection) -> None:
    kinds = database.execute(
        "SELECT type, rootpage > 0 FROM sqlite_schema WHERE lower(name) = ?", (TABLE,)
    ).fetchall()
    if kinds != [("table", 1)]:
        raise Unreadable(f"{TABLE} is no plain table")
    hanging = database.execute(_HANGING, (TABLE, TABLE)).fetchall()
    if hanging:
        raise Unreadable(f"deleting rows would set off more: {hanging[0][0]}")


def _delete(
    database: sqlite3.Connection, batch: Sequence[ForeignDecision]
) -> list[ForeignDecision]:
    """One transaction: what is still as it was planned goes, and is returned."""
    gone: list[ForeignDecision] = []
    database.execute("BEGIN IMMEDIATE")
    try:
        _refuse_hanging(database)  # the file is anybody's between two transactions
        for one in batch:
            row: tuple[Any, ...] = (one.seq, one.expires_at, one.key, one.namespace)
            if database.execute(_DELETE, row).rowcount:
                gone.append(one)
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    return gone


def _explained(error: Exception, path: Path) -> ForeignSweepRefused | StoreBusy:
    if getattr(error, "sqlite_errorname", "").startswith(_BUSY):
        return StoreBusy(url=path, waited_s=FOREIGN_BUSY_WAIT_MS / 1e3, why=str(error))
    return ForeignSweepRefused(path=path, why=said(error))


def _notes(plan: ForeignSweepPlan) -> Iterator[str]:
    yield "the file keeps its size; its own program uses the free pages again"
    if plan.truncated:
        yield f"{plan.expired - len(plan.decisions):,} more have expired: sweep again"
    if plan.undated:
        yield f"{plan.undated:,} rows have a deadline that nobody can read, and stay"
