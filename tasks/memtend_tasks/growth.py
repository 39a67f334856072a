"""How the backups of a target have grown: a picture, and its numbers in a table beside it. Pure.

What is drawn is what is there: each backup with the bytes that it brought, and their sum. What
rotation has taken away is not in the picture any more.
"""

from __future__ import annotations

from itertools import accumulate

from memtend.backup.manifest import BackupKind
from memtend.backup.noted import parted
from memtend.backup.report import BackupEntry, BackupList
from memtend.limits import CHART_POINTS_MAX
from memtend_tasks.chart import Point, picture
from memtend_tasks.escaping import Markdown
from memtend_tasks.figures import size, table, to_text

_LISTED = 15
_LEGEND = ("in the target", "brought by a backup", "full backup")


def growth(found: BackupList) -> list[str]:
    """Lines of a page. Nothing at all where there is no backup."""
    if not found.backups:
        return []
    oldest_first = found.backups[::-1]
    totals = list(accumulate(one.written_bytes for one in oldest_first))
    points = [
        Point(one.at, total, one.written_bytes, big=one.kind != BackupKind.INCREMENTAL)
        for one, total in zip(oldest_first, totals, strict=True)
    ][-CHART_POINTS_MAX:]
    title = f"Growth of the backups: {size(totals[-1])} in {len(totals):,}"
    head = ("backup", "kind", "taken", "records", "brought", "in all", "verified", "why")
    rows = [_row(one, total) for one, total in zip(oldest_first, totals, strict=True)]
    lines: list[str] = [
        Markdown("## Backups"),
        picture(points, title, _LEGEND),
        table(head, rows[-_LISTED:][::-1]),
    ]
    if found.total > _LISTED:
        lines.append(f"The table shows the newest {_LISTED}; `memtend backup list` shows all.")
    if not found.encrypted:
        lines.append("The backups are not encrypted.")
    return lines


def _row(one: BackupEntry, total: int) -> tuple[str, ...]:
    verified = to_text("at", one.verified_at) if one.verified_at else "not yet"
    said, _ = parted(one.why)
    why = ", ".join([*(f"pinned as {pin}" for pin in one.pins), *([said] if said else [])])
    return (
        str(one.number), one.kind, to_text("at", one.at), f"{one.records:,}",
        size(one.written_bytes), size(total), verified, why,
    )  # fmt: skip
