"""The columns of the older swarm program: packed JSON, and times of two kinds."""

from __future__ import annotations

from datetime import UTC, tzinfo
from hashlib import sha256
from typing import Any

from memtend.limits import VALUE_BYTES_MAX
from memtend.limits_foreign import IMPORT_METADATA_BYTES_MAX
from memtend.migrate.files import parse_json, refuse_doubled_keys
from memtend.migrate.gunzip import MAGIC, gunzip
from memtend.migrate.swarm_place import text_of
from memtend.model.timestamps import Moment, parse_moment
from memtend.model.unreadable import Unreadable


def packed_value(blob: Any, stated: Any) -> Any:
    """The value of gzip'd JSON (or of JSON that nobody packed), checked against the row's hash."""
    if blob is None:
        raise Unreadable("it has no data")
    data = blob.encode() if isinstance(blob, str) else blob
    if not isinstance(data, bytes):
        raise Unreadable("its data is neither packed nor text")
    text = gunzip(data) if data.startswith(MAGIC) else bytes(data)
    if not isinstance(stated, str) or sha256(text).hexdigest() != stated.lower():
        raise Unreadable("its data does not match its hash")
    return _checked(text)


def json_text(values: dict[str, Any], column: str) -> Any:
    """The value of a column of JSON text, None where it is empty."""
    text = text_of(values, column)
    if text is None:
        return None
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > VALUE_BYTES_MAX:
        raise Unreadable(f"its {column} is longer than {VALUE_BYTES_MAX:,} bytes")
    return _checked(data)


def metadata_of(values: dict[str, Any]) -> Any:
    """JSON, or the text as it is where it is none. Labels are no place for long documents."""
    text = text_of(values, "metadata")
    if not text:
        return None
    if len(text) > IMPORT_METADATA_BYTES_MAX:
        raise Unreadable(f"its metadata is longer than {IMPORT_METADATA_BYTES_MAX:,} characters")
    try:
        return _checked(text.encode("utf-8", "surrogatepass"))
    except Unreadable:
        return text


def time_of(values: dict[str, Any], column: str, zone: tzinfo) -> Moment | None:
    """None where nothing is said; raises `NotATime`.

    SQLite wrote `YYYY-MM-DD HH:MM:SS`, which is UTC; Python wrote a `T` between date and time, and
    local time. A deadline is always local.
    """
    text = values.get(column)
    if text is None:
        return None
    if column != "expires_at" and isinstance(text, str) and "T" not in text:
        return parse_moment(text, UTC)._replace(naive=False)
    return parse_moment(text, zone)


def _checked(data: bytes) -> Any:
    value = parse_json(data)
    refuse_doubled_keys(value)
    return value
