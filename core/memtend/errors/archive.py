"""32 to 35: the archive."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class ArchiveUnreachable(MemtendError):
    """The value is in the archive, and the archive does not answer. Labels can still be read."""

    code = 32
    message = "the archive {url} cannot be read: {why}"
    hint = "Check the network and the credentials in the environment, then repeat the call."
    transient = True


class ArchiveDamaged(MemtendError):
    """An archived value is not what was archived, so it is not returned."""

    code = 33
    message = "{what} in the archive {url} is damaged: {why}"
    hint = (
        "Run `memtend archive verify` to find the extent; a backup from before the value was "
        "archived still holds it."
    )


class ArchiveForeign(MemtendError):
    code = 34
    message = "{url} is not the archive of this store: {why}"
    hint = (
        "A store keeps one archive: name the one it has used, or for a new one an empty folder, "
        "with --archive."
    )


class NoArchive(MemtendError):
    code = 35
    message = "the store {url} has no archive"
    hint = (
        "Make one: `memtend archive run --apply`. One that an earlier store left: "
        "`memtend archive reindex --archive URL`."
    )
