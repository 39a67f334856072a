"""Taking backups of one store, one after the other or once, and saying which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from memtend.errors import BackupKeyRefused, MemtendError
from memtend.limits import (
    BACKUPS_LISTED_MAX,
    CHAIN_MANIFESTS_MAX,
    STREAM_DAMAGE_PAUSES,
    STREAM_FAILURES_MAX,
)
from memtend.serving.base import Serving
from memtend.store import catalog
from memtend.store.messages_upkeep import mark
from memtend.store.snapshot import snapshot

if TYPE_CHECKING:
    from memtend.backup.layers import Manifests
    from memtend.backup.report import BackupList, BackupReport
    from memtend.backup.writing import Progress
    from memtend.codec.crypto import UserKey
    from memtend.objects import ObjectStore

Ended = Callable[[float], bool]
"""Waits so many seconds, or less: whether to stop."""


class Backups(Serving):
    """Backups of the open store into any target."""

    def take_backup(
        self,
        target: str | None = None,
        why: str = "",
        *,
        full: bool = False,
        root: bool = False,
        progress: Progress | None = None,
    ) -> BackupReport:
        """Back up what changed since the newest backup, or everything, and keep its name."""
        return self._take(self._target(target), why, full=full, root=root, progress=progress)

    def find_backup(self, note: str, target: str | None = None) -> BackupReport | None:
        """The backup of this store whose note ends with `note`, where it was taken lately.

        For whoever was cut off and does not know how far it came. A backup that is there and of
        which the store does not know is written into its catalog.
        """
        from memtend.backup.listing import find_noted  # noqa: PLC0415
        from memtend.backup.repository import Repository  # noqa: PLC0415
        from memtend.backup.told import told  # noqa: PLC0415

        place = self._target(target)
        if next(place.list(), None) is None:
            return None
        repository = Repository.open(place, self._backup_key())
        store_id = self.store.meta().store_id
        found = find_noted(repository, store_id, note, BACKUPS_LISTED_MAX)
        if found is None:
            return None
        seconds = (found[1].finished_at - found[1].started_at).total_seconds()
        notes = ("this run had taken it before it was cut off",)
        encrypted = repository.cipher is not None
        report = told(place.url, *found, encrypted=encrypted, seconds=seconds, notes=notes)
        if report.manifest not in catalog.verified(self.store, place.url):
            self._catalogued(report)
        return report

    def stream_backups(
        self,
        target: str | None = None,
        why: str = "",
        *,
        every_s: float,
        ended: Ended,
        missed: Callable[[MemtendError], object],
    ) -> Iterator[BackupReport]:
        """Take an increment every `every_s` seconds in which something changed, until `ended`.

        The last one is taken after `ended`. What may pass by itself is told to `missed` and tried
        again; anything else ends the stream, as does the same trouble too often in a row.
        """
        place = self._target(target)
        manifests: Manifests = {}
        done: tuple[object, ...] | None = None
        failures, stopping = 0, False
        while not stopping:
            pause_s = every_s
            meta = self.store.meta()
            said = mark(self.store)
            if (meta.seq, meta.config, said) != done:
                try:
                    report = self._take(place, why, manifests=manifests)
                except MemtendError as error:
                    failures += 1
                    if not error.transient or failures >= STREAM_FAILURES_MAX:
                        raise
                    missed(error)
                else:
                    failures, done = 0, (report.seq, meta.config, said)
                    if report.damaged_rows:  # each backup is a full one until that is mended
                        pause_s = max(every_s, STREAM_DAMAGE_PAUSES * report.seconds)
                    yield report
            if len(manifests) > 2 * CHAIN_MANIFESTS_MAX:
                manifests.clear()
            stopping = ended(pause_s)
        meta = self.store.meta()
        if (meta.seq, meta.config, mark(self.store)) != done:
            yield self._take(place, why, manifests=manifests)

    def backups(self, target: str | None = None, limit: int = BACKUPS_LISTED_MAX) -> BackupList:
        """The newest backups in the target."""
        place = self._target(target)
        verified = catalog.verified(self.store, place.url)
        return list_in(place, self._backup_key(), limit, verified)

    def rekey_backups(self, target: str | None = None) -> int:
        """Put the new key of the settings in the place of the old one; how many wrappings went."""
        from memtend.backup.crypto import rewrap  # noqa: PLC0415
        from memtend.backup.lease import RepositoryLease  # noqa: PLC0415
        from memtend.backup.repository import Repository  # noqa: PLC0415
        from memtend.backup.take import PURPOSE  # noqa: PLC0415

        place, old = self._target(target), self._backup_key()
        new = self._new_backup_key()
        with RepositoryLease(place, PURPOSE, self.clock.new_id(), self.clock) as lease:
            cipher = Repository.open(place, old).cipher
            if cipher is None or old is None:
                raise BackupKeyRefused(url=place.url, why="they are not encrypted")
            lease.check()
            gone = rewrap(place, cipher, old, new, self.clock)
        self._user_key = new
        return gone

    def _take(
        self,
        target: ObjectStore,
        why: str,
        *,
        full: bool = False,
        root: bool = False,
        progress: Progress | None = None,
        manifests: Manifests | None = None,
    ) -> BackupReport:
        from memtend import __version__  # noqa: PLC0415
        from memtend.backup.take import Asked, take  # noqa: PLC0415
        from memtend.codec.envelope import check_row  # noqa: PLC0415

        head = catalog.newest(self.store, target.url)
        asked = Asked(
            at_ms=self.clock.now_ms(),
            full=full,
            root=root,
            who=self.settings.agent or "owner",
            why=why,
            program=f"memtend {__version__}",
            label=label_of(self.store.url),
        )
        with snapshot(self.store) as view:
            report = take(
                view,
                target,
                self.clock,
                check_row=check_row,
                asked=asked,
                key=self._backup_key(),
                head=head.manifest if head else None,
                progress=progress,
                manifests=manifests,
            )
        self._catalogued(report)
        return report

    def _catalogued(self, report: BackupReport) -> None:
        """Write a backup into the catalog of the store."""
        entry = catalog.Entry(
            report.manifest, report.url, self.clock.now_ms(), report.seq, report.records,
            report.stored_bytes, report.root or "",
        )  # fmt: skip
        catalog.record(self.store, entry, "backup", report.seconds)

    def _target(self, url: str | None) -> ObjectStore:
        from memtend.objects import open_target  # noqa: PLC0415

        return open_target(url or self.settings.backup_url, self.clock)


def list_in(
    place: ObjectStore, key: UserKey | None, limit: int, verified: Mapping[str, int | None]
) -> BackupList:
    """The newest backups in a target; raises `NoBackup` where nothing is. Needs no store."""
    from memtend.backup.listing import list_backups  # noqa: PLC0415
    from memtend.backup.repository import Repository  # noqa: PLC0415
    from memtend.errors import NoBackup, RepositoryForeign  # noqa: PLC0415

    try:
        repository = Repository.open(place, key)
    except RepositoryForeign:
        if next(place.list(), None) is None:
            raise NoBackup(url=place.url) from None
        raise
    return list_backups(repository, limit, verified)


def label_of(store_url: str) -> str:
    """What kind of store, and its name without host or folder: this goes into manifests.

    >>> label_of("sqlite:////srv/ada/agents.db")
    'sqlite agents.db'
    >>> label_of("postgresql://ada@db.example:5432/agents?sslmode=require")
    'postgresql agents'
    """
    parts = urlsplit(store_url)
    return f"{parts.scheme} {parts.path.rpartition('/')[2] or 'in memory'}"
