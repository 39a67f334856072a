"""What an importer hands over: items, and what it could not or need not read, with the reason.

Nothing is dropped on the way: every file and every item of a source comes out as exactly one of
`ImportItem`, `Quarantined` or `PassedOver`. Lineage travels in `labels.extra["import"]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

import ormsgpack
from pydantic import BaseModel, ConfigDict, Field

from memtend.codec.canonical import admitted, encode
from memtend.codec.envelope import content_of
from memtend.crdt.rows import RowKind
from memtend.errors import InvalidName, InvalidValue, LimitExceeded
from memtend.limits_foreign import QUARANTINE_BYTES_MAX
from memtend.model.names import check_path
from memtend.model.record import Labels
from memtend.model.unreadable import Unreadable

LINEAGE: Final = "import"
_ID_CHARS: Final = 32


class Lineage(NamedTuple):
    """Where an item comes from. `import_id` names it for ever, `digest` this version of it.

    Neither depends on where the source lies or on when somebody last read the item. Both are 32 hex
    digits.
    """

    kind: str
    path: str
    id: str
    format: str
    version: str | None = None
    import_id: str = ""
    digest: str = ""


class OlderValue(NamedTuple):
    """A value that lost a conflict in the source and is kept as a sibling."""

    value: Any
    at_ms: int


class CopiedValue(NamedTuple):
    """A value as another store of ours had it. Without a deadline it is permanent, whatever the
    policy says here."""

    value: Any
    text: bytes
    labels: Labels
    created_ms: int | None
    updated_ms: int | None
    expires_ms: int | None
    ttl_ms: int | None


class Copied(NamedTuple):
    """What a record has that only comes out of another store of ours.

    `older` are concurrent values beside `top`, oldest first; `lineage` is where the record came
    from before it was exported, and stays.
    """

    field: str
    type: RowKind
    top: CopiedValue
    older: tuple[CopiedValue, ...] = ()
    lineage: Mapping[str, Any] | None = None


class ImportItem(NamedTuple):
    """One record to be, made by an importer and given its identity by `sealed`.

    Times are milliseconds since 1970, None where the source has none; `counter` values are totals.
    `expires_at_ms` is a deadline that the source itself gave; None leaves it to the policy.
    `without_metrics` says that the item should have counts of success and has none. `text` is the
    canonical JSON of the value, given by an importer that has it; `copied` has the rest of a record
    of another store; `pin` is a number for exactly this version of exactly this item, by which a
    plan remembers it.
    """

    namespace: str
    key: str
    value: Any
    labels: Labels
    source: Lineage
    siblings: tuple[OlderValue, ...] = ()
    counter: bool = False
    created_ms: int | None = None
    updated_ms: int | None = None
    accessed_ms: int | None = None
    access_count: int = 0
    expires_at_ms: int | None = None
    naive_times: int = 0
    without_metrics: bool = False
    copied: Copied | None = None
    text: bytes = b""
    pin: int = 0

    @property
    def size_bytes(self) -> int:
        return len(self.text)

    @property
    def path(self) -> str:
        return f"{self.namespace}/{self.key}"

    @property
    def field(self) -> str:
        """Of an element of a set, or of a map; else empty."""
        return self.copied.field if self.copied else ""


class Quarantined(BaseModel):
    """Something that cannot be read, as it is and why.

    `data` holds the bytes up to `QUARANTINE_BYTES_MAX`; beyond that, size and hash identify them.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    path: str
    id: str | None = None
    reason: str
    size_bytes: int = Field(ge=0)
    sha256: str
    data: bytes


class PassedOver(BaseModel, frozen=True, extra="forbid"):
    """A file that holds nothing of its own, and why."""

    path: str
    reason: str


Found = ImportItem | Quarantined | PassedOver


def printable(text: str) -> str:
    """JSON can hold half of a surrogate pair; a report cannot."""
    return text.encode("utf-8", "backslashreplace").decode()


def quarantined(path: str, reason: str, data: bytes, item_id: str | None = None) -> Quarantined:
    return Quarantined(
        path=printable(path),
        id=None if item_id is None else printable(item_id),
        reason=printable(reason),
        size_bytes=len(data),
        sha256=sha256(data).hexdigest(),
        data=data[:QUARANTINE_BYTES_MAX],
    )


def sealed(item: ImportItem, scope: str = "") -> ImportItem:
    """Check name and values, and give the item its identity; raises `Unreadable`.

    `scope` is where in the source the original id is unique.
    """
    source = item.source
    try:
        check_path(item.namespace, item.key)
        text = item.text
        text = admitted(text, item.value, item.key) if text else encode(item.value, item.key)
        whence = "\0".join((source.kind, scope, source.id)).encode()
        import_id = sha256(whence).hexdigest()[:_ID_CHARS]
        content = sha256(text)
        content.update(_rest(item))
    except (InvalidName, InvalidValue, LimitExceeded, TypeError, ValueError) as error:
        raise Unreadable(str(error)) from None
    digest = content.hexdigest()[:_ID_CHARS]
    pin = content_of(f"{import_id}{digest}".encode())
    named = Lineage._make((*source[:_IDENTITY], import_id, digest))
    return ImportItem._make((*item[:_SOURCE], named, *item[_SOURCE + 1 : _TEXT], text, pin))


_IDENTITY: Final = Lineage._fields.index("import_id")
_SOURCE: Final = ImportItem._fields.index("source")
_TEXT: Final = ImportItem._fields.index("text")


def _rest(item: ImportItem) -> bytes:
    """All that makes a version of an item besides its value."""
    labels = item.labels
    return ormsgpack.packb(
        (labels.kind, labels.agent, labels.session, labels.tags, labels.importance,
         labels.confidence, labels.success_count, labels.failure_count, labels.pinned,
         labels.writer, str(labels.trust), item.counter, item.created_ms, item.updated_ms,
         item.expires_at_ms, encode(labels.extra) if labels.extra else None,
         [(encode(older.value, item.key), older.at_ms) for older in item.siblings])
    )  # fmt: skip
