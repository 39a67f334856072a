"""What the archive says about itself: which archive it is, what each object holds, what is unused.

Stored as canonical JSON in one zstd frame, sealed where the archive is encrypted, under
`manifests/<number, 20 digits>-<SHA-256 of the stored bytes>`. Numbers only grow.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple

import orjson
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from memtend.codec.compress import Damaged
from memtend.codec.frame import pack_frame, unpack_frame
from memtend.errors import ArchiveForeign
from memtend.formats import ARCHIVE_FORMAT
from memtend.limits import MANIFEST_BYTES_MAX

_ID: Final = r"^[0-9a-f]{32}$"
_HASH: Final = r"^[0-9a-f]{64}$"
_NAME: Final = re.compile(r"manifests/([0-9]{20})-([0-9a-f]{64})", re.ASCII)


class Identity(BaseModel, frozen=True, extra="forbid"):
    """`memtend.json`, written once. An archive belongs to one store; `key_id` is its data key."""

    format: Literal[1] = ARCHIVE_FORMAT
    kind: Literal["archive"] = "archive"
    archive_id: str = Field(pattern=_ID)
    store_id: str
    key_id: str | None = Field(default=None, pattern=_ID)

    def pack(self) -> bytes:
        fields: dict[str, Any] = self.model_dump(mode="json")
        check = sha256(_canonical(fields)).hexdigest()
        return _canonical(fields | {"check": check})


class BlockRef(NamedTuple):
    offset: int
    length: int
    records: int


class Part(BaseModel, frozen=True, extra="forbid"):
    """One object and what is in it. A run writes one part after the other.

    `runs` and `rules` count its records by the run that archived them and the rule that held;
    `text_bytes` is what the values take as JSON. `replaces` names an object that an erasure took
    away: addresses in it, in an old backup, are looked up here.
    """

    format: Literal[1] = ARCHIVE_FORMAT
    kind: Literal["part"] = "part"
    archive_id: str
    number: int = Field(gt=0)
    object: str = Field(pattern=_HASH)
    stored_bytes: int = Field(gt=0)
    text_bytes: int = Field(ge=0)
    records: int = Field(gt=0)
    blocks: tuple[BlockRef, ...]
    runs: dict[int, int]
    rules: dict[str, int]
    at: AwareDatetime
    why: Literal["run", "compact", "erase"] = "run"
    replaces: tuple[str, ...] = ()
    program: str = ""


class Unused(BaseModel, frozen=True, extra="forbid"):
    """Objects that no record names any more, and since when; the newest list holds."""

    format: Literal[1] = ARCHIVE_FORMAT
    kind: Literal["unused"] = "unused"
    archive_id: str
    number: int = Field(gt=0)
    since: dict[str, AwareDatetime]
    at: AwareDatetime


Said = Part | Unused
_SAID: Final[TypeAdapter[Said]] = TypeAdapter(Part | Unused)


class Name(NamedTuple):
    """Of a manifest, ordered by number. `str()` is the object's name."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"manifests/{self.number:020d}-{self.digest}"

    @classmethod
    def parse(cls, name: str) -> Name | None:
        match = _NAME.fullmatch(name)
        return cls(int(match[1]), match[2]) if match else None


def pack(said: Said) -> bytes:
    return pack_frame(_canonical(said.model_dump(mode="json")))


def unpack(data: bytes, archive_id: str, number: int) -> Said:
    """What `pack` packed for this archive; raises `Damaged`."""
    try:
        said = _SAID.validate_json(unpack_frame(data, MANIFEST_BYTES_MAX))
    except ValidationError as error:
        raise Damaged(f"it is no manifest of format {ARCHIVE_FORMAT}") from error
    if (said.archive_id, said.number) != (archive_id, number):
        raise Damaged(f"it is number {said.number} of archive {said.archive_id}")
    return said


def read_identity(data: bytes, url: str) -> Identity:
    """What `memtend.json` says; raises `ArchiveForeign`."""
    try:
        fields = orjson.loads(data)
        found = Identity.model_validate({k: v for k, v in fields.items() if k != "check"})
    except (orjson.JSONDecodeError, ValidationError, AttributeError):
        why = "its memtend.json is damaged, or that of something else"
        raise ArchiveForeign(url=url, why=why) from None
    if found.pack() != data:
        raise ArchiveForeign(url=url, why="its memtend.json does not match its check")
    return found


def _canonical(fields: dict[str, Any]) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
