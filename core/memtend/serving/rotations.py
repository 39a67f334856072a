"""Which backups stay, whether they are whole, and what is in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from memtend.guard import Safety, clear
from memtend.model.retention import Retention
from memtend.serving.base import Serving
from memtend.store import catalog
from memtend.store.snapshot import snapshot

if TYPE_CHECKING:
    from memtend.backup.compare import BackupDiff
    from memtend.backup.inspect import BackupView, KeyView, RecordView
    from memtend.backup.layers import State
    from memtend.backup.pins import Pin
    from memtend.backup.report import VerifyReport
    from memtend.backup.repository import Repository
    from memtend.backup.rotation_plan import RotationPlan, RotationReport
    from memtend.objects import ObjectStore

LIVE = "live"


class Rotations(Serving):
    """Backups that exist: kept or dropped, verified, looked into. Targets are given as URLs."""

    def retention(self) -> Retention:
        return self.memory.config.file.retention

    def plan_rotation(
        self,
        target: str | None = None,
        retention: Retention | None = None,
        forget: Iterable[str] = (),
    ) -> RotationPlan:
        """What rotation would keep and drop now, and why.

        `forget` names manifests that cannot be read and are to go.
        """
        from memtend.backup.rotation_plan import plan_rotation  # noqa: PLC0415

        repository = self._held_in(target)
        return plan_rotation(repository, retention or self.retention(), self.facts(), forget)

    def apply_rotation(self, plan: RotationPlan) -> RotationReport:
        """Carry out a rotation plan; raises `RotationRefused`, `ClockAlarmed`, `PlanForeign`.

        How large a share goes says nothing here: of 8,640 backups a day one stays. What guards is
        that the newest backup of every store is whole, and what builds on what.
        """
        from memtend.backup.rotate import apply_rotation  # noqa: PLC0415

        with self._maintaining("rotation of backups") as lease:
            safety = Safety(delete_share_max=1)
            cleared = clear(plan, lease=lease, facts=self.facts(), safety=safety)
            if gone := len(plan.to_delete()):
                self._note("rotate", f"{gone} of {plan.total} backups in {plan.url}")
            return apply_rotation(cleared, self._held_in(plan.url), self.clock)

    def pin_backup(
        self,
        name: str,
        manifest: str | None = None,
        target: str | None = None,
        why: str = "",
    ) -> Pin:
        """Keep a backup under a name until `unpin_backup`; the newest of this store if none."""
        from memtend.backup.pins import pin  # noqa: PLC0415

        repository = self._held_in(target)
        state = self._opened(repository, manifest)
        who = self.settings.agent or "owner"
        made = pin(repository, self.clock, name, state.name, who=who, why=why)
        self._note("pin", f"{name} keeps {made.manifest} in {repository.store.url}")
        return made

    def unpin_backup(self, name: str, target: str | None = None) -> None:
        from memtend.backup.pins import unpin  # noqa: PLC0415

        place = self._place(target)
        self._note("unpin", f"{name} in {place.url}")
        unpin(place, self.clock, name)

    def verify_backup(
        self,
        target: str | None = None,
        *,
        deep: bool = True,
        sample: float | None = None,
        max_seconds: float | None = None,
        resume: bool = False,
    ) -> VerifyReport:
        """Check every backup in the target against its hashes and this store's catalog.

        See `verify_repository` for doing it in pieces.
        """
        from memtend.backup.verify import verify_repository  # noqa: PLC0415
        from memtend.codec.envelope import check_row  # noqa: PLC0415

        place = self._place(target)
        head = catalog.newest(self.store, place.url)
        report = verify_repository(
            place,
            self.clock,
            check_row=check_row,
            deep=deep,
            key=self._backup_key(),
            head=head.manifest if head else None,
            sample=sample,
            max_seconds=max_seconds,
            resume=resume,
        )
        if head and report.complete and head.manifest in report.whole:
            verified = head._replace(verified_ms=self.clock.now_ms())
            catalog.record(self.store, verified, "verify")
        return report

    def inspect_backup(self, manifest: str | None = None, target: str | None = None) -> BackupView:
        """What one backup says of itself; the newest of this store if none is named."""
        from memtend.backup.inspect import view  # noqa: PLC0415

        return view(self._opened(self._held_in(target), manifest))

    def inspect_keys(
        self,
        manifest: str | None,
        namespace: str,
        target: str | None = None,
        limit: int = 1_000,
    ) -> list[KeyView]:
        """The records that a backup holds of a namespace, without their values."""
        from memtend.backup.inspect import keys  # noqa: PLC0415

        return keys(self._opened(self._held_in(target), manifest), namespace, limit)

    def inspect_record(
        self, manifest: str | None, namespace: str, key: str, target: str | None = None
    ) -> list[RecordView]:
        """The values that a backup holds of one key; `NotFound` if it holds none."""
        from memtend.backup.inspect import values  # noqa: PLC0415

        return values(self._opened(self._held_in(target), manifest), namespace, key)

    def diff_backups(
        self, before: str, after: str | None = None, target: str | None = None
    ) -> BackupDiff:
        """What changed between two backups, or from a backup to the store as it is (`live`)."""
        from memtend.backup.compare import compare  # noqa: PLC0415

        repository = self._held_in(target)
        first = self._opened(repository, before)
        if after is None or after == LIVE:
            with snapshot(self.store) as live:
                return compare(str(first.name), first.rows(), LIVE, live.rows())
        second = self._opened(repository, after)
        return compare(str(first.name), first.rows(), str(second.name), second.rows())

    def _note(self, action: str, detail: str) -> None:
        """Into the audit trail, before anything goes."""
        with self.store.change(self.settings.agent or "owner") as (change, _):
            change.note(action, detail)

    def _opened(self, repository: Repository, manifest: str | None) -> State:
        from memtend.backup.choosing import choose  # noqa: PLC0415
        from memtend.backup.layers import Manifests, open_state  # noqa: PLC0415
        from memtend.codec.envelope import check_row  # noqa: PLC0415

        known: Manifests = {}
        chosen = choose(repository, known, store_id=self.facts().store_id, manifest=manifest)
        return open_state(repository, chosen.name, check_row=check_row, manifests=known)

    def _held_in(self, target: str | None) -> Repository:
        from memtend.backup.repository import Repository  # noqa: PLC0415

        return Repository.open(self._place(target), self._backup_key())

    def _place(self, target: str | None) -> ObjectStore:
        from memtend.objects import open_target  # noqa: PLC0415

        return open_target(target or self.settings.backup_url, self.clock)
