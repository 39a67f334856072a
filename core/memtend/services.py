"""The composition root: settings in, one open store and everything that can be done to it out.

Operations do not know each other; what belongs together ("verify what was backed up", "health
needs the age of the backup") is put together here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memtend.clock import Clock, SystemClock, to_datetime
from memtend.errors import MemtendError, StoreOutdated
from memtend.guard import clear
from memtend.limits import PLAN_DECISIONS_MAX
from memtend.memory import Memory
from memtend.reaching import ColdReads
from memtend.serving.alerting import Alerting
from memtend.serving.archives import Archives
from memtend.serving.backups import Backups
from memtend.serving.drills import Drills
from memtend.serving.erasures import Erasures
from memtend.serving.exporting import Exporting
from memtend.serving.importing import Importing
from memtend.serving.judging import Judging
from memtend.serving.lessons import Lessons
from memtend.serving.measuring import Measuring
from memtend.serving.migrating import Migrating
from memtend.serving.optimizing import Optimizes
from memtend.serving.pruning import Prunings
from memtend.serving.reporting import Reporting
from memtend.serving.restores import Restores
from memtend.serving.rotations import Rotations
from memtend.serving.syncing import Syncing
from memtend.serving.tuning import Tuning
from memtend.serving.verifying import Verifying
from memtend.settings import Settings
from memtend.sweep.plan import ROUTINE, plan_sweep

if TYPE_CHECKING:
    from collections.abc import Set

    from memtend.model.plan import Plan, Report
    from memtend.model.policy import Cleanup


class Services(
    Tuning,
    Reporting,
    Lessons,
    Alerting,
    Judging,
    Importing,
    Exporting,
    Optimizes,
    Measuring,
    Syncing,
    Prunings,
    Erasures,
    Archives,
    Drills,
    Migrating,
    Restores,
    Rotations,
    Backups,
    Verifying,
):
    """Everything that tends one store. Made by `open_services`."""

    def plan_sweep(self, cleanups: Set[Cleanup] = ROUTINE) -> Plan:
        """What a sweep would delete now."""
        from memtend.store.expiry import expired  # noqa: PLC0415

        facts = self.facts()
        rows = expired(self.store, PLAN_DECISIONS_MAX)
        return plan_sweep(rows, facts, self.memory.config.policy, to_datetime, cleanups)

    def apply_sweep(self, plan: Plan) -> Report:
        """Carry out a sweep plan; raises `DeletesTooMuch`, `ClockAlarmed`, `PlanForeign`,
        `PlanStale`.

        Then drop what several replicas made of one value while they migrated it, retire replicas
        that have been silent for a week, let go of the change log that nobody needs any more, of
        old ghosts and old accesses, and look at the times to live that are on trial.
        """
        from memtend.store.accesslog import tidy  # noqa: PLC0415
        from memtend.store.ghosts import drop_old  # noqa: PLC0415
        from memtend.store.logfloor import drop_log  # noqa: PLC0415
        from memtend.store.peers import retire_silent  # noqa: PLC0415
        from memtend.store.swapping import drop_kept  # noqa: PLC0415
        from memtend.store.twins import drop_twins  # noqa: PLC0415
        from memtend.sweep.apply import apply_sweep  # noqa: PLC0415

        with self._maintaining("sweep") as lease:
            cleared = clear(plan, lease=lease, facts=self.facts(), safety=self._safety())
            drop_kept(self.store.engine, self.clock.now_ms())
            report = apply_sweep(cleared, self.store)
            drop_twins(self.store, actor="sweep", lease=lease)
            retire_silent(self.store, actor="sweep")
            drop_log(self.store, actor="sweep")
            drop_old(self.store, self.archive_policy().keep_ms)
            tidy(self.store, self.memory.config.file.learning)
        try:
            self.watch_trials()
        except MemtendError as error:  # what was swept is swept
            note = f"what is on trial was not looked at: {error}"
            report = report.model_copy(update={"notes": (*report.notes, note)})
        return report


@contextmanager
def open_services(
    store_url: str | None = None,
    *,
    settings: Settings | None = None,
    clock: Clock | None = None,
    create: bool = True,
) -> Iterator[Services]:
    """Open a store with everything that tends it, and close it at the end.

    One of an older schema raises `StoreOutdated`, unless the settings say `migrate="auto"`: then it
    is brought forward as `memtend migrate apply` does it.
    """
    chosen = settings or Settings()
    url, used = store_url or chosen.store_url, clock or SystemClock()
    try:
        memory = _opened(url, chosen, used, create)
    except StoreOutdated:
        if chosen.migrate != "auto":
            raise
        from memtend.serving.upgrading import bring_forward  # noqa: PLC0415

        bring_forward(url, chosen, used)
        memory = _opened(url, chosen, used, create)
    # The key may have come with the settings, from a block, and not from the environment.
    memory.store.archive = ColdReads(memory.store, chosen.backup_secret)
    memory.store.models_url = chosen.models_url
    with memory:
        yield Services(memory, chosen)


def _opened(url: str, chosen: Settings, clock: Clock, create: bool) -> Memory:
    return Memory.open(
        url,
        agent=chosen.agent,
        durability=chosen.durability,
        create=create,
        clock=clock,
        key_path=str(chosen.key_path) if chosen.key_path else None,
    )
