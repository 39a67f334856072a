"""The catalog of backups: what the newest manifest must be, kept outside the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.store.meta import crc_of
from memtend.store.upkeep import save

if TYPE_CHECKING:
    from memtend.store.store import Store


class Entry(NamedTuple):
    """`url` is where, without credentials; `root` the root hash of what was backed up."""

    manifest: str
    url: str
    at_ms: int
    seq: int
    rows: int
    size: int
    root: str
    verified_ms: int | None = None


SPEEDS: Final = ("memtend_backup_seconds", "memtend_backup_bytes_s")
"""The series that keep how long each backup took, and how fast it was."""


def record(store: Store, entry: Entry, actor: str, seconds: float | None = None) -> None:
    """Write a backup down, or that it was verified, with an audit entry.

    Of one that was just taken, the `seconds` it took go into the history of figures.
    """
    with store.change(actor) as (change, _):
        change.tx.run("catalog", (*entry, crc_of(tuple(entry))))
        if seconds:
            values = (seconds, entry.size / seconds)
            rows = zip(SPEEDS, (entry.at_ms,) * 2, values, strict=True)
            save(change.tx, "metric", rows)
        change.note("backup", entry.manifest)


def newest(store: Store, url: str) -> Entry | None:
    """The last backup into `url` that this store knows of."""
    entries = [Entry._make(row[:-1]) for row in store.engine.read("catalogs", (_LOOK,))]
    return next((entry for entry in entries if entry.url == url), None)


def last(store: Store) -> Entry | None:
    """The last backup into any target."""
    rows = store.engine.read("catalogs", (1,))
    return Entry._make(rows[0][:-1]) if rows else None


def entries(store: Store, limit: int) -> list[Entry]:
    """The last backups into any target, newest first."""
    return [Entry._make(row[:-1]) for row in store.engine.read("catalogs", (limit,))]


def newest_at(store: Store) -> int | None:
    """When the last backup into any target was taken, in milliseconds."""
    entry = last(store)
    return entry.at_ms if entry else None


def verified(store: Store, url: str) -> dict[str, int | None]:
    """When each of the last backups into `url` was last found whole, by manifest."""
    entries = [Entry._make(row[:-1]) for row in store.engine.read("catalogs", (_LOOK,))]
    return {entry.manifest: entry.verified_ms for entry in entries if entry.url == url}


def oldest(store: Store, url: str) -> Entry | None:
    """The first backup into `url` of those that the store still looks at."""
    entries = [Entry._make(row[:-1]) for row in store.engine.read("catalogs", (_LOOK,))]
    return next((entry for entry in reversed(entries) if entry.url == url), None)


_LOOK = 1_000
