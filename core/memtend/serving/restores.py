"""Restoring the open store: plan, apply, undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from memtend.clock import to_ms
from memtend.errors import RestoreRefused
from memtend.guard import Safety, clear
from memtend.limits import KEEP_OLD_MS, MAINTENANCE_LEASE_MS
from memtend.serving.base import Serving
from memtend.store import leases

if TYPE_CHECKING:
    from memtend.backup.choosing import Choice
    from memtend.backup.restore import RestoreReport
    from memtend.backup.restore_plan import Mode, RestorePlan, Scope
    from memtend.backup.wished import Wished
    from memtend.model.lease import Lease
    from memtend.store.snapshot import Snapshot
    from memtend.store.swapping import Kept

_ALL = Safety(delete_share_max=1.0)
"""A restore may remove everything that came since: the plan says what, and the old one is kept."""


class Restores(Serving):
    """Bringing the open store back to an earlier state, or parts of it."""

    def plan_restore(
        self,
        target_url: str | None = None,
        *,
        to: datetime | None = None,
        manifest: str | None = None,
        scope: Scope | None = None,
        mode: Mode | None = None,
        replace_other: bool = False,
    ) -> RestorePlan:
        """What a restore would do to the live store. Reads and checks the whole backup."""
        from memtend.backup.moment import by_path  # noqa: PLC0415
        from memtend.backup.restore import plan_whole  # noqa: PLC0415
        from memtend.backup.restore_plan import Mode, Scope  # noqa: PLC0415
        from memtend.serving.reasserts import plan_reassert  # noqa: PLC0415

        moment_ms = None if to is None else to_ms(to)
        chosen_scope = scope or Scope()
        partial = not chosen_scope.whole or mode is Mode.REASSERT
        _refuse_mixture(chosen_scope, mode)
        with (
            self._wished(target_url, moment_ms, manifest) as (choice, wished),
            self._snapshot() as view,
        ):
            url = wished.chosen.repository.store.url
            if partial:
                return plan_reassert(self, choice, wished, view, url, moment_ms, chosen_scope)
            return plan_whole(
                choice,
                wished,
                by_path(view.rows()),
                self.facts(),
                url=url,
                mode=mode or Mode.REJOIN,
                moment_ms=moment_ms,
                policy_digest=view.state.policy_digest,
                replicas=len(view.state.vv.keys() - {view.state.replica}),
                replace_other=replace_other,
                clock=self.clock,
            )

    def apply_restore(self, plan: RestorePlan, *, keep_ms: int = KEEP_OLD_MS) -> RestoreReport:
        """Carry a plan out; raises before anything is touched when the backup is not whole."""
        from memtend.backup.restore import apply_whole  # noqa: PLC0415
        from memtend.backup.restore_plan import Mode  # noqa: PLC0415
        from memtend.serving.reasserts import apply_reassert  # noqa: PLC0415

        moment_ms = None if plan.to is None else to_ms(plan.to)
        self.memory.flush()
        with self._maintaining("restore") as lease:
            cleared = clear(plan, lease=lease, facts=self.facts(), safety=_ALL)
            with self._wished(plan.url, moment_ms, plan.manifest) as (choice, wished):
                if plan.mode is Mode.REASSERT:
                    return apply_reassert(self, cleared, wished)
                beat = self._beat(lease)
                report = apply_whole(
                    cleared, wished, self.store, choice=choice, keep_ms=keep_ms, beat=beat
                )
        self.memory.config.refresh(self.store.meta().config)
        return report

    def kept_stores(self) -> list[Kept]:
        """What earlier restores replaced and is still there, newest first."""
        from memtend.store.swapping import kept_stores  # noqa: PLC0415

        return kept_stores(self.store.engine)

    def kept_store(self) -> Kept:
        """What `undo_restore` would bring back; raises `NothingKept`."""
        from memtend.store.swapping import newest_kept  # noqa: PLC0415

        return newest_kept(self.store)

    def undo_restore(self, *, keep_ms: int = KEEP_OLD_MS) -> RestoreReport:
        """Bring back the store that the last restore replaced; what was written since is kept."""
        from memtend.backup.undo import undo  # noqa: PLC0415

        self.memory.flush()
        with self._maintaining("undo of a restore") as lease:
            report = undo(self.store, lease, keep_ms=keep_ms, beat=self._beat(lease))
        self.memory.config.refresh(self.store.meta().config)
        return report

    def _wished(
        self, target_url: str | None, moment_ms: int | None, manifest: str | None
    ) -> AbstractContextManager[tuple[Choice, Wished]]:
        from memtend.serving.wishing import open_repository, wishing  # noqa: PLC0415

        url = target_url or self.settings.backup_url
        repository = open_repository(url, self.settings, self.clock)
        return wishing(repository, self.store, moment_ms, manifest)

    @contextmanager
    def _snapshot(self) -> Iterator[Snapshot]:
        from memtend.store.snapshot import snapshot  # noqa: PLC0415

        with snapshot(self.store) as view:
            yield view

    def _beat(self, lease: Lease) -> Callable[[], None]:
        """Keeps the lease while a long restore works."""
        due_ms = self.clock.now_ms() + MAINTENANCE_LEASE_MS // 3

        def beat() -> None:
            nonlocal due_ms
            if self.clock.now_ms() >= due_ms:
                leases.renew(self.store, lease, MAINTENANCE_LEASE_MS)
                due_ms = self.clock.now_ms() + MAINTENANCE_LEASE_MS // 3

        return beat


def _refuse_mixture(scope: Scope, mode: Mode | None) -> None:
    """A part of a store has no epoch of its own."""
    from memtend.backup.restore_plan import Mode  # noqa: PLC0415

    if not scope.whole and mode not in (None, Mode.REASSERT):
        raise RestoreRefused(why=f"a part of a store can only be reasserted, not {mode}")
