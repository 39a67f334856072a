"""What lies in a repository beside its backups: records of rotations, pins, wrapped keys."""

from __future__ import annotations

from memtend.backup import pins
from memtend.backup import rotation_record as records
from memtend.backup.chain import Chain
from memtend.backup.crypto import FOLDER as KEYS
from memtend.backup.crypto import Encryption, check_wrapping
from memtend.backup.findings import Findings
from memtend.backup.report import FindingKind
from memtend.errors import ObjectDamaged, ObjectMissing
from memtend.objects import ObjectStore


def read_dropped(store: ObjectStore, repo_id: str | None, findings: Findings) -> frozenset[str]:
    """The manifests that rotation took out, as far as anybody still asks for them."""
    dropped: set[str] = set()
    for info in store.list(records.FOLDER):
        name = records.RecordName.parse(info.name)
        if name is None:
            why = "its name is none of a rotation record"
            findings.add(FindingKind.RECORD_DAMAGED, info.name, why)
            continue
        try:
            record = records.read_record(store, name)
        except (ObjectDamaged, ObjectMissing) as error:
            findings.add(FindingKind.RECORD_DAMAGED, info.name, str(error))
            continue
        if repo_id is not None and record.repo_id != repo_id:
            why = f"it belongs to repository {record.repo_id}"
            findings.add(FindingKind.RECORD_DAMAGED, info.name, why)
            continue
        dropped.update(record.dropped)
    return frozenset(dropped)


def check_pins(store: ObjectStore, repo_id: str | None, chain: Chain, findings: Findings) -> None:
    """A pin that cannot be read stops every rotation; one of a lost backup says that it is lost."""
    known = set(map(str, chain))
    for info in store.list(pins.FOLDER):
        try:
            pin = pins.read_pin(store, info.name)
        except (ObjectDamaged, ObjectMissing) as error:
            findings.add(FindingKind.PIN_DAMAGED, info.name, str(error))
            continue
        if repo_id is not None and pin.repo_id != repo_id:
            why = f"it belongs to repository {pin.repo_id}"
            findings.add(FindingKind.PIN_DAMAGED, info.name, why)
        elif pin.manifest not in known:
            findings.add(FindingKind.MANIFEST_MISSING, pin.manifest, f"pin {pin.name!r} keeps it")


def check_keys(store: ObjectStore, encryption: Encryption | None, findings: Findings) -> None:
    """Wrappings that another user's key may need."""
    for info in store.list(KEYS):
        if encryption is None or not info.name.startswith(f"{KEYS}{encryption.key_id}-"):
            why = "it is no key of this repository"
            findings.add(FindingKind.UNREFERENCED, info.name, why, damage=False)
        elif why := check_wrapping(store, info.name):
            findings.add(FindingKind.KEY_DAMAGED, info.name, why)
