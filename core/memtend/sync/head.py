"""What one replica says of itself in a place: who it is, what it has seen, what it published.

A head is immutable like everything else there: a new one gets the next number, and its name holds
the hash of its bytes. `vv` is what the replica has seen, which is its acknowledgement to all
others; what can be fetched from it is `published`, the vector of its last delta.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, NamedTuple

import orjson
from pydantic import BaseModel, Field, ValidationError

from memtend.codec.compress import Damaged
from memtend.codec.frame import pack_frame, unpack_frame
from memtend.formats import PLACE_FORMAT
from memtend.limits import (
    INTEGER_ABS_MAX,
    LABEL_CHARS_MAX,
    OBJECT_BYTES_MAX,
    PLACE_COMPLAINTS_MAX,
    PLACE_DELTAS_MAX,
    PLACE_HEAD_BYTES_MAX,
    PLACE_PAGES_MAX,
    REPLICAS_MAX,
)

HEADS: Final = "heads"
_NAME: Final = re.compile(rf"{HEADS}/([0-9a-f]{{32}})/([0-9]{{20}})-([0-9a-f]{{64}})", re.ASCII)
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[int, Field(ge=0, le=INTEGER_ABS_MAX)]
Vector = Annotated[
    dict[Id, Annotated[int, Field(gt=0, le=INTEGER_ABS_MAX)]], Field(max_length=REPLICAS_MAX)
]


class HeadName(NamedTuple):
    """Of several heads of a replica the greatest is the newest."""

    replica: str
    number: int
    digest: str

    def __str__(self) -> str:
        return f"{HEADS}/{self.replica}/{self.number:020d}-{self.digest}"

    @classmethod
    def parse(cls, name: str) -> HeadName | None:
        found = _NAME.fullmatch(name)
        return cls(found[1], int(found[2]), found[3]) if found else None


class PageRef(BaseModel, frozen=True, extra="forbid"):
    sha256: Hash
    size: int = Field(gt=0, le=OBJECT_BYTES_MAX)


class Published(BaseModel, frozen=True, extra="forbid"):
    """One delta: who has seen `since` has seen `vv` after it. A `full` one needs nothing seen."""

    since: Vector
    vv: Vector
    full: bool
    pages: tuple[PageRef, ...] = Field(min_length=1, max_length=PLACE_PAGES_MAX)

    @property
    def bytes(self) -> int:
        return sum(page.size for page in self.pages)


class Head(BaseModel, frozen=True, extra="forbid"):
    """`retired` are the replicas that this one no longer hears; `name` is for people.

    `complaints` are pages of others that it found damaged: who owns one publishes anew.
    """

    format: Literal[1] = PLACE_FORMAT
    replica: Id
    store_id: Id
    epoch: Number
    number: Number
    name: str = Field(default="", max_length=LABEL_CHARS_MAX)
    vv: Vector
    floor: Vector
    sent_ms: Number
    retired: tuple[Id, ...] = Field(default=(), max_length=REPLICAS_MAX)
    deltas: tuple[Published, ...] = Field(default=(), max_length=PLACE_DELTAS_MAX + 1)
    complaints: tuple[Hash, ...] = Field(default=(), max_length=PLACE_COMPLAINTS_MAX)

    @property
    def published(self) -> dict[str, int]:
        """What somebody has seen who took all deltas."""
        return self.deltas[-1].vv if self.deltas else {}

    @property
    def pages(self) -> dict[str, int]:
        """Size by hash of every page that it names."""
        return {page.sha256: page.size for delta in self.deltas for page in delta.pages}

    def pack(self) -> bytes:
        text = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        return pack_frame(text)


def parse_head(name: HeadName, data: bytes) -> Head:
    """The head in `data`, whose bytes have been compared with `name`; raises `Damaged`."""
    try:
        head = Head.model_validate_json(unpack_frame(data, PLACE_HEAD_BYTES_MAX))
    except ValidationError as error:
        raise Damaged(f"it is no head of format {PLACE_FORMAT}") from error
    if (head.replica, head.number) != (name.replica, name.number):
        raise Damaged("it lies under another replica's name")
    return head
