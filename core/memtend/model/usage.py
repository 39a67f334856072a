"""What is known of a record without its value: what the archive's rules decide by."""

from __future__ import annotations

from typing import NamedTuple


class Usage(NamedTuple):
    """One record that could be archived. `read_ms` is None where no read was ever counted.

    `text_bytes` is the length of the value as JSON, `value_bytes` as stored, `row_bytes` of value
    and metadata as stored.
    """

    seq: int
    namespace: str
    key: str
    kind: str
    importance: float
    created_ms: int
    written_ms: int
    expires_ms: int | None
    read_ms: int | None
    accesses: int
    text_bytes: int
    value_bytes: int
    row_bytes: int
