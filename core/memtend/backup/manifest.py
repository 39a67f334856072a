"""Manifests: the only commit of a repository. What no manifest names is garbage, never damage.

Stored as canonical JSON in one zstd frame, encrypted where the repository is, under
`manifests/<number, 20 digits>-<SHA-256 of the stored bytes>`. Numbers count the manifests of a
repository; `parent` names the one before, so that one gone missing is noticed by the next. A field
added later has a default; a change that an older reader would misread takes a new format number.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, Literal, NamedTuple

import orjson
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from memtend.codec.compress import Damaged
from memtend.codec.frame import pack_frame, unpack_frame
from memtend.codec.segment import Key, SegmentKind, Table
from memtend.errors import LimitExceeded
from memtend.formats import MANIFEST_FORMAT
from memtend.limits import MANIFEST_BYTES_MAX
from memtend.model.stored import StoreState

_NAME: Final = re.compile(r"manifests/([0-9]{20})-([0-9a-f]{64})", re.ASCII)


class BackupKind(StrEnum):
    FULL = "full"
    INCREMENTAL = "incremental"
    SYNTHETIC = "synthetic full"


class ManifestName(NamedTuple):
    """Ordered by number. `str()` is the object's name."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"manifests/{self.number:020d}-{self.digest}"

    @classmethod
    def parse(cls, name: str) -> ManifestName | None:
        match = _NAME.fullmatch(name)
        return cls(int(match[1]), match[2]) if match else None


class SegmentRef(BaseModel, frozen=True, extra="forbid"):
    """A segment and what must be found in it. `stored_bytes` is the object's length."""

    object: str = Field(pattern=r"^[0-9a-f]{64}$")
    kind: SegmentKind
    table: Table
    first: Key
    last: Key
    rows: int = Field(gt=0)
    raw_bytes: int = Field(gt=0)
    stored_bytes: int = Field(gt=0)


class Count(BaseModel, frozen=True, extra="forbid"):
    rows: int
    bytes: int


class StoreFacts(BaseModel, frozen=True, extra="forbid"):
    """The identity and the clocks of the store at the instant of the snapshot."""

    store_id: str
    replica: str
    epoch: int
    lease_epoch: int
    schema_version: str
    seq: int
    hlc: int
    vv: dict[str, int]
    floor: dict[str, int]
    audit_n: int
    audit_head: str
    sum: str
    tokens: dict[str, int]
    policy_digest: str | None

    @classmethod
    def of(cls, state: StoreState) -> StoreFacts:
        given = state._asdict()
        given["schema_version"] = given.pop("schema")
        return cls(**given | {"audit_head": state.audit_head.hex(), "sum": state.sum.hex()})


class Manifest(BaseModel, frozen=True, extra="forbid"):
    """One backup. It holds changes with a sequence number in (`seq_after`, `store.seq`].

    `parent` is the manifest before it in the repository, `base` the one that an increment builds
    on. `at` is the instant of the snapshot: what was acknowledged before it is in the backup.
    Audit entries are those after `audit_after`.

    What its segments hold is counted in `rows`, `log_rows`, `raw_bytes` and, per namespace, in
    `counts`, where namespaces beyond `MANIFEST_NAMESPACES_MAX` are summed under `**`. Of their
    objects `written_bytes` were new. The whole state that it gives, with all it builds on, has
    `records` rows of `record_bytes` bytes whose hashes add up to `state_sum` (see
    `StoreState.sum`), and the root hash `root` where that was computed.

    `damaged_rows` counts rows that did not match their hash in the store and were left out;
    `left_out` names the first of them. `label` says what kind of store it came from, and no host.
    """

    format: Literal[1] = MANIFEST_FORMAT
    repo_id: str
    number: int = Field(gt=0)
    kind: BackupKind
    parent: str | None
    base: str | None = None
    seq_after: int = Field(ge=0)
    audit_after: int = Field(default=0, ge=0)
    at: AwareDatetime
    store: StoreFacts
    segments: tuple[SegmentRef, ...]
    rows: int
    log_rows: int
    raw_bytes: int
    written_bytes: int = 0
    counts: dict[str, Count]
    records: int = Field(ge=0)
    record_bytes: int = Field(ge=0)
    state_sum: str = Field(pattern=r"^[0-9a-f]{32}$")
    damaged_rows: int = 0
    left_out: tuple[str, ...] = ()
    root: str | None
    label: str = ""
    who: str
    why: str
    program: str
    started_at: AwareDatetime
    finished_at: AwareDatetime

    def pack(self) -> bytes:
        """What is stored, or encrypted and stored."""
        text = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        if len(text) > MANIFEST_BYTES_MAX:
            raise LimitExceeded(
                what="manifest", name=self.repo_id, actual=len(text), limit=MANIFEST_BYTES_MAX
            )
        return pack_frame(text)


def parse_manifest(name: ManifestName, data: bytes) -> Manifest:
    """The manifest in `data`, whose bytes have been compared with `name`; raises `Damaged`."""
    try:
        manifest = Manifest.model_validate_json(unpack_frame(data, MANIFEST_BYTES_MAX))
    except ValidationError as error:
        raise Damaged(f"it is no manifest of format {MANIFEST_FORMAT}") from error
    if manifest.number != name.number:
        raise Damaged(f"it is number {manifest.number}, stored as {name.number}")
    return manifest
