"""What every part of the services works with: the open store, its settings, who holds leases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memtend.clock import Clock, to_datetime
from memtend.errors import InvalidSettings
from memtend.guard import Safety
from memtend.limits import MAINTENANCE_LEASE_MS
from memtend.model.facts import Facts
from memtend.model.names import MAINTENANCE
from memtend.serving.refusals import REFUSALS, note_done, note_refusal
from memtend.settings import process_name
from memtend.store.lease_heart import holding

if TYPE_CHECKING:
    from memtend.codec.crypto import UserKey
    from memtend.memory import Memory
    from memtend.model.lease import Lease
    from memtend.settings import Settings
    from memtend.store.store import Store


class Serving:
    """One open store and what its operator has set."""

    def __init__(self, memory: Memory, settings: Settings) -> None:
        self.memory = memory
        self.settings = settings
        self.store: Store = memory.store
        self.clock: Clock = memory.store.clock
        self._holder = f"{process_name()} {self.clock.new_id()[:8]}"
        self._user_key: UserKey | None = None

    def facts(self) -> Facts:
        meta = self.store.meta()
        return Facts(
            store_id=meta.store_id,
            at=to_datetime(self.clock.now_ms()),
            seq=meta.seq,
            records=meta.rows,
            bytes=meta.size,
            clock_alarm_ms=self.clock.alarm_ms,
        )

    @contextmanager
    def _maintaining(self, what: str) -> Iterator[Lease]:
        """Hold the lease under which everything that deletes works, as long as it takes.

        Whoever is refused meanwhile reads `what` is being done, and where. What the guard refuses
        is an alert, until the same is carried out.
        """
        holder = f"{what} by {self._holder}"
        try:
            with holding(self.store, MAINTENANCE, holder, MAINTENANCE_LEASE_MS) as lease:
                yield lease
        except REFUSALS as error:
            note_refusal(self.store, what, error, self.memory.config.file.alerts)
            raise
        note_done(self.store, what)

    def _backup_key(self) -> UserKey | None:
        """What opens an encrypted repository, from the environment or a file; read once."""
        if self._user_key is None:
            from memtend.codec.crypto import UserKey  # noqa: PLC0415

            self._user_key = UserKey.of(self.settings.backup_secret())
        return self._user_key

    def _new_backup_key(self) -> UserKey:
        """What is to take the old key's place."""
        from memtend.codec.crypto import UserKey  # noqa: PLC0415

        text = self.settings.backup_new_secret()
        if text is None:
            why = "name the new key in MEMTEND_BACKUP_NEW_KEY or MEMTEND_BACKUP_NEW_KEY_FILE"
            raise InvalidSettings(name="backup_new_key", why=why)
        return UserKey(text)

    def _safety(self) -> Safety:
        share = self.memory.config.file.safety.delete_share_max
        return Safety() if share is None else Safety(delete_share_max=share)
