"""What changed from one state to another: two streams in key order, compared path by path. Pure.

Equal row hashes are equal rows, so no value is looked at. Counters and sets are compared by their
parts, and said by record.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter

from pydantic import BaseModel

from memtend.limits import DIFF_NAMES_MAX, MANIFEST_NAMESPACES_MAX
from memtend.model.stored import StoredRow

REST = "**"
"""Under which namespaces beyond the limit are summed."""


class NamespaceDiff(BaseModel, frozen=True, extra="forbid"):
    added: int = 0
    changed: int = 0
    removed: int = 0


class Difference(BaseModel, frozen=True, extra="forbid"):
    """One record. `what` is added, changed or removed."""

    what: str
    namespace: str
    key: str


class BackupDiff(BaseModel, frozen=True, extra="forbid"):
    """From `before` to `after`. `records` names the first ones; the counts cover all."""

    before: str
    after: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    namespaces: dict[str, NamespaceDiff] = {}
    records: tuple[Difference, ...] = ()
    truncated: bool = False

    @property
    def same(self) -> bool:
        return not (self.added or self.changed or self.removed)


def compare(
    before_name: str,
    before: Iterator[StoredRow],
    after_name: str,
    after: Iterator[StoredRow],
    names_max: int = DIFF_NAMES_MAX,
) -> BackupDiff:
    """Compare two streams of rows in stored order."""
    totals = {"added": 0, "changed": 0, "removed": 0, "unchanged": 0}
    counts: dict[str, dict[str, int]] = {}
    named: list[Difference] = []
    tagged = merge(_tagged(before, 0), _tagged(after, 1))
    for (namespace, key), group in groupby(tagged, key=itemgetter(0)):
        parts: tuple[list[tuple[str, bytes]], list[tuple[str, bytes]]] = ([], [])
        for _, side, field, digest in group:
            parts[side].append((field, digest))
        what = _what(*map(sorted, parts))
        totals[what] += 1
        if what == "unchanged":
            continue
        where = namespace if namespace in counts or len(counts) < MANIFEST_NAMESPACES_MAX else REST
        found = counts.setdefault(where, dict.fromkeys(NamespaceDiff.model_fields, 0))
        found[what] += 1
        if len(named) < names_max:
            named.append(Difference(what=what, namespace=namespace, key=key))
    return BackupDiff(
        before=before_name,
        after=after_name,
        **totals,
        namespaces={name: NamespaceDiff(**found) for name, found in counts.items()},
        records=tuple(named),
        truncated=len(named) < sum(totals.values()) - totals["unchanged"],
    )


def _tagged(
    rows: Iterator[StoredRow], side: int
) -> Iterator[tuple[tuple[str, str], int, str, bytes]]:
    return (((row.namespace, row.key), side, row.field, row.hash) for row in rows)


def _what(before: list[tuple[str, bytes]], after: list[tuple[str, bytes]]) -> str:
    if not before:
        return "added"
    if not after:
        return "removed"
    return "unchanged" if before == after else "changed"
