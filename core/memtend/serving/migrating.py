"""Moving stored values to a newer version of their format, and back.

    plan = services.plan_migration()
    services.rehearse_migration(plan)          # on a restored copy; nothing live is touched
    report = services.apply_migration(plan)    # refused unless this very plan was rehearsed

A backup is taken before, and restored by the rehearsal: so it is known to be whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from memtend.clock import to_ms
from memtend.errors import LeaseHeld, MigrationNotRehearsed, MigrationUnknown
from memtend.guard import clear, refuse_foreign
from memtend.serving.recasts import ACTOR, OF, VALUES, Recasts, Source, family_named, told
from memtend.store import archived, migrations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtend.backup.restore_plan import RestorePlan
    from memtend.migrate.parts import MigrationFrame, MigrationPart
    from memtend.migrate.plan import MigrationPlan, RollbackPlan, VersionCount
    from memtend.migrate.report import MigrationReport, MigrationRun, Pending, Rehearsal
    from memtend.store.migrations import Migration

_MAY_HAVE_WRITTEN: Final = ("running", "done", "failed")


class Migrating(Recasts):
    """Migrations of the values of one store."""

    def pending_migrations(self, family: str | None = None, *, full: bool = False) -> Pending:
        """What is older than this program's newest version. Costs what changed since it was last
        asked; `full` looks at everything."""
        from memtend.migrate.pending import pending  # noqa: PLC0415

        chosen = family_named(family)
        return pending(self.store, chosen, chosen.newest, full=full)

    def detect_migrations(self, family: str | None = None) -> tuple[VersionCount, ...]:
        """How many values of each kind and version there are. Looks at all of them."""
        from memtend.migrate.casting import Forward  # noqa: PLC0415
        from memtend.migrate.plan import plan_migration  # noqa: PLC0415

        chosen = family_named(family)
        looker = Forward(chosen, chosen.newest, casting=False)
        looks = self._looks(looker, self.store.meta().seq)
        return plan_migration(looks, chosen, chosen.newest, self.facts()).counts

    def plan_migration(self, family: str | None = None, to: str | None = None) -> MigrationPlan:
        """What moving every older value to version `to`, else the newest, would do."""
        frame = self.begin_migration(family, to)
        return self.join_migration(frame, [self.look_migration(frame, 0)])

    def begin_migration(
        self, family: str | None = None, to: str | None = None, *, shards_max: int = 1
    ) -> MigrationFrame:
        """The same for several processes, as `serving/planning.py` has it for other plans."""
        from memtend.migrate.plan import frame_of  # noqa: PLC0415

        chosen = family_named(family)
        wanted = to or chosen.newest
        if wanted not in chosen.versions:
            raise MigrationUnknown(what=f"version {wanted[:64]!r} of {chosen.name}")
        return frame_of(chosen, wanted, self.facts(), shards_max)

    def look_migration(self, frame: MigrationFrame, shard: int) -> MigrationPart:
        """What would become of the rows in one shard of the frame."""
        from memtend.migrate.casting import Forward  # noqa: PLC0415
        from memtend.migrate.plan import look  # noqa: PLC0415

        looker = Forward(family_named(frame.family), frame.wanted)
        after, upto = frame.shards[shard]
        return look(self._looks(looker, upto, after), frame, shard)

    def join_migration(
        self, frame: MigrationFrame, parts: Iterable[MigrationPart]
    ) -> MigrationPlan:
        """The plan of the whole store; raises `PlanIncomplete`."""
        from memtend.migrate.plan import join  # noqa: PLC0415

        return join(frame, parts)

    def rehearse_migration(
        self, plan: MigrationPlan, target: str | None = None, *, scratch: str | None = None
    ) -> Rehearsal:
        """Carry the plan out on a restored copy and look at every row; raises `RehearsalFailed`.

        Takes the backup that the migration will name, unless one has it all already.
        """
        from memtend.migrate.report import Rehearsal  # noqa: PLC0415
        from memtend.serving.rehearsing import rehearse  # noqa: PLC0415

        refuse_foreign(plan, self.facts())  # the guard would refuse it in the end
        began = self.clock.monotonic_ns()
        source = self._backed_up(plan.basis, target)
        run = self._new_run(plan, plan.found, source, "rehearsed")
        family = family_named(plan.family)
        done = rehearse(
            self, plan, family, run, source, squeeze=self._as_stored(), scratch=scratch
        )  # fmt: skip
        self._is_verified(source)
        made = done.progress.told()
        facts = {"url": source.url, "rehearsal": {n: made[n] for n in ("written", "sums")}}
        ended = run._replace(facts=told(facts), ended_ms=self.clock.now_ms())
        with self.store.change(ACTOR) as (change, _):
            migrations.save(change.tx, ended)
            change.note("rehearse", f"run {run.run}, {done.progress.written} records")
        return Rehearsal(
            run=run.run,
            plan=plan.digest,
            family=plan.family,
            wanted=plan.wanted,
            manifest=source.manifest,
            url=source.url,
            checks=done.checks,
            rows=done.progress.written,
            refused=done.progress.refused,
            values=done.progress.sums.digest,
            seconds=(self.clock.monotonic_ns() - began) / 1e9,
        )

    def apply_migration(
        self, plan: MigrationPlan, *, rehearsal: bool = True, target: str | None = None
    ) -> MigrationReport:
        """Carry the plan out; raises `MigrationNotRehearsed`, `MigrationWrong`, `PlanForeign`,
        `PlanStale`.

        Applying the same plan again finishes a run that was cut off. Without `rehearsal` a backup
        is taken and read back instead.
        """
        from memtend.migrate.casting import Forward  # noqa: PLC0415

        family = family_named(plan.family)
        with self._maintaining("migration") as lease:
            clear(plan, lease=lease, facts=self.facts(), safety=self._safety())
            run = self._rehearsed(plan)
            if run is None and rehearsal:
                raise MigrationNotRehearsed(wanted=f"{plan.family} {plan.wanted}")
            if run is None:
                source = self._backed_up(plan.basis, target, verify=True)
                run = self._new_run(plan, plan.found, source, "running")
            elif run.state == "rehearsed":
                run = self._with_backup(plan, run, target)
            return self._carry_out(plan, run, Forward(family, plan.wanted, run.run), lease)

    def plan_rollback(self, run: str | None = None) -> RollbackPlan:
        """What taking back a run, the newest if none is named, would do to each row it wrote."""
        from memtend.migrate.casting import Backward  # noqa: PLC0415
        from memtend.migrate.plan import plan_rollback  # noqa: PLC0415

        found = self.migration_run(run)
        if OF in orjson.loads(found.facts):
            raise MigrationUnknown(what=f"way back from {found.run}, which is one itself")
        facts = self.facts()
        looks = self._looks(Backward(family_named(found.family), found.run), facts.seq)
        return plan_rollback(looks, found, facts)

    def apply_rollback(self, plan: RollbackPlan, target: str | None = None) -> MigrationReport:
        """Carry it out, after a backup. What somebody has written since stays as it is."""
        from memtend.migrate.casting import Backward  # noqa: PLC0415

        undone = self.migration_run(plan.run)
        looker = Backward(family_named(plan.family), plan.run)
        with self._maintaining("rollback of a migration") as lease:
            clear(plan, lease=lease, facts=self.facts(), safety=self._safety())
            source = self._backed_up(plan.basis, target, verify=True)
            run = self._new_run(plan, undone.wanted, source, "running", of=undone.run)
            return self._carry_out(plan, run, looker, lease, undone)

    def plan_rollback_restore(
        self, run: str | None = None, target: str | None = None
    ) -> RestorePlan:
        """Bringing back the whole store as it was before a run: all that came since goes, too.
        `apply_restore` carries it out."""
        found = self.migration_run(run)
        url = target or orjson.loads(found.facts).get("url")
        return self.plan_restore(url, manifest=found.manifest)

    def migration_history(self) -> tuple[MigrationRun, ...]:
        """Every run over values or the schema, newest first."""
        from memtend.migrate.report import run_of  # noqa: PLC0415

        return tuple(map(run_of, reversed(self._runs())))

    def migration_run(self, run: str | None = None) -> Migration:
        """A run over values by its id or how that begins; the newest that can be taken back if none
        is named. Raises `MigrationUnknown`."""
        runs = [one for one in self._runs() if one.what == VALUES]
        if run is None:
            able = (one for one in runs if one.state in _MAY_HAVE_WRITTEN)
            found = [one for one in able if OF not in orjson.loads(one.facts)][-1:]
        else:
            found = [one for one in runs if run and one.run.startswith(run)]
        if len(found) != 1:
            what = f"single migration {run[:64]!r}" if run else "migration to take back"
            raise MigrationUnknown(what=what)
        return found[0]

    def _rehearsed(self, plan: MigrationPlan) -> Migration | None:
        """The run that this very plan was rehearsed as, or was begun as and cut off. What was
        rehearsed before a restore says nothing of what that brought."""
        digest, since_ms = plan.digest, to_ms(archived.state_since(self.store))
        states = ("rehearsed", "running")
        runs = [one for one in self._runs() if one.plan == digest and one.state in states]
        return runs[-1] if runs and runs[-1].began_ms >= since_ms else None

    def _with_backup(self, plan: MigrationPlan, run: Migration, target: str | None) -> Migration:
        """The rehearsed run, with another backup where the rehearsal's has gone since."""
        facts = orjson.loads(run.facts)
        if self._is_there(Source(run.manifest, facts["url"])):
            return run
        source = self._backed_up(plan.basis, target, verify=True)
        facts["url"] = source.url
        return run._replace(manifest=source.manifest, facts=told(facts))

    def migrate_at_start(self) -> Pending | MigrationReport | None:
        """What `MEMTEND_MIGRATE` wants of a program that starts: `check` says what is pending,
        `auto` migrates it with backup and rehearsal, `off` looks at nothing.

        Where somebody else holds the store or the place of its backups, as another program that
        starts at the same time, what is pending is left to the next start: it is read all the same.
        """
        if self.settings.migrate == "off":
            return None
        found = self.pending_migrations()
        if self.settings.migrate == "check" or not found:
            return found
        plan = self.plan_migration()
        if not plan.planned:
            return found
        try:
            self.rehearse_migration(plan)
            return self.apply_migration(plan)
        except LeaseHeld:
            return self.pending_migrations()
