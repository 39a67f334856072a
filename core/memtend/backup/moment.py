"""The state at a moment between two known ones. Pure.

Given the last state before the moment and the first one after it, a path is known exactly when it
did not change between them, or when its newest version and all that ended there are not younger
than the moment. Any other path changed after the moment: the earlier state's version stands in for
it. That is exact if the audit trail names no write to it before the moment; otherwise what it held
then is lost, and it is counted as uncertain.

What a peer wrote bears the peer's time, not that of its arrival. Where a delta was taken in after
the moment, new events of others may have come with it, and their times prove nothing. Neither do
those of any new event where a migration, a prune or its undo ran after the moment: they keep the
times of what they move, merge and bring back.

Rows, and entries of the change log, come by namespace, key and field on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias, TypeVar

import ormsgpack

from memtend.codec.envelope import unpack
from memtend.crdt.hlc import millis
from memtend.limits import REPORT_NAMES_MAX
from memtend.model.stored import LogRow, SideRow, StoredRow

_OF_ONE_RECORD: Final = frozenset({"put", "put_if", "touch", "count", "add", "delete"})
_CHANGES_NO_VALUE: Final = frozenset(
    {
        "archive", "backup", "dictionary", "drill", "erase", "grant", "pin", "policies",
        "rehearse", "reindex", "revoke", "rotate", "sweep", "unpin",
    }
)  # fmt: skip
_MERGE: Final = "sync"
_KEEPING_TIMES: Final = frozenset({"migrate", "prune", "undo"})
_BATCH: Final = re.compile(r"\d+ records, changes ")
Path: TypeAlias = tuple[str, str, str]
T = TypeVar("T", StoredRow, LogRow)
T1 = TypeVar("T1")
T2 = TypeVar("T2")


class At(NamedTuple):
    """All that a state holds of one path."""

    rows: tuple[StoredRow, ...] = ()
    log: tuple[LogRow, ...] = ()

    @property
    def hashes(self) -> tuple[bytes, ...]:
        return tuple(row.hash for row in self.rows)

    def events(self) -> set[tuple[str, int]]:
        """Every event that left something here."""
        return {unpack(row.body).dot for row in self.rows} | {e[3:5] for e in self.log}


NOTHING = At()


class Chosen(NamedTuple):
    path: Path
    at: At
    exact: bool


class Uncertain:
    """How many paths could not be given exactly, and the names of the first ones."""

    def __init__(self) -> None:
        self.count = 0
        self.names: list[str] = []

    def add(self, path: Path) -> None:
        self.count += 1
        if len(self.names) < REPORT_NAMES_MAX:
            self.names.append(name_of(path))


class Trail:
    """What the audit trail says was written between the earlier state and the moment.

    Only an entry for one record names it. Where a batch was written meanwhile, any record may have
    been in it. `own` are the ids under which the store wrote.
    """

    def __init__(
        self, entries: Iterable[SideRow], moment_ms: int, own: Collection[str] = ()
    ) -> None:
        self._names: set[str] = set()
        self._batch = self._brought_later = self._moved_later = False
        self._own = own
        for entry in entries:
            at_ms, action, _, detail, _ = ormsgpack.unpackb(entry.cells)
            if at_ms > moment_ms:
                self._brought_later |= action == _MERGE
                self._moved_later |= action in _KEEPING_TIMES
                continue
            if action in _CHANGES_NO_VALUE:
                continue
            if action in _OF_ONE_RECORD and not _BATCH.match(detail):
                self._names.add(detail)
            else:
                self._batch = True

    def may_name(self, path: Path) -> bool:
        return self._batch or name_of(path) in self._names

    def may_have_come_later(self, early: At, late: At) -> bool:
        """Whether something new in `late` may be younger than it says."""
        if not self._brought_later and not self._moved_later:
            return False
        new = late.events() - early.events()
        return (self._moved_later and bool(new)) or (
            self._brought_later and any(replica not in self._own for replica, _ in new)
        )


def by_path(rows: Iterable[StoredRow], log: Iterable[LogRow] = ()) -> Iterator[tuple[Path, At]]:
    """One state, path by path."""
    for path, held, ended in joined(_grouped(rows), _grouped(log)):
        yield path, At(held or (), ended or ())


def states_at(
    before: Iterable[tuple[Path, At]],
    after: Iterable[tuple[Path, At]],
    moment_ms: int,
    trail: Trail,
) -> Iterator[Chosen]:
    """What each path held at the moment, as far as the two states and the trail tell."""
    for path, early, late in joined(before, after):
        yield _choose(path, early or NOTHING, late or NOTHING, moment_ms, trail)


def _choose(path: Path, early: At, late: At, moment_ms: int, trail: Trail) -> Chosen:
    if early == late or _same(early, late):
        return Chosen(path, early, True)
    stamps = [millis(unpack(row.body).ts) for row in late.rows]
    known = {entry[3:6] for entry in early.log}
    stamps += [entry.at_ms for entry in late.log if entry[3:6] not in known]
    if stamps and max(stamps) <= moment_ms and not trail.may_have_come_later(early, late):
        return Chosen(path, late, True)
    return Chosen(path, early, not trail.may_name(path))


def _same(early: At, late: At) -> bool:
    return early.hashes == late.hashes and {e[3:6] for e in early.log} == {e[3:6] for e in late.log}


def joined(
    left: Iterable[tuple[Path, T1]], right: Iterable[tuple[Path, T2]]
) -> Iterator[tuple[Path, T1 | None, T2 | None]]:
    """Both sides by path, in order; None where a side has nothing."""
    ones, others = iter(left), iter(right)
    one, other = next(ones, None), next(others, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[0], one[1], None
            one = next(ones, None)
        elif one is None or other[0] < one[0]:
            yield other[0], None, other[1]
            other = next(others, None)
        else:
            yield one[0], one[1], other[1]
            one, other = next(ones, None), next(others, None)


def _grouped(rows: Iterable[T]) -> Iterator[tuple[Path, tuple[T, ...]]]:
    for path, group in groupby(rows, key=_path):
        yield path, tuple(group)


def _path(row: StoredRow | LogRow) -> Path:
    return (row.namespace, row.key, row.field)


def name_of(path: Path) -> str:
    """A path as people write it."""
    namespace, key, field = path
    return f"{namespace}/{key}" + (f"#{field}" if field else "")
