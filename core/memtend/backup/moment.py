"""The state at a moment between two known ones. Pure.

Given the last state before the moment and the first one after it, a path is known exactly when it
did not change between them, or when its newest version and all that ended there are not younger
than the moment. Any other path changed again after the moment: what it held then is lost, and the
earlier state's version stands in for it, counted as uncertain.

Rows, and entries of the change log, come by namespace, key and field on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple, TypeAlias, TypeVar

from memtend.codec.envelope import unpack
from memtend.crdt.hlc import millis
from memtend.limits import REPORT_NAMES_MAX
from memtend.model.stored import LogRow, StoredRow

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


def by_path(rows: Iterable[StoredRow], log: Iterable[LogRow] = ()) -> Iterator[tuple[Path, At]]:
    """One state, path by path."""
    for path, held, ended in joined(_grouped(rows), _grouped(log)):
        yield path, At(held or (), ended or ())


def states_at(
    before: Iterable[tuple[Path, At]], after: Iterable[tuple[Path, At]], moment_ms: int
) -> Iterator[Chosen]:
    """What each path held at the moment, as far as the two states tell."""
    for path, early, late in joined(before, after):
        yield _choose(path, early or NOTHING, late or NOTHING, moment_ms)


def _choose(path: Path, early: At, late: At, moment_ms: int) -> Chosen:
    if early == late or _same(early, late):
        return Chosen(path, early, True)
    stamps = [millis(unpack(row.body).ts) for row in late.rows]
    known = {entry[3:6] for entry in early.log}
    stamps += [entry.at_ms for entry in late.log if entry[3:6] not in known]
    if stamps and max(stamps) <= moment_ms:
        return Chosen(path, late, True)
    return Chosen(path, early, False)


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
