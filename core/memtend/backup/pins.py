"""Pins: backups that rotation must keep, each under a name that somebody gave it.

    pins/<name>                       JSON with a check over the rest of it

A pin keeps one backup, and thereby what it builds on. It is put and taken away under the lease that
takes and rotates, so that nothing is pinned in the moment it goes.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ValidationError

from memtend.backup.lease import RepositoryLease
from memtend.backup.manifest import ManifestName
from memtend.backup.repository import Repository
from memtend.backup.take import PURPOSE
from memtend.clock import Clock, to_datetime
from memtend.errors import BackupUnknown, InvalidName, LimitExceeded, ObjectDamaged
from memtend.formats import PIN_FORMAT
from memtend.limits import PIN_BYTES_MAX, PINS_MAX
from memtend.objects import ObjectStore

FOLDER: Final = "pins/"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


class Pin(BaseModel, frozen=True, extra="forbid"):
    """`manifest` is the full name of the backup; `repo_id` ties the pin to its repository."""

    format: Literal[1] = PIN_FORMAT
    name: str
    repo_id: str
    manifest: str
    who: str = ""
    why: str = ""
    at: AwareDatetime

    def pack(self) -> bytes:
        fields = self.model_dump(mode="json")
        check = sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()
        return orjson.dumps(fields | {"check": check}, option=orjson.OPT_SORT_KEYS)


def read_pins(store: ObjectStore) -> list[Pin]:
    """All pins, by name. A damaged one raises: nobody knows what it kept."""
    listed = [info.name for info in store.list(FOLDER)]
    if len(listed) > PINS_MAX:
        raise LimitExceeded(what="pins", name=store.url, actual=len(listed), limit=PINS_MAX)
    return [read_pin(store, name) for name in listed]


def read_pin(store: ObjectStore, name: str) -> Pin:
    """The pin stored as `name`; `ObjectDamaged` unless every byte is as it was written."""
    data = store.get(name, limit=PIN_BYTES_MAX)
    try:
        fields = orjson.loads(data)
        pin = Pin.model_validate({k: v for k, v in fields.items() if k != "check"})
    except (orjson.JSONDecodeError, ValidationError, AttributeError):
        raise ObjectDamaged(url=store.url, name=name, why="it is no pin") from None
    if pin.pack() != data or FOLDER + pin.name != name:
        raise ObjectDamaged(url=store.url, name=name, why="it does not match its check or its name")
    return pin


def pin(
    repository: Repository,
    clock: Clock,
    name: str,
    manifest: ManifestName,
    *,
    who: str = "",
    why: str = "",
) -> Pin:
    """Keep `manifest` from now on. The same again changes nothing; another is refused."""
    if _NAME.fullmatch(name) is None:
        why = "letters, digits, '.', '_' and '-', up to 100"
        raise InvalidName(what="pin", name=name[:100], why=f"a pin is named with {why}")
    made = Pin(
        name=name,
        repo_id=repository.identity.repo_id,
        manifest=str(manifest),
        who=who,
        why=why,
        at=to_datetime(clock.now_ms()),
    )
    store = repository.store
    with RepositoryLease(store, PURPOSE, clock.new_id(), clock) as lease:
        repository.get_manifest(manifest)
        lease.check()
        store.put_if_absent(FOLDER + name, made.pack())
        found = read_pin(store, FOLDER + name)
    if found.manifest != made.manifest:
        raise InvalidName(what="pin", name=name, why=f"it pins {found.manifest} already")
    return found


def unpin(store: ObjectStore, clock: Clock, name: str) -> None:
    """Let rotation decide again; `BackupUnknown` if there is no such pin."""
    if _NAME.fullmatch(name) is None:
        raise BackupUnknown(url=store.url, what="pin", name=name[:100])
    with RepositoryLease(store, PURPOSE, clock.new_id(), clock) as lease:
        if not store.exists(FOLDER + name):
            raise BackupUnknown(url=store.url, what="pin", name=name)
        lease.check()
        store.delete(FOLDER + name)


def pins_by_manifest(pins: list[Pin]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in pins:
        found[one.manifest] = (*found.get(one.manifest, ()), one.name)
    return found
