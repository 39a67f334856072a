"""What a restore would do, said before it is done. Pure: states in, plan out.

The plan is a diff against the live store: per namespace what would come, change and go, and the
names of the first ones. It says which backup was chosen and why, what a moment between two backups
could not give exactly, what expired meanwhile, and what the erasure ledger holds back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from memtend.backup.moment import NOTHING, At, Path, joined
from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import codec_of, unpack
from memtend.limits import MANIFEST_NAMESPACES_MAX, REPORT_NAMES_MAX
from memtend.model.names import check_path
from memtend.model.pattern import compile_pattern
from memtend.model.plan import Action, Decision, Plan

REST = "**"
"""Under which namespaces beyond the limit are summed."""


class Mode(StrEnum):
    """What becomes of the rest of the world (CRDT_SPEC 8.3)."""

    REJOIN = "rejoin"
    REASSERT = "reassert"
    EVERYBODY = "everybody"


class Scope(BaseModel, frozen=True, extra="forbid"):
    """Which records to bring back. Empty means all; what is given must all hold."""

    agent: str | None = Field(default=None, min_length=1)
    namespace: str | None = Field(default=None, min_length=1)
    key: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.namespace is not None:
            compile_pattern(self.namespace)
        if self.key is not None:
            if self.namespace is None:
                raise ValueError("a key needs the namespace that it is in")
            check_path(self.namespace, self.key)
        return self

    @property
    def whole(self) -> bool:
        return self == Scope()

    def covers(self, namespace: str, key: str) -> bool:
        """By name alone. With a key the namespace is meant exactly."""
        if self.key is not None:
            return (namespace, key) == (self.namespace, self.key)
        return self.namespace is None or compile_pattern(self.namespace).governs(namespace)


class Change(BaseModel, frozen=True, extra="forbid"):
    """Records of one namespace that would come, change and go, and their bytes as stored."""

    namespace: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    added_bytes: int = 0
    removed_bytes: int = 0


class RestorePlan(Plan):
    """`decisions` names the first records of each kind; the counts cover all of them.

    `manifest` is the backup that it starts from, `at` its instant, `then` where later changes come
    from. `exact`: all is as it was at the moment asked for. `uncertain` counts records that changed
    again after that moment, so that an earlier version stands in for what they held then.

    `basis` is the live store's change sequence: what is written between plan and restore is
    replaced too, and kept with the old store. `foreign`: the backup is of another store, which is
    refused unless `replace_other` says that it is meant.
    """

    operation: str = "restore"
    url: str
    manifest: str
    exact: bool
    chain: tuple[str, ...]
    why_this: str
    at: AwareDatetime
    to: AwareDatetime | None = None
    then: str | None = None
    mode: Mode
    scope: Scope
    foreign: bool = False
    replace_other: bool = False
    rows: int
    bytes: int
    read_bytes: int
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    namespaces: tuple[Change, ...] = ()
    uncertain: int = 0
    uncertain_names: tuple[str, ...] = ()
    erased: int = 0
    expired: int = 0
    archived: int = 0
    replicas: int = 0
    settings_changed: bool = False
    notes: tuple[str, ...] = ()


class Diff:
    """The difference between a live state and one that would take its place, path by path."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._changes: dict[str, dict[str, int]] = {}
        self._decisions: dict[Action, list[Decision]] = {}
        self.added = self.changed = self.removed = self.unchanged = 0
        self.rows = self.bytes = self.expired = self.archived = 0

    def compare(
        self,
        live: Iterable[tuple[Path, At]],
        wished: Iterable[tuple[Path, At]],
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        for number, (path, here, there) in enumerate(joined(live, wished)):
            if number % 1_000 == 0:
                beat()
            self._add(path, here or NOTHING, there or NOTHING)

    def namespaces(self) -> tuple[Change, ...]:
        return tuple(Change(namespace=name, **count) for name, count in self._changes.items())

    def decisions(self) -> tuple[Decision, ...]:
        return tuple(decision for found in self._decisions.values() for decision in found)

    def _add(self, path: Path, here: At, there: At) -> None:
        if there.rows:
            self.rows += len(there.rows)
            self.bytes += _size(there)
            self.expired += all(self._is_over(row.exp_ms) for row in there.rows)
            self.archived += any(codec_of(row.flags) == Codec.ARCHIVED for row in there.rows)
        if here.hashes == there.hashes or _same_writes(here, there):
            self.unchanged += bool(there.rows)
            return
        name = path[0]
        if name not in self._changes and len(self._changes) >= MANIFEST_NAMESPACES_MAX:
            name = REST
        count = self._changes.setdefault(name, {})
        for what, size in (("added_bytes", _size(there)), ("removed_bytes", _size(here))):
            count[what] = count.get(what, 0) + size
        if not here.rows:
            self.added += 1
            self._decide("added", count, Action.IMPORT, path, there, "only in the backup")
        elif not there.rows:
            self.removed += 1
            self._decide("removed", count, Action.DELETE, path, here, "not in the backup")
        else:
            self.changed += 1
            self._decide("changed", count, Action.UPDATE, path, there, "differs from the backup")

    def _decide(
        self, what: str, count: dict[str, int], action: Action, path: Path, at: At, why: str
    ) -> None:
        count[what] = count.get(what, 0) + 1
        kept = self._decisions.setdefault(action, [])
        if len(kept) < REPORT_NAMES_MAX:
            kept.append(
                Decision(
                    action=action,
                    namespace=path[0],
                    key=path[1],
                    seq=max(row.seq for row in at.rows),
                    reason=why,
                    size_bytes=_size(at),
                )
            )

    def _is_over(self, exp_ms: int | None) -> bool:
        return exp_ms is not None and exp_ms <= self._now_ms


def _same_writes(here: At, there: At) -> bool:
    """Archiving or compressing a value changes its row, but not what was written."""
    if not here.rows or len(here.rows) != len(there.rows):
        return False
    try:
        return all(
            unpack(one.body).dot == unpack(other.body).dot
            for one, other in zip(here.rows, there.rows, strict=True)
        )
    except Damaged:
        return False


def _size(at: At) -> int:
    return sum(len(row.body) + len(row.value) for row in at.rows)
