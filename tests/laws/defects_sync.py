"""Defects in how deltas are made, cut, checked and taken in, and in how replicas come back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from memtend.crdt import rows
from memtend.crdt.causal import Dot
from memtend.crdt.rows import Sibling, Siblings, Vector
from tests.laws.deltas import Counts, Delta, Page, Path
from tests.laws.replica import Replica, Rules


class GapOfFullDeltaUnchecked(Rules):
    """A full delta names every key, but of what `since` covers it has only the dots."""

    def has_gap(self, seen: Counts, delta: Delta) -> bool:
        return not delta.full and super().has_gap(seen, delta)


class DotsOfNewSiblings(Rules):
    """Only the newest sibling goes whole, whatever the receiver has seen."""

    def sent_path(self, siblings: Siblings, log: Counts, known: Counts) -> Path:
        whole = tuple(sorted(siblings, key=lambda s: s.order)[-1:])
        return Path(whole, tuple(s.dot for s in siblings if s not in whole), log)


class DotsMeanNothing(Rules):
    """A sibling that came as a dot is taken for one that the sender does not hold."""

    def filled(self, path: Path, held: Siblings) -> tuple[Sibling, ...]:
        return path.siblings


class FullDeltaEndsTheLog(Rules):
    """The log of a path that a full delta does not name goes, although others need it."""

    def log_after_full(self, log: dict[str, Counts], delta: Delta) -> dict[str, Counts]:
        return {key: entry for key, entry in log.items() if key in delta.keys}


class FloorOfDeltaIgnored(Rules):
    """What a full delta ended here is in no log, and then not below the floor either."""

    def floor_after_delta(self, floor: Counts, delta: Delta) -> Counts:
        return floor


class UnnamedKeysKept(Rules):
    def unnamed(self, replica: Replica, delta: Delta) -> Iterable[str]:
        return ()


class MissingPageUnnoticed(Rules):
    def whole(self, pages: Sequence[Page]) -> Delta | None:
        return super().whole([p._replace(number=n, of=len(pages)) for n, p in enumerate(pages)])


class PagesOfTwoDeltas(Rules):
    def whole(self, pages: Sequence[Page]) -> Delta | None:
        head = pages[-1].part if pages else None
        parts = [p._replace(part=head._replace(keys=p.part.keys)) for p in pages if head]
        return super().whole(parts)


class DeleteOfTheUnseen(Rules):
    @staticmethod
    def kept_by_delete(siblings: Siblings, context: Vector | None = None) -> tuple[Sibling, ...]:
        return rows.kept_by_write(siblings)


class FastClockBelieved(Rules):
    def is_ahead(self, delta: Delta, now_ms: int) -> bool:
        return False


class RetiredHeard(Rules):
    def is_retired(self, replica: Replica, delta: Delta) -> bool:
        return False


class RejoinKeepsTheId(Rules):
    def id_after_rejoin(self, old: str, fresh: str) -> str:
        return old


class RejoinForgetsUnsent(Rules):
    def reborn(self, sibling: Sibling, dot: Dot) -> tuple[Sibling, ...]:
        return ()


class CounterSweptSilently(Rules):
    """Whoever had heard of an extension in time keeps the parts that others dropped."""

    def tells(self, gone: Siblings) -> bool:
        return False


PLANTED_IN_SYNC: Final[tuple[type[Rules], ...]] = (
    GapOfFullDeltaUnchecked,
    DotsOfNewSiblings,
    DotsMeanNothing,
    FullDeltaEndsTheLog,
    FloorOfDeltaIgnored,
    UnnamedKeysKept,
    MissingPageUnnoticed,
    PagesOfTwoDeltas,
    DeleteOfTheUnseen,
    FastClockBelieved,
    RetiredHeard,
    RejoinKeepsTheId,
    RejoinForgetsUnsent,
    CounterSweptSilently,
)
