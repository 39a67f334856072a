"""Plans and reports: what an operation would do, decision by decision, and what it did."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, Field


class Action(StrEnum):
    DELETE = "delete"
    ARCHIVE = "archive"
    RECALL = "recall"
    IMPORT = "import"
    UPDATE = "update"
    KEEP = "keep"
    REFUSE = "refuse"
    SKIP = "skip"


class Decision(BaseModel, frozen=True, extra="forbid"):
    """One thing to do, to exactly one version of a record, and the reason.

    `seq` is the change-sequence number of that version: if the record has changed since, the
    number is gone and the decision is skipped and counted. 0 where no stored row is meant.
    """

    action: Action
    namespace: str
    key: str
    seq: int = 0
    reason: str
    size_bytes: int = 0


class Plan(BaseModel, frozen=True, extra="forbid"):
    """What an operation would do. `basis` is the change sequence of the facts it rests on."""

    operation: str
    store_id: str
    made_at: AwareDatetime
    basis: int
    total: int = Field(ge=0)
    decisions: tuple[Decision, ...] = ()
    truncated: bool = False

    @property
    def delete_share(self) -> float:
        """Deletions as a share of all records, 0..1."""
        return len(self.to_delete()) / self.total if self.total else 0.0

    def to_delete(self) -> tuple[Decision, ...]:
        return tuple(d for d in self.decisions if d.action is Action.DELETE)


class PlanRef(BaseModel, frozen=True, extra="forbid"):
    """Where a saved plan is and the digest that pins what was reviewed."""

    url: str
    sha256: str
    operation: str
    decisions: int


class Report(BaseModel, frozen=True, extra="forbid"):
    """What an operation did. `changed_since` counts rows skipped because they had changed."""

    operation: str
    applied: bool
    planned: int = 0
    deleted: int = 0
    written: int = 0
    unchanged: int = 0
    changed_since: int = 0
    refused: int = 0
    bytes_freed: int = 0
    slices: int = 0
    longest_lock_ms: float = 0.0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
