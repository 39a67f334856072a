"""What a copy of a store says of itself, and what comparing the two says later."""

from __future__ import annotations

from pydantic import BaseModel, Field


class CopyReport(BaseModel, frozen=True, extra="forbid"):
    """`root` and `state_sum` were computed of both, and are equal. The copy is the source at its
    sequence number `seq`; `written_since` counts changes at the source until the copy stood."""

    operation: str = "copy"
    source: str
    url: str
    store_id: str
    rows: int = Field(ge=0)
    size_bytes: int = Field(ge=0)
    root: str
    state_sum: str
    seq: int = Field(ge=0)
    written_since: int = Field(default=0, ge=0)
    lease_epoch: int
    seconds: float = 0.0


class CopyCheck(BaseModel, frozen=True, extra="forbid"):
    """`changed` counts keys at the source that were written or ended after the copy (`names` are
    the first of them); what was written at the copy shows only in its root."""

    operation: str = "copy check"
    source: str
    url: str
    equal: bool
    rows: int = Field(ge=0)
    copied_rows: int = Field(ge=0)
    root: str
    copied_root: str
    seq: int = Field(ge=0)
    source_seq: int = Field(ge=0)
    changed: int = Field(default=0, ge=0)
    names: tuple[str, ...] = ()
