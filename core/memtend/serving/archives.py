"""Archiving cold records of one store, and bringing them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from memtend.errors import BackupKeyRefused, MemtendError, NoArchive
from memtend.guard import Safety, clear
from memtend.model.archiverule import ArchivePolicy
from memtend.model.pattern import compile_pattern
from memtend.serving.planning import Planning
from memtend.store import archived

if TYPE_CHECKING:
    from memtend.archive.compact import Backups
    from memtend.archive.plan import ArchivePlan
    from memtend.archive.reading import ArchiveReader
    from memtend.archive.report import (
        ArchiveReport,
        ArchiveRun,
        ArchiveVerifyReport,
        CompactReport,
    )
    from memtend.archive.survey import Survey
    from memtend.archive.vault import Vault
    from memtend.codec.archive import Entry
    from memtend.model.lease import Lease
    from memtend.model.plan import Plan
    from memtend.store.archived import Stub
    from memtend.store.restating import Squeezed


class Archives(Planning):
    """The archive of the open store, wherever its setting or `MEMTEND_ARCHIVE_URL` says."""

    def archive_policy(self) -> ArchivePolicy:
        return self.memory.config.file.archive

    def apply_archive(self, plan: ArchivePlan, *, threads: int = 1) -> ArchiveReport:
        """Move the values that the plan names into the archive. `threads` share the compressing."""
        from memtend.archive.apply import apply_archive  # noqa: PLC0415

        with self._maintaining("archive run") as lease:
            cleared = clear(plan, lease=lease, facts=self.facts(), safety=self._safety())
            vault = self._vault(create=True)
            return apply_archive(
                cleared, self.store, vault, program=self._program(), threads=threads
            )

    def plan_recall(
        self,
        pattern: str | None = None,
        *,
        keys: Iterable[tuple[str, str]] = (),
        run: int | None = None,
    ) -> Plan:
        """Archived records to bring back: below a pattern, by name, of one run; all if none."""
        from memtend.archive.recall import of_run, plan_recall  # noqa: PLC0415

        if paths := list(keys):
            stubs, why = archived.stubs_at(self.store, paths), "asked for by name"
            return plan_recall(stubs, self.facts(), why)
        stubs = archived.stubs(self.store)
        if run is not None:
            stubs, why = of_run(stubs, self._vault(), run), f"archived by run {run}"
        elif pattern is None:
            why = "all that is archived"
        else:
            stubs, why = _within(stubs, pattern), f"matches {pattern!r}"
        return plan_recall(stubs, self.facts(), why)

    def apply_recall(self, plan: Plan) -> ArchiveReport:
        """Put the values that the plan names back into the store."""
        with self._maintaining("recall") as lease:
            clear(plan, lease=lease, facts=self.facts(), safety=self._safety())
            return self._recall(plan, lease)

    def recall(
        self, pattern: str | None = None, *, keys: Iterable[tuple[str, str]] = ()
    ) -> ArchiveReport:
        """Plan and apply in one, and wait for nobody: bringing back destroys nothing."""
        return self._recall(self.plan_recall(pattern, keys=keys), None)

    def undo_archive(self, run: int) -> ArchiveReport:
        """Bring back everything that one run archived and that is still archived."""
        return self.apply_recall(self.plan_recall(run=run))

    def _recall(self, plan: Plan, lease: Lease | None) -> ArchiveReport:
        from memtend.archive.recall import apply_recall  # noqa: PLC0415

        quotas = self.memory.config.file.quotas
        return apply_recall(
            plan, self.store, self._reader(), squeeze=self._squeeze(), quotas=quotas, lease=lease
        )

    def archive_runs(self) -> list[ArchiveRun]:
        """The runs of which the archive still holds something, oldest first."""
        from memtend.archive.survey import runs  # noqa: PLC0415

        return list(runs(self._vault().parts()))

    def reindex_archive(self, *, adopt: bool = True) -> ArchiveReport:
        """Make stubs again for what the archive holds and the store has lost.

        With `adopt` the archive may be that of another store, which is lost.
        """
        from memtend.archive.reindex import reindex  # noqa: PLC0415
        from memtend.store.ledger import Filter  # noqa: PLC0415

        with self._maintaining("archive reindex") as lease:
            with self.store.engine.snapshot() as reader:
                ledger = Filter.load(reader)
            return reindex(self.store, self._vault(adopt=adopt), lease, forbidden=ledger.erased)

    def plan_compact(self) -> Plan:
        """What compacting would rewrite and remove now."""
        from memtend.archive.compact import plan_compact  # noqa: PLC0415

        found = self._survey()
        return plan_compact(found, self.facts(), self.archive_policy(), self._backups(found))

    def apply_compact(self, plan: Plan) -> CompactReport:
        """Rewrite objects that are mostly unused, remove those that have long been unused."""
        from memtend.archive.compact import apply_compact  # noqa: PLC0415

        with self._maintaining("archive compact") as lease:
            # Only what nothing names is removed: its share of the archive says nothing.
            cleared = clear(
                plan, lease=lease, facts=self.facts(), safety=Safety(delete_share_max=1)
            )
            return apply_compact(
                cleared, self.store, self._vault(), self.archive_policy(),
                backups=self._backups(self._survey()), program=self._program(),
            )  # fmt: skip

    def compact_archive(self) -> CompactReport:
        """Plan and apply in one, for schedules."""
        return self.apply_compact(self.plan_compact())

    def verify_archive(self) -> ArchiveVerifyReport:
        """Read the whole archive and hold every stub against it."""
        from memtend.archive.verify import verify_archive  # noqa: PLC0415

        return verify_archive(self.store, self._vault())

    def rekey_archive(self) -> int:
        """Put the new key of the settings in the place of the old one; how many wrappings went."""
        from memtend.backup.crypto import rewrap  # noqa: PLC0415

        new, old = self._new_backup_key(), self._backup_key()
        with self._maintaining("archive rekey"):
            vault = self._vault()
            if vault.cipher is None or old is None:
                raise BackupKeyRefused(url=vault.store.url, why="they are not encrypted")
            return rewrap(vault.store, vault.cipher, old, new, self.clock)

    def erase_archived(self, doomed: Callable[[Entry], bool], lease: Lease) -> int:
        """Take entries out of the archive for good, at once; how many there were."""
        from memtend.archive.erasing import erase_archived  # noqa: PLC0415

        try:
            vault = self._vault()
        except NoArchive:
            return 0
        erased = erase_archived(self.store, vault, lease, doomed, program=self._program())
        self._reader().forget()
        return erased

    def archive_residue(self, doomed: Callable[[Entry], bool]) -> int:
        """How many entries of the archive are `doomed`: none, once they are erased."""
        from memtend.archive.erasing import residue  # noqa: PLC0415

        try:
            return residue(self._vault(), doomed)
        except NoArchive:
            return 0

    def _vault(self, *, create: bool = False, adopt: bool = False) -> Vault:
        """The archive that the store's stubs lie in, wherever it is now.

        One that belongs to another store is none of ours, unless `adopt`. Nobody has named a
        place: then each store has its folder below the default, so that stores side by side work.
        """
        from memtend.archive.vault import Vault  # noqa: PLC0415
        from memtend.objects import open_target  # noqa: PLC0415
        from memtend.reaching import ArchiveKeys  # noqa: PLC0415

        keys = ArchiveKeys(self.clock, self.settings.backup_secret)
        url, named = self.settings.archive_url, "archive_url" in self.settings.model_fields_set
        store_id = self.store.meta().store_id
        known = None
        with suppress(NoArchive):
            known = archived.home(self.store)
        if known is not None:
            target = open_target(url if named else known.url, self.clock)
            vault = Vault.open(target, keys, known.archive_id)
            if target.url != known.url:
                archived.save_home(self.store, known._replace(url=target.url), "archive")
                self._reader().forget()
            return vault
        target = open_target(url if named else f"{url}/{store_id}", self.clock)
        if create:
            return Vault.create(target, keys, self.clock, store_id)
        owner = Vault.owner(target)
        if owner is None or (owner != store_id and not adopt):
            raise NoArchive(url=self.store.url)
        return Vault.open(target, keys)

    def _backups(self, found: Survey) -> Backups:
        """The backups in the target that may name what is due to go; asked only if anything is."""
        from memtend.archive.compact import Backups, due  # noqa: PLC0415
        from memtend.backup.listing import taken  # noqa: PLC0415
        from memtend.objects import open_target  # noqa: PLC0415

        facts = self.facts()
        if not due(found, self.archive_policy(), facts.at):
            return Backups()
        try:
            place = open_target(self.settings.backup_url, self.clock)
            return Backups(taken(place, self._backup_key(), facts.store_id))
        except MemtendError as error:
            return Backups(unknown=str(error))

    def _survey(self) -> Survey:
        from memtend.archive.survey import survey  # noqa: PLC0415

        stubs, since = archived.stubs(self.store), archived.state_since(self.store)
        return survey(self._vault(), stubs, since)

    def _reader(self) -> ArchiveReader:
        from memtend.archive.reading import ArchiveReader  # noqa: PLC0415
        from memtend.reaching import ArchiveKeys, ColdReads  # noqa: PLC0415

        if isinstance(self.store.archive, ColdReads):
            return self.store.archive.reader
        keys = ArchiveKeys(self.clock, self.settings.backup_secret)
        return ArchiveReader(self.store, keys)

    def _squeeze(self) -> Callable[[str, str, str, bytes], Squeezed]:
        from memtend.drafting import compressed  # noqa: PLC0415
        from memtend.store.restating import Squeezed  # noqa: PLC0415

        config = self.memory.config

        def squeeze(namespace: str, key: str, kind: str, text: bytes) -> Squeezed:
            compression = config.policy(namespace, key).compression
            return Squeezed(*compressed(text, compression, config.dictionaries.get(kind)))

        return squeeze

    @staticmethod
    def _program() -> str:
        from memtend import __version__  # noqa: PLC0415

        return f"memtend {__version__}"


def _within(stubs: Iterable[Stub], pattern: str) -> Iterator[Stub]:
    compiled = compile_pattern(pattern)
    return (stub for stub in stubs if compiled.governs(f"{stub.namespace}/{stub.key}"))
