"""What a prune did, or what undoing it brought back."""

from __future__ import annotations

from memtend.model.plan import Report


class PruneReport(Report, frozen=True, extra="forbid"):
    """`deleted` counts what went, `merged` those of it that another record stands for now,
    `archived` what only became cold. `plan` is the digest by which it is undone, `archive_run`
    where what went is kept."""

    plan: str
    merged: int = 0
    archived: int = 0
    archive_run: int = 0
    archive_bytes: int = 0
    unreadable: tuple[str, ...] = ()


class UndoReport(Report, frozen=True, extra="forbid"):
    """`written` came back, `unchanged` stayed as somebody has left it since, `expired` would have
    ended by itself. `recalled` are values that were only archived."""

    plan: str
    expired: int = 0
    recalled: int = 0
    parted: int = 0
    unreadable: tuple[str, ...] = ()
