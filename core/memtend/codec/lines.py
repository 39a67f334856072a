"""Records as JSON lines: one line each, between a head that says what this is and an end.

    {"memtend":"export","format":1,"store":"…","seq":412,"at":"2026-11-03T14:03:00.000Z"}
    {"namespace":"notes","key":"rest","value":{"max":3},"created":"…","updated":"…"}
    {"memtend":"end","records":1}

What a line does not say is as `Labels` has it where nobody said anything; without `expires` a
record is permanent. Lines without an end are the beginning of an export that was cut off. A new
member is a new format number; a reader refuses what it does not know.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson
import ormsgpack

from memtend.codec.canonical import refuse_not_finite
from memtend.codec.envelope import LABELS, Body
from memtend.crdt.rows import RowKind
from memtend.formats import EXPORT_FORMAT

MARK: Final = "memtend"
HEAD: Final = "export"
END: Final = "end"
TYPES: Final = {
    RowKind.COUNTER: "counter",
    RowKind.ELEMENT: "element",
    RowKind.FIELD: "field",
}
"""What `type` says; a plain value has none."""

OF_VERSION: Final = frozenset(("value", "labels", "created", "updated", "expires", "ttl_ms"))
OF_LINE: Final = OF_VERSION | {"namespace", "key", "field", "type", "access", "siblings"}
"""What a line, and a sibling in it, may say."""

_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE
_LABELS: Final = Body._fields[LABELS]
_DEFAULTS: Final = dict(
    zip(
        _LABELS,
        ("note", None, None, (), 0.5, None, None, None, False, None, "unverified"),
        strict=True,
    )
)


class Version(NamedTuple):
    """A value as one writer left it, with its times. `body` has its labels."""

    text: bytes
    body: Body
    created_ms: int
    updated_ms: int
    expires_ms: int | None


class Line(NamedTuple):
    """One record. `older` are the concurrent values beside `top`, oldest first."""

    namespace: str
    key: str
    field: str
    type: RowKind
    top: Version
    older: tuple[Version, ...] = ()
    reads: int = 0
    read_ms: int = 0


def head_line(store: str, seq: int, at_ms: int, chosen: dict[str, str]) -> bytes:
    said = {MARK: HEAD, "format": EXPORT_FORMAT, "store": store, "seq": seq, "at": time_text(at_ms)}
    return orjson.dumps(said | ({"chosen": chosen} if chosen else {}), option=_OPTIONS)


def end_line(records: int) -> bytes:
    return orjson.dumps({MARK: END, "records": records}, option=_OPTIONS)


def line_of(line: Line) -> bytes:
    """Raises `TypeError` or `InvalidValue` where labels hold what JSON cannot say."""
    said: dict[str, Any] = {"namespace": line.namespace, "key": line.key}
    if line.field:
        said["field"] = line.field
    if line.type in TYPES:
        said["type"] = TYPES[line.type]
    said |= _said(line.top)
    if line.reads:
        said["access"] = {"count": line.reads, "at": time_text(line.read_ms)}
    if line.older:
        said["siblings"] = [_said(one) for one in line.older]
    return orjson.dumps(said, option=_OPTIONS)


def _said(version: Version) -> dict[str, Any]:
    said: dict[str, Any] = {"value": orjson.Fragment(version.text)}
    if labels := labels_said(version.body):
        said["labels"] = labels
    said["created"] = time_text(version.created_ms)
    said["updated"] = time_text(version.updated_ms)
    if version.expires_ms is not None:
        said["expires"] = time_text(version.expires_ms)
    if version.body.ttl_ms is not None:
        said["ttl_ms"] = version.body.ttl_ms
    return said


def labels_said(body: Body) -> dict[str, Any]:
    """The labels that differ from what they are where nobody said anything."""
    given = zip(_LABELS, tuple(body)[LABELS], strict=True)
    said = {name: value for name, value in given if value != _DEFAULTS[name]}
    if body.extra:
        extra = ormsgpack.unpackb(body.extra)
        refuse_not_finite(extra, "extra")
        said["extra"] = extra
    return said


def time_text(ms: int) -> str:
    at = datetime.fromtimestamp(ms // 1_000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1_000:03d}Z"
