"""What an operation knows of a store before it plans. Read once, in one go."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel


class Facts(BaseModel, frozen=True, extra="forbid"):
    store_id: str
    at: AwareDatetime
    seq: int
    records: int
    bytes: int
    clock_alarm_ms: int | None = None
