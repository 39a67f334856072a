"""What a backup did, and what a verification found. Data, safe to print and to keep."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel

from memtend.objects import Capabilities


class BackupReport(BaseModel, frozen=True, extra="forbid"):
    """One backup taken. `manifest` is the name to keep outside of the repository.

    `base` is the backup that an increment builds on, `depth` how many it builds on in all.
    The whole state that the backup gives has `records` rows of `record_bytes` bytes; the backup
    itself holds `rows` of them and `log_rows` entries of the change log.
    `raw_bytes` is what its segments came to, `stored_bytes` what their objects hold,
    `written_bytes` what had to be written because no earlier backup held it.
    `damaged` names rows left out because they do not match their hash, up to a hundred.
    `capabilities` of the target are tried with full backups.
    """

    operation: str = "backup"
    url: str
    manifest: str
    number: int
    kind: str
    parent: str | None
    base: str | None
    depth: int
    store_id: str
    label: str
    who: str
    why: str
    at: AwareDatetime
    seq: int
    seq_after: int
    root: str | None
    state_sum: str
    records: int
    record_bytes: int
    rows: int
    log_rows: int
    segments: int
    segments_new: int
    raw_bytes: int
    stored_bytes: int
    written_bytes: int
    damaged_rows: int = 0
    damaged: tuple[str, ...] = ()
    encrypted: bool
    capabilities: Capabilities | None
    started_at: AwareDatetime
    finished_at: AwareDatetime
    seconds: float
    notes: tuple[str, ...] = ()


class BackupEntry(BaseModel, frozen=True, extra="forbid"):
    """One backup in a list. `verified_at`: when this store last found it whole."""

    manifest: str
    number: int
    kind: str
    at: AwareDatetime
    base: str | None
    store_id: str
    label: str
    records: int
    rows: int
    log_rows: int
    record_bytes: int
    stored_bytes: int
    written_bytes: int
    damaged_rows: int
    pins: tuple[str, ...]
    verified_at: AwareDatetime | None
    who: str
    why: str
    seconds: float


class BackupList(BaseModel, frozen=True, extra="forbid"):
    """Backups, newest first. `total` counts all; `damaged` names manifests that are unreadable."""

    url: str
    encrypted: bool
    total: int
    backups: tuple[BackupEntry, ...]
    damaged: tuple[str, ...] = ()


class FindingKind(StrEnum):
    REPOSITORY = "repository"
    MANIFEST_MISSING = "manifest missing"
    MANIFEST_DAMAGED = "manifest damaged"
    MANIFEST_FOREIGN = "manifest foreign"
    MANIFEST_FORK = "manifest fork"
    OBJECT_MISSING = "object missing"
    OBJECT_DAMAGED = "object damaged"
    OBJECT_UNREADABLE = "object unreadable"
    ROW_DAMAGED = "row damaged"
    COUNT_WRONG = "count wrong"
    ROOT_WRONG = "root wrong"
    SUM_WRONG = "state sum wrong"
    LINEAGE_WRONG = "lineage wrong"
    RECORD_DAMAGED = "rotation record damaged"
    PIN_DAMAGED = "pin damaged"
    KEY_DAMAGED = "key damaged"
    UNREFERENCED = "unreferenced"


class Finding(BaseModel, frozen=True, extra="forbid"):
    """One thing found, about one object. Only where `damage` is true is a backup the worse."""

    kind: FindingKind
    name: str
    why: str
    damage: bool = True


class VerifyReport(BaseModel, frozen=True, extra="forbid"):
    """What a verification looked at and found.

    `whole` are the backups that came out whole, with all that they build on, in the sense of this
    run (quick or deep). `findings` may be cut off; the counts never are.

    `checked` objects were read in this run. `complete` says that every object of every backup has
    been looked at, now or in the earlier runs that this one went on from; `oldest_check_at` is then
    when the first of them was. `remaining` objects are left for the next run.
    """

    operation: str = "verify"
    url: str
    deep: bool
    manifests: int = 0
    newest: str | None = None
    root: str | None = None
    whole: tuple[str, ...] = ()
    objects: int = 0
    checked: int = 0
    remaining: int = 0
    complete: bool = False
    oldest_check_at: AwareDatetime | None = None
    rows: int = 0
    read_bytes: int = 0
    damage_count: int = 0
    garbage_count: int = 0
    garbage_bytes: int = 0
    findings: tuple[Finding, ...] = ()
    started_at: AwareDatetime
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.damage_count == 0
