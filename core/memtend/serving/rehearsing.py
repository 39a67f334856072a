"""A migration on a copy: the backup is restored into a scratch file, the plan is carried out there,
and what comes out is held against what went in, row by row.

What must hold: the copy has the rows of the live store; all that the plan does not name stays byte
by byte; from each row that it does, the way back leads to exactly what was; the copy is whole.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memtend.errors import RehearsalFailed
from memtend.limits import REPORT_NAMES_MAX
from memtend.memory import Memory
from memtend.migrate.apply import Progress, Recasting, Squeeze
from memtend.migrate.casting import Backward, Forward
from memtend.migrate.rehearse import compare_copy, compare_run
from memtend.migrate.report import RehearsalCheck
from memtend.serving.fresh import apply_fresh, plan_fresh
from memtend.store.verify import verify_store

if TYPE_CHECKING:
    from memtend.migrate.plan import MigrationPlan
    from memtend.serving.base import Serving
    from memtend.serving.recasts import Source
    from memtend.store.migrations import Migration
    from memtend.store.store import Store
    from memtend.upcast.family import Family


class Rehearsed(NamedTuple):
    progress: Progress
    checks: tuple[RehearsalCheck, ...]


def rehearse(
    serving: Serving,
    plan: MigrationPlan,
    family: Family,
    run: Migration,
    source: Source,
    *,
    squeeze: Squeeze,
    scratch: str | None,
) -> Rehearsed:
    """Carry `plan` out on a copy and look at it; raises `RehearsalFailed`. The copy is removed."""
    beside = f"{serving.store.engine.path}.key" if serving.store.engine.path else None
    key_path = serving.settings.key_path or (Path(beside) if beside else None)
    settings = serving.settings.model_copy(update={"key_path": key_path})
    with tempfile.TemporaryDirectory(prefix="memtend-rehearsal-", dir=scratch) as folder:
        place = f"{folder}/rehearsal.db"
        restore = plan_fresh(
            settings, serving.clock, source.url, manifest=source.manifest, compare=False
        )
        restored = apply_fresh(restore, place, settings, serving.clock)
        checks = [_check("restore", f"{restored.rows:,} records of {source.manifest} restored")]
        key = str(key_path) if key_path else None
        with Memory.open(
            place, clock=serving.clock, create=False, durability="normal", key_path=key
        ) as memory:
            checks.append(_copy(serving.store, memory.store, plan.basis))
            with memory.store.engine.snapshot() as before:
                there, back = Forward(family, plan.wanted, run.run), Backward(family, run.run)
                progress = Recasting(
                    memory.store, there, run, squeeze=squeeze, lease=None
                ).work(plan.basis)  # fmt: skip
                with memory.store.engine.snapshot() as after:
                    compared = compare_run(memory.store, before, after, back)
            if compared.moved != progress.written:
                why = f"{compared.moved:,} rows are new where {progress.written:,} were written"
                raise RehearsalFailed(why=why)
            checks.append(_check("untouched", f"{compared.untouched:,} rows stayed as they were"))
            checks.append(_check("way back", f"{compared.moved:,} rows lead back to what was"))
            checks.append(_verified(memory.store))
    return Rehearsed(progress, tuple(checks))


def _copy(live: Store, copy: Store, basis: int) -> RehearsalCheck:
    with live.engine.snapshot() as mine, copy.engine.snapshot() as theirs:
        copied = compare_copy(mine, theirs, basis)
    sound = _sound(live, copied.missing)
    if sound:
        why = f"{len(sound):,} rows are not in the restored copy, among them {sound[0]}"
        raise RehearsalFailed(why=why)
    fact = f"{copied.alike:,} row hashes equal those of the live store"
    if copied.changed:
        fact += f"; {copied.changed:,} rows have changed since"
    if copied.missing:
        fact += f"; {len(copied.missing):,} damaged rows are in no backup"
    return _check("copy", fact)


def _sound(live: Store, seqs: tuple[int, ...]) -> list[str]:
    """Those of the rows that are whole: a backup leaves out no such row."""
    from memtend.codec.envelope import is_sound, path_of, prefix_of  # noqa: PLC0415

    found = []
    for row in live.engine.read("by_seq", (live.engine.array(list(seqs)),)):
        _, ns, key, field, _, _, exp, flags, *_, packed, value, digest = row
        namespace = live.namespaces.paths.get(ns, "")
        path = path_of(key, field)
        if is_sound(prefix_of(namespace), path, flags, exp, packed, value, digest):
            found.append(f"{namespace}/{key}")
    return found[:REPORT_NAMES_MAX]


def _verified(store: Store) -> RehearsalCheck:
    report = verify_store(store)
    if not report.ok:
        first = report.findings[0]
        raise RehearsalFailed(why=f"{first.where}: {first.why}")
    return _check("verify", f"{report.rows:,} rows of the migrated copy verified")


def _check(name: str, fact: str) -> RehearsalCheck:
    return RehearsalCheck(name=name, ok=True, fact=fact)
