"""What a plan of a migration is joined from: see `model/frame.py`.

Rows are read in the order in which they were written, so here a shard is a stretch of the change
sequence. It needs no count to be cut, and one large namespace is shared like many small ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from pydantic import BaseModel

from memtend.limits import MIGRATION_REFUSALS_MAX, MIGRATION_SAMPLES
from memtend.migrate.casting import Look, Move
from memtend.model.frame import Frame, Part
from memtend.model.plan import Action, Decision

_STAYS: Final = (Move.REFUSED, Move.EDITED, Move.MOVED_ON)


class Refusal(BaseModel, frozen=True, extra="forbid"):
    """A row that stays as it is, and why."""

    namespace: str
    key: str
    seq: int
    kind: str
    why: str


class Sort(BaseModel, frozen=True, extra="forbid"):
    """Rows of one kind and version, and what becomes of them; `sample` are the first of those that
    are cast."""

    kind: str
    found: str
    move: Move
    count: int
    size_bytes: int
    sample: tuple[Decision, ...]


class MigrationFrame(Frame, frozen=True, extra="forbid"):
    """`shards` are stretches of the change sequence: above the first number, up to the second."""

    family: str
    wanted: str
    shards: tuple[tuple[int, int], ...]


class MigrationPart(Part, frozen=True, extra="forbid"):
    sorts: tuple[Sort, ...]
    grown_bytes: int
    losses: dict[str, int]
    refused: tuple[Refusal, ...]


def stretches(upto: int, shards_max: int) -> tuple[tuple[int, int], ...]:
    """The change sequence up to a number, in stretches of even length.

    >>> stretches(10, 3)
    ((0, 3), (3, 6), (6, 10))
    """
    count = max(1, min(shards_max, upto))
    return tuple(pairwise(upto * place // count for place in range(count + 1)))


class Folding:
    """Looks in the order of their rows, counted; and of each sort the first."""

    def __init__(self, looks: Iterable[Look], towards: str) -> None:
        self._counts: Counter[tuple[str, str, Move]] = Counter()
        self._sizes: Counter[tuple[str, str, Move]] = Counter()
        self._samples: dict[tuple[str, str, Move], list[Decision]] = {}
        self._losses: Counter[str] = Counter()
        self._refused: list[Refusal] = []
        self._grown = 0
        for look in looks:
            aged = look.aged
            sort = (look.kind, look.found, look.move)
            self._counts[sort] += 1
            self._sizes[sort] += aged.size
            if look.move is Move.CAST:
                self._grown += len(look.text) - len(aged.text or b"")
                self._losses.update(look.losses)
                if self._counts[sort] <= MIGRATION_SAMPLES:
                    self._samples.setdefault(sort, []).append(_decision(look, towards))
            elif look.move in _STAYS and len(self._refused) < MIGRATION_REFUSALS_MAX:
                self._refused.append(_refusal(look))

    def part(self, frame: str, shard: int) -> MigrationPart:
        sorts = (
            Sort(
                kind=kind, found=found, move=move, count=count,
                size_bytes=self._sizes[kind, found, move],
                sample=tuple(self._samples.get((kind, found, move), ())),
            )
            for (kind, found, move), count in sorted(self._counts.items())
        )  # fmt: skip
        return MigrationPart(
            frame=frame, shard=shard, sorts=tuple(sorts), grown_bytes=self._grown,
            losses=dict(self._losses), refused=tuple(self._refused),
        )  # fmt: skip


def _decision(look: Look, towards: str) -> Decision:
    aged = look.aged
    return Decision(
        action=Action.UPDATE,
        namespace=aged.namespace,
        key=aged.row[2],
        seq=aged.seq,
        reason=f"{look.kind} {look.found} {towards}",
        size_bytes=len(look.text),
    )


def _refusal(look: Look) -> Refusal:
    aged = look.aged
    return Refusal(
        namespace=aged.namespace, key=aged.row[2], seq=aged.seq, kind=look.kind, why=look.why
    )
