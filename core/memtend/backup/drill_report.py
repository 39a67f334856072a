"""What a drill found, and what a store keeps of it as evidence."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel


class DrillCheck(BaseModel, frozen=True, extra="forbid"):
    """One thing that was tried. `fact` says what came out, in a sentence."""

    name: str
    ok: bool
    fact: str


class DrillReport(BaseModel, frozen=True, extra="forbid"):
    """The newest backup, restored into a scratch file and looked at from every side.

    `rpo_seconds` is how much would have been lost if the store had died as the drill began,
    `rto_seconds` how long it took until the restored store was open.
    """

    operation: str = "drill"
    url: str
    store_id: str
    manifest: str
    backup_at: AwareDatetime
    checks: tuple[DrillCheck, ...]
    rows: int
    root: str
    state_sum: str
    reads: int
    rpo_seconds: float
    rto_seconds: float
    started_at: AwareDatetime
    seconds: float

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


class Evidence(BaseModel, frozen=True, extra="forbid"):
    """The last drill of one target, and when one last passed."""

    last: DrillReport
    good_at: AwareDatetime | None
