"""What migrating and taking back have in common: the backup before, the line in the history, the
run under the lease, and the look at the store after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from memtend.clock import to_ms
from memtend.errors import (
    BackupUnknown,
    MigrationUnknown,
    MigrationWrong,
    NoBackup,
    RepositoryForeign,
)
from memtend.limits import SLICE_ROWS_MAX
from memtend.serving.backups import Backups
from memtend.serving.restores import Restores
from memtend.serving.rotations import Rotations
from memtend.store import archived, catalog, migrations
from memtend.store.migrations import Migration

if TYPE_CHECKING:
    from memtend.migrate.apply import Progress, Squeeze
    from memtend.migrate.casting import Backward, Forward, Look
    from memtend.migrate.plan import RecastPlan
    from memtend.migrate.report import MigrationReport
    from memtend.model.lease import Lease
    from memtend.store.restating import Squeezed
    from memtend.upcast.family import Family

ACTOR: Final = "migrate"
VALUES: Final = "values"
OF: Final = "of"
"""In the facts of a run that takes another one back: which."""


class Source(NamedTuple):
    """The backup that was taken before a run, and where it is."""

    manifest: str
    url: str


def family_named(name: str | None) -> Family:
    """A family of versions by its name, the only one if none is given."""
    from memtend.upcast.family import FAMILIES  # noqa: PLC0415

    for family in FAMILIES:
        if name in (None, family.name):
            return family
    raise MigrationUnknown(what=f"family of versions {str(name)[:64]!r}")


class Recasts(Restores, Rotations, Backups):
    """Runs over the values of one store."""

    def _looks(self, looker: Forward | Backward, upto: int, after: int = 0) -> Iterator[Look]:
        from memtend.store.recasting import pages  # noqa: PLC0415

        for page in pages(self.store, looker.kinds, after, upto, SLICE_ROWS_MAX):
            for aged in page:
                look = looker(aged)
                if look is not None:
                    yield look

    def _backed_up(self, basis: int, target: str | None, *, verify: bool = False) -> Source:
        """A backup that holds everything up to `basis`: one that is verified already, or a new one.

        With `verify` it is read back whole; a rehearsal does that by restoring it.
        """
        self.memory.flush()
        url = self._target(target).url
        last = catalog.newest(self.store, url)
        since_ms = to_ms(archived.state_since(self.store))
        covers = last is not None and last.seq >= basis and last.at_ms > since_ms
        if last is not None and covers and last.verified_ms is not None:
            known = Source(last.manifest, url)
            if self._is_there(known):
                return known
        source = Source(self.take_backup(target, "before a migration").manifest, url)
        if verify:
            self._read_back(source)
        return source

    def _is_there(self, source: Source) -> bool:
        """Whether a backup that was found whole is still listed where it was put."""
        from memtend.serving.wishing import open_repository, wishing  # noqa: PLC0415

        try:
            repository = open_repository(source.url, self.settings, self.clock)
            with wishing(repository, self.store, None, source.manifest):
                return True
        except (RepositoryForeign, NoBackup, BackupUnknown):
            return False

    def _read_back(self, source: Source) -> None:
        """Read every object of a backup; raises where it is not whole."""
        from memtend.serving.wishing import open_repository, wishing  # noqa: PLC0415

        repository = open_repository(source.url, self.settings, self.clock)
        with wishing(repository, self.store, None, source.manifest) as (_, wished):
            streams = (wished.rows(), wished.log(), wished.side(), wished.chosen.audit(),
                       wished.access())  # fmt: skip
            for stream in streams:
                for _row in stream:
                    pass
            wished.check()
        self._is_verified(source)

    def _is_verified(self, source: Source) -> None:
        last = catalog.newest(self.store, source.url)
        if last is not None and last.manifest == source.manifest:
            verified = last._replace(verified_ms=self.clock.now_ms())
            catalog.record(self.store, verified, "verify")

    def _new_run(
        self, plan: RecastPlan, found: str, source: Source, state: migrations.State, **facts: Any
    ) -> Migration:
        # No two begin at once, so that history has an order.
        began_ms = max([self.clock.now_ms(), *(one.began_ms + 1 for one in self._runs()[-1:])])
        return Migration(
            self.clock.new_id(), VALUES, plan.family, found, plan.wanted, plan.digest,
            source.manifest, state, told({"url": source.url, **facts}), began_ms,
        )  # fmt: skip

    def _runs(self) -> list[Migration]:
        """Oldest first."""
        return migrations.opened(self.store.engine.read("migrations"), self.store.url)

    def _as_stored(self) -> Squeeze:
        from memtend.drafting import compressed  # noqa: PLC0415
        from memtend.store.restating import Squeezed  # noqa: PLC0415

        config = self.memory.config

        def squeeze(namespace: str, key: str, kind: str, text: bytes) -> Squeezed:
            known = config.dictionaries.get(kind)
            data, codec, number = compressed(text, config.policy(namespace, key).compression, known)
            return Squeezed(data, codec, number)

        return squeeze

    def _carry_out(
        self,
        plan: RecastPlan,
        run: Migration,
        looker: Forward | Backward,
        lease: Lease,
        undone: Migration | None = None,
    ) -> MigrationReport:
        """Write, compare with the rehearsal, verify the store, and say in the history how it went.

        A run that is cut off stays `running`; the next one says that it was.
        """
        from memtend.migrate.apply import Recasting  # noqa: PLC0415
        from memtend.migrate.casting import Move  # noqa: PLC0415

        began = self.clock.monotonic_ns()
        run = run._replace(state="running", ended_ms=None)
        self._begin(run, lease)
        recasting = Recasting(
            self.store, looker, run, squeeze=self._as_stored(), lease=lease
        )  # fmt: skip
        progress = recasting.work(plan.basis)
        wrong = _differs(recasting.facts, progress)
        checked = self.verify_values(lease)
        seconds = (self.clock.monotonic_ns() - began) / 1e9
        facts = _summed(recasting.facts, progress) | {"seconds": round(seconds, 3)}
        ended = run._replace(
            state="failed" if wrong else "done", facts=told(facts), ended_ms=self.clock.now_ms()
        )
        stays = wrong or progress.moves.get(Move.MOVED_ON)
        self._end(ended, None if stays else undone, lease)
        if wrong:
            raise MigrationWrong(run=run.run, why=wrong)
        return _report(plan, ended, progress, seconds, checked)

    def verify_values(self, lease: Lease) -> tuple[str, ...]:
        """What a verification of the whole store finds, in words."""
        from memtend.store.verify import verify_store  # noqa: PLC0415

        found = verify_store(self.store)
        if found.ok:
            return (f"{found.rows:,} rows verified",)
        first = found.findings[0]
        return (f"{found.damage_count:,} damaged parts: {first.where}: {first.why}",)

    def _begin(self, run: Migration, lease: Lease) -> None:
        """Nobody else works under the lease: whatever is called running was cut off."""
        cut = [one for one in self._runs() if one.state == "running" and one.run != run.run]
        with self.store.change(ACTOR, (), lease) as (change, _):
            for one in cut:
                if one.what == VALUES:
                    migrations.save(change.tx, one._replace(state="failed", ended_ms=change.now_ms))
            migrations.save(change.tx, run)

    def _end(self, run: Migration, undone: Migration | None, lease: Lease) -> None:
        with self.store.change(ACTOR, (), lease) as (change, _):
            migrations.save(change.tx, run)
            if undone is not None:
                migrations.save(change.tx, undone._replace(state=migrations.ROLLED_BACK))
            change.note(ACTOR, f"run {run.run} is {run.state}")


def told(facts: dict[str, Any]) -> str:
    return orjson.dumps(facts).decode()


def _differs(facts: dict[str, Any], progress: Progress) -> str:
    """How what was written differs from what the rehearsal made; "" where it does not."""
    from memtend.migrate.sums import Sums  # noqa: PLC0415

    rehearsal = facts.get("rehearsal")
    if not rehearsal:
        return ""
    same, wrong = progress.sums.compared(Sums.heard(rehearsal["sums"]))
    return f"{wrong:,} of {same:,} parts have another sum" if wrong else ""


def _summed(facts: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """What stays of a run that has ended: its digests, without the parts."""
    from memtend.migrate.sums import Sums  # noqa: PLC0415

    made = {name: fact for name, fact in progress.told().items() if name not in ("sums", "cursor")}
    kept = {name: fact for name, fact in facts.items() if name not in ("sums", "cursor")}
    if rehearsal := kept.get("rehearsal"):
        digest = Sums.heard(rehearsal["sums"]).digest
        kept["rehearsal"] = {"written": rehearsal["written"], "values": digest}
    return kept | made | {"values": progress.sums.digest, "slices": progress.slices}


def _report(
    plan: RecastPlan, run: Migration, progress: Progress, seconds: float, notes: tuple[str, ...]
) -> MigrationReport:
    from memtend.migrate.casting import Move  # noqa: PLC0415
    from memtend.migrate.report import MigrationReport  # noqa: PLC0415

    facts = orjson.loads(run.facts)
    return MigrationReport(
        operation=plan.operation,
        applied=True,
        planned=plan.planned,
        written=progress.written,
        unchanged=progress.moves.get(Move.CURRENT, 0),
        changed_since=max(0, plan.planned - progress.written),
        refused=progress.refused,
        slices=progress.slices,
        longest_lock_ms=progress.longest_ms,
        seconds=seconds,
        notes=notes,
        run=run.run,
        family=run.family,
        wanted=run.wanted,
        plan=run.plan,
        manifest=run.manifest,
        url=facts.get("url", ""),
        values=progress.sums.digest,
        rehearsed="rehearsal" in facts,
        grown_bytes=progress.grown,
        archived=progress.moves.get(Move.ARCHIVED, 0),
        edited=progress.moves.get(Move.EDITED, 0),
        moved_on=progress.moves.get(Move.MOVED_ON, 0),
        kept=tuple(progress.kept),
        losses=plan.losses,
    )
