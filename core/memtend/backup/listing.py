"""What backups a repository holds. Only manifests and pins are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from memtend.backup.identity import IDENTITY
from memtend.backup.manifest import Manifest, ManifestName
from memtend.backup.pins import read_pins
from memtend.backup.report import BackupEntry, BackupList
from memtend.backup.repository import Repository
from memtend.clock import to_datetime
from memtend.codec.crypto import UserKey
from memtend.errors import ManifestDamaged, ObjectMissing
from memtend.objects import ObjectStore


def list_backups(
    repository: Repository, limit: int, verified_ms: Mapping[str, int | None]
) -> BackupList:
    """The newest `limit` backups. `verified_ms` says when each was last found whole."""
    pins: dict[str, list[str]] = {}
    for pin in read_pins(repository.store):
        pins.setdefault(pin.manifest, []).append(pin.name)
    names = repository.manifests()
    found, damaged = list[BackupEntry](), list[str]()
    for name in islice(reversed(names), limit):
        try:
            manifest = repository.get_manifest(name)
        except (ManifestDamaged, ObjectMissing):
            damaged.append(str(name))
            continue
        found.append(
            _entry(str(name), manifest, pins.get(str(name), []), verified_ms.get(str(name)))
        )
    return BackupList(
        url=repository.store.url,
        encrypted=repository.cipher is not None,
        total=len(names),
        backups=tuple(found),
        damaged=tuple(damaged),
    )


def find_noted(
    repository: Repository, store_id: str, note: str, limit: int
) -> tuple[ManifestName, Manifest] | None:
    """Of the newest `limit` backups the one of this store whose note ends with this."""
    for name in islice(reversed(repository.manifests()), limit):
        try:
            manifest = repository.get_manifest(name)
        except (ManifestDamaged, ObjectMissing):
            continue
        if manifest.why.endswith(note) and manifest.store.store_id == store_id:
            return name, manifest
    return None


def taken(store: ObjectStore, key: UserKey | None, store_id: str) -> tuple[datetime, ...]:
    """When each backup of one store was taken; raises if one cannot be read.

    None where nothing has ever been backed up. What has lost its identity may hold backups still.
    """
    if not store.exists(IDENTITY) and next(iter(store.list("manifests/")), None) is None:
        return ()
    repository = Repository.open(store, key)
    manifests = map(repository.get_manifest, repository.manifests())
    return tuple(one.at for one in manifests if one.store.store_id == store_id)


def _entry(name: str, one: Manifest, pins: list[str], verified_ms: int | None) -> BackupEntry:
    return BackupEntry(
        manifest=name,
        number=one.number,
        kind=one.kind,
        at=one.at,
        base=one.base,
        store_id=one.store.store_id,
        label=one.label,
        records=one.records,
        rows=one.rows,
        log_rows=one.log_rows,
        record_bytes=one.record_bytes,
        stored_bytes=sum(ref.stored_bytes for ref in one.segments),
        written_bytes=one.written_bytes,
        damaged_rows=one.damaged_rows,
        pins=tuple(sorted(pins)),
        verified_at=None if verified_ms is None else to_datetime(verified_ms),
        who=one.who,
        why=one.why,
        seconds=(one.finished_at - one.started_at).total_seconds(),
    )
