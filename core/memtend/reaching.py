"""Reaching the archive from an open store, only once a value there is asked for.

Credentials come from the environment of the target's client library, the key of an encrypted
archive from the settings; neither is ever in the store.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memtend.archive.reading import ArchiveReader
    from memtend.clock import Clock
    from memtend.codec.address import Address
    from memtend.codec.crypto import Cipher, UserKey
    from memtend.objects import ObjectStore
    from memtend.store.store import Store

Secret = Callable[[], str | None]


def secret_of_environment() -> str | None:
    from memtend.settings import Settings  # noqa: PLC0415

    return Settings().backup_secret()


class ArchiveKeys:
    """The data key of an archive, wrapped by the same user's key as backups are."""

    def __init__(self, clock: Clock, secret: Secret) -> None:
        self._clock = clock
        self._secret = secret

    @property
    def wanted(self) -> bool:
        return self._secret() is not None

    def make(self, store: ObjectStore, archive_id: str) -> Cipher:
        from memtend.backup.crypto import new_cipher, save_wrapping  # noqa: PLC0415
        from memtend.errors import BackupKeyRefused  # noqa: PLC0415

        key = self._key()
        if key is None:
            raise BackupKeyRefused(url=store.url, why="no key was given")
        cipher = new_cipher(archive_id, self._clock)
        save_wrapping(store, cipher, key, self._clock)
        return cipher

    def find(self, store: ObjectStore, archive_id: str, key_id: str) -> Cipher:
        from memtend.backup.crypto import find_cipher  # noqa: PLC0415

        return find_cipher(store, archive_id, key_id, self._key())

    def _key(self) -> UserKey | None:
        from memtend.codec.crypto import UserKey  # noqa: PLC0415

        return UserKey.of(self._secret())


class ColdReads:
    """The archive of one store as its reads see it."""

    def __init__(self, store: Store, secret: Secret = secret_of_environment) -> None:
        self._store = store
        self._secret = secret
        self._reader: ArchiveReader | None = None

    @property
    def reader(self) -> ArchiveReader:
        if self._reader is None:
            from memtend.archive.reading import ArchiveReader  # noqa: PLC0415 — costs a tenth of 1 s

            keys = ArchiveKeys(self._store.clock, self._secret)
            self._reader = ArchiveReader(self._store, keys)
        return self._reader

    def text(self, address: Address, what: str) -> bytes:
        return self.reader.text(address, what)
