"""Records of rotation: which manifests went, and which objects waited to go.

    rotations/<number>-<hash>         canonical JSON; the hash in the name is that of the content

A record is written before anything it names is deleted, so that verification can tell a manifest
that rotation dropped from one that was lost. Each carries on what the one before it said as far as
anybody needs it: what a remaining manifest names as its parent, and what is still to be deleted.
The newest is therefore all that is needed, and the next rotation removes the others.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final, Literal, NamedTuple

import orjson
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from memtend.codec.compress import Damaged
from memtend.errors import ObjectDamaged
from memtend.formats import ROTATION_FORMAT
from memtend.limits import ROTATION_RECORD_BYTES_MAX
from memtend.objects import ObjectStore

FOLDER: Final = "rotations/"
_NAME: Final = re.compile(r"rotations/([0-9]{20})-([0-9a-f]{64})", re.ASCII)


class RecordName(NamedTuple):
    number: int
    digest: str

    def __str__(self) -> str:
        return f"{FOLDER}{self.number:020d}-{self.digest}"

    @classmethod
    def parse(cls, name: str) -> RecordName | None:
        match = _NAME.fullmatch(name)
        return cls(int(match[1]), match[2]) if match else None


class RotationRecord(BaseModel, frozen=True, extra="forbid"):
    """`waiting` says since when, in ms, an object has been seen that no manifest names."""

    format: Literal[1] = ROTATION_FORMAT
    repo_id: str
    number: int = Field(gt=0)
    at: AwareDatetime
    dropped: tuple[str, ...]
    waiting: dict[str, int] = {}

    def pack(self) -> tuple[RecordName, bytes]:
        data = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        return RecordName(self.number, sha256(data).hexdigest()), data


def list_records(store: ObjectStore) -> list[RecordName]:
    """Names of all records, oldest first."""
    listed = (RecordName.parse(info.name) for info in store.list(FOLDER))
    return sorted(name for name in listed if name is not None)


def read_record(store: ObjectStore, name: RecordName) -> RotationRecord:
    """A record; `ObjectDamaged` unless every byte is as it was written."""
    data = store.get(str(name), limit=ROTATION_RECORD_BYTES_MAX)
    try:
        if sha256(data).hexdigest() != name.digest:
            raise Damaged("its bytes do not match its name")
        record = RotationRecord.model_validate_json(data)
    except (Damaged, ValidationError) as error:
        why = str(error) if isinstance(error, Damaged) else "it is no record of a rotation"
        raise ObjectDamaged(url=store.url, name=str(name), why=why) from None
    return record


def put_record(store: ObjectStore, record: RotationRecord) -> RecordName:
    """Write a record and read it back."""
    name, data = record.pack()
    if len(data) > ROTATION_RECORD_BYTES_MAX:
        record = record.model_copy(update={"waiting": {}})
        name, data = record.pack()
    store.put_if_absent(str(name), data)
    read_record(store, name)
    return name
