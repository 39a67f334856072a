"""Which backup a restore starts from, why that one, and how far the world has come since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, takewhile
from typing import NamedTuple

from memtend.backup.layers import Manifests
from memtend.backup.manifest import Manifest, ManifestName
from memtend.backup.repository import Repository
from memtend.clock import to_datetime, to_ms
from memtend.errors import BackupUnknown, NoBackup, RestoreRefused
from memtend.store.adapting import Reached


class Choice(NamedTuple):
    """`newest` is the newest backup of the same store, `after` the first one behind the wished
    moment that continues the chosen one. `foreign`: it is no backup of the live store."""

    name: ManifestName
    manifest: Manifest
    why: str
    newest: ManifestName
    after: ManifestName | None
    foreign: bool


def choose(
    repository: Repository,
    manifests: Manifests,
    *,
    store_id: str | None,
    moment_ms: int | None = None,
    manifest: str | None = None,
) -> Choice:
    """The backup named, else the newest at or before the moment, else the newest.

    Raises `NoBackup`, `BackupUnknown`, `RestoreRefused` (the moment is before all backups), and
    `ManifestDamaged` rather than pass over a backup that cannot be read.
    """
    names = repository.manifests()
    if not names:
        raise NoBackup(url=repository.store.url)
    if manifest is not None:
        name = _named(repository, names, manifest)
        found = _get(repository, manifests, name)
        ours = _of_store(repository, manifests, names, found.store.store_id)
        newest, after = next(ours), None
        if moment_ms is not None:
            newer = takewhile(lambda one: one > name, chain([newest], ours))
            after = _first_after(manifests, newer, found, moment_ms)
        foreign = store_id not in (None, found.store.store_id)
        return Choice(name, found, "it was asked for by name", newest, after, foreign)
    whose = "in this place" if store_id is None else "of this store"
    first = next(_of_store(repository, manifests, names, store_id), None)
    foreign = first is None
    if first is None:  # of whichever store was backed up here last
        store_id, whose = None, "in this place"
        first = next(_of_store(repository, manifests, names, None))
    if moment_ms is None:
        return Choice(first, manifests[first], f"it is the newest {whose}", first, None, foreign)
    later: list[ManifestName] = []
    for name in _of_store(repository, manifests, names, store_id):
        found = manifests[name]
        if to_ms(found.at) <= moment_ms:
            why = f"it is the newest {whose} at or before {_show(to_datetime(moment_ms))}"
            after = _first_after(manifests, later, found, moment_ms)
            return Choice(name, found, why, first, after, foreign)
        later.append(name)
    raise RestoreRefused(why=f"the oldest backup {whose} is of {_show(found.at)}")


def _first_after(
    manifests: Manifests, newer: Iterable[ManifestName], found: Manifest, moment_ms: int
) -> ManifestName | None:
    """Of newer backups, newest first: the first behind the moment that continues the found one."""
    after = [one for one in newer if to_ms(manifests[one].at) > moment_ms]
    return next((one for one in reversed(after) if continues(manifests[one], found)), None)


def _show(at: datetime) -> str:
    return at.isoformat(" ", "seconds")


def continues(later: Manifest, earlier: Manifest) -> bool:
    """Whether both are of one line of history, so that what lies between can be told."""
    ours, theirs = later.store, earlier.store
    return (ours.store_id, ours.replica) == (theirs.store_id, theirs.replica) and (
        ours.seq >= theirs.seq and ours.audit_n >= theirs.audit_n
    )


def reached(manifests: Iterable[Manifest], store_id: str) -> Reached:
    """How far the monotone things had come by any of these backups of one store."""
    far = Reached()
    for one in manifests:
        facts = one.store
        if facts.store_id == store_id:
            given = (facts.seq, facts.hlc, facts.epoch, facts.lease_epoch, facts.tokens)
            far = far.join(Reached(*given))
    return far


def _of_store(
    repository: Repository,
    manifests: Manifests,
    names: Sequence[ManifestName],
    store_id: str | None,
) -> Iterator[ManifestName]:
    """Backups of one store (of the newest one's store where none is given), newest first."""
    for name in reversed(names):
        found = _get(repository, manifests, name).store.store_id
        store_id = store_id or found
        if found == store_id:
            yield name


def _get(repository: Repository, manifests: Manifests, name: ManifestName) -> Manifest:
    if name not in manifests:
        manifests[name] = repository.get_manifest(name)
    return manifests[name]


def _named(repository: Repository, names: Sequence[ManifestName], wanted: str) -> ManifestName:
    """By its whole name, its number, or the beginning of its hash."""
    found = [
        name
        for name in names
        if str(name) == wanted
        or (wanted.isdecimal() and name.number == int(wanted))
        or (len(wanted) >= _PREFIX_MIN and name.digest.startswith(wanted))
    ]
    if len(found) != 1:
        raise BackupUnknown(url=repository.store.url, what="backup", name=wanted)
    return found[0]


_PREFIX_MIN = 8
