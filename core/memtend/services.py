"""The composition root: settings in, one open store and everything that can be done to it out.

Operations do not know each other; what belongs together ("verify what was backed up", "health
needs the age of the backup") is put together here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memtend.clock import Clock, SystemClock, to_datetime, to_ms
from memtend.errors import StoreOutdated
from memtend.guard import clear
from memtend.limits import BACKLOG_WARN_ROWS, PLAN_DECISIONS_MAX
from memtend.memory import Memory
from memtend.reaching import ColdReads
from memtend.serving.alerting import Alerting
from memtend.serving.archives import Archives
from memtend.serving.backups import Backups
from memtend.serving.drills import Drills
from memtend.serving.erasures import Erasures
from memtend.serving.exporting import Exporting
from memtend.serving.importing import Importing
from memtend.serving.measuring import Measuring
from memtend.serving.migrating import Migrating
from memtend.serving.pruning import Prunings
from memtend.serving.restores import Restores
from memtend.serving.rotations import Rotations
from memtend.serving.syncing import Syncing
from memtend.settings import Settings
from memtend.store import catalog
from memtend.sweep.plan import ROUTINE, plan_sweep

if TYPE_CHECKING:
    from collections.abc import Set

    from memtend.health.report import HealthReport
    from memtend.model.findings import StoreVerifyReport
    from memtend.model.plan import Plan, Report
    from memtend.model.policy import Cleanup


class Services(
    Alerting,
    Importing,
    Exporting,
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
):
    """Everything that tends one store. Made by `open_services`."""

    def plan_sweep(self, cleanups: Set[Cleanup] = ROUTINE) -> Plan:
        """What a sweep would delete now."""
        from memtend.store.expiry import expired  # noqa: PLC0415

        facts = self.facts()
        rows = expired(self.store, PLAN_DECISIONS_MAX)
        return plan_sweep(rows, facts, self.memory.config.policy, to_datetime, cleanups)

    def apply_sweep(self, plan: Plan) -> Report:
        """Carry out a sweep plan; raises `DeletesTooMuch`, `ClockAlarmed`, `PlanStale`.

        Then drop what several replicas made of one value while they migrated it, retire replicas
        that have been silent for a week, and let go of the change log that nobody needs any more.
        """
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
            return report

    def verify_store(self) -> StoreVerifyReport:
        """Check every byte of the live store."""
        from memtend.store.verify import verify_store  # noqa: PLC0415

        return verify_store(self.store)

    def health(self, target_url: str | None = None) -> HealthReport:
        """Judge the store by its figures; with a target, its backups too."""
        from memtend.health.checks import check_health  # noqa: PLC0415
        from memtend.health.report import HealthFacts  # noqa: PLC0415
        from memtend.objects import address_of  # noqa: PLC0415
        from memtend.resolving import crowding  # noqa: PLC0415
        from memtend.store.expiry import expired  # noqa: PLC0415
        from memtend.store.messages_books import now_ms as messages_now_ms  # noqa: PLC0415
        from memtend.store.messages_upkeep import message_facts  # noqa: PLC0415

        facts, stats = self.facts(), self.memory.stats()
        conflicts, siblings_most = crowding(self.memory)
        backup = first = evidence = None
        if target_url:
            address = address_of(target_url)
            backup = catalog.newest(self.store, address)
            first = catalog.oldest(self.store, address)
            evidence = self.drill_evidence(target_url)
        messages = message_facts(self.store)
        oldest = messages.oldest_ms
        now_ms = self.clock.now_ms()
        good_at = evidence.good_at if evidence else None
        return check_health(
            HealthFacts(
                at=facts.at,
                records=facts.records,
                bytes=facts.bytes,
                file_bytes=stats.file_bytes,
                backlog=len(expired(self.store, BACKLOG_WARN_ROWS)),
                clock_alarm_ms=facts.clock_alarm_ms,
                pressure=tuple(f"{p.scope} {p.name} {p.share:.0%}" for p in stats.pressure),
                disk_free_bytes=self._disk_free(),
                backup_asked=target_url is not None,
                backup_age_ms=now_ms - backup.at_ms if backup else None,
                backup_rows=backup.rows if backup else None,
                engine_notes=self.store.engine.notes(),
                drill_age_ms=now_ms - to_ms(good_at) if good_at else None,
                drill_passed=evidence.last.ok if evidence else None,
                backed_up_ms=now_ms - first.at_ms if first else None,
                conflicts=conflicts,
                siblings_most=siblings_most,
                peers=self.peer_facts(),
                messages_waiting=messages.waiting,
                messages_dead=messages.dead,
                messages_age_ms=oldest and max(0, messages_now_ms(self.store) - oldest),
                inbox_fullest=messages.fullest,
                older_values=self._older_values(),
            )
        )

    def _older_values(self) -> str | None:
        """What a migration of values would move, in words; None where that is nothing."""
        if self.settings.migrate == "off":
            return None
        found = self.pending_migrations()
        return found.sentence() if found else None

    def _disk_free(self) -> int | None:
        path = self.store.url.removeprefix("sqlite:///")
        return shutil.disk_usage(os.path.dirname(path)).free if os.path.isabs(path) else None


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
