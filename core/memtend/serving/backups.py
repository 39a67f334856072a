"""Taking and checking backups of one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.serving.base import Serving
from memtend.store import catalog
from memtend.store.snapshot import snapshot

if TYPE_CHECKING:
    from memtend.backup.report import BackupReport, VerifyReport


class Backups(Serving):
    """Backups of the open store into any target."""

    def take_backup(self, target_url: str | None = None, why: str = "") -> BackupReport:
        """Take a full backup and write it into the catalog."""
        from memtend import __version__  # noqa: PLC0415
        from memtend.backup.take import take_full  # noqa: PLC0415
        from memtend.codec.envelope import check_row  # noqa: PLC0415
        from memtend.objects import open_target  # noqa: PLC0415

        target = open_target(target_url or self.settings.backup_url, self.clock)
        head = catalog.newest(self.store, target.url)
        with snapshot(self.store) as view:
            report = take_full(
                view,
                target,
                self.clock,
                check_row=check_row,
                who=self.settings.agent or "owner",
                why=why,
                program=f"memtend {__version__}",
                head=head.manifest if head else None,
            )
        entry = catalog.Entry(
            report.manifest, report.url, self.clock.now_ms(), report.seq, report.rows,
            report.stored_bytes, report.root,
        )  # fmt: skip
        catalog.record(self.store, entry, "backup")
        return report

    def verify_backup(self, target_url: str | None = None, *, deep: bool = True) -> VerifyReport:
        """Check every backup in the target against its hashes and this store's catalog."""
        from memtend.backup.verify import verify_repository  # noqa: PLC0415
        from memtend.codec.envelope import check_row  # noqa: PLC0415
        from memtend.objects import open_target  # noqa: PLC0415

        target = open_target(target_url or self.settings.backup_url, self.clock)
        head = catalog.newest(self.store, target.url)
        report = verify_repository(
            target, self.clock, check_row=check_row, deep=deep, head=head.manifest if head else None
        )
        if head and deep and head.manifest in report.whole:
            verified = head._replace(verified_ms=self.clock.now_ms())
            catalog.record(self.store, verified, "verify")
        return report
