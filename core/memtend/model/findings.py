"""What a verification of the live store found."""

from __future__ import annotations

from pydantic import BaseModel


class StoreFinding(BaseModel, frozen=True, extra="forbid"):
    """`where` names a table, and a path or row in it."""

    where: str
    why: str


class StoreVerifyReport(BaseModel, frozen=True, extra="forbid"):
    """`findings` holds the first thousand; `damage_count` counts all."""

    operation: str = "verify"
    rows: int
    audit_entries: int
    damage_count: int
    findings: tuple[StoreFinding, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        return self.damage_count == 0
