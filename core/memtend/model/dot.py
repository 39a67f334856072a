"""The name of one event (CRDT_SPEC 1.3). Apart from the models, so that it costs no pydantic."""

from __future__ import annotations

from typing import NamedTuple


class Dot(NamedTuple):
    """Event `n` of replica `replica` (32 hex digits), counted from 1 without gaps."""

    replica: str
    n: int
