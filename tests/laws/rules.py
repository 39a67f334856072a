"""Every rule that a replica follows, so that a test can plant a defect in one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from memtend.crdt import hlc, rows, tally
from memtend.crdt.causal import Dot, covers, descends, join
from memtend.crdt.rows import RowKind, Sibling, Siblings
from memtend.errors import PeerClock
from tests.laws.deltas import Counts, Delta, Page, Path, assembled

if TYPE_CHECKING:
    from tests.laws.replica import Replica


class Rules:
    """The rules as they must be."""

    merge = staticmethod(rows.merge)
    kept_by_write = staticmethod(rows.kept_by_write)
    kept_by_delete = staticmethod(rows.kept_by_write)
    increment = staticmethod(tally.increment)
    reset = staticmethod(tally.reset)
    logged = staticmethod(rows.logged)
    logged_sweep = staticmethod(rows.logged)
    merge_log = staticmethod(rows.merge_log)

    def swept(
        self, siblings: tuple[Sibling, ...], now_ms: int, heard_ms: int
    ) -> tuple[Sibling, ...]:
        return rows.swept(siblings, now_ms, heard_ms)

    def tells(self, gone: Siblings) -> bool:
        """Whether a sweep is an event. That of a counter is: a part that somebody unknown here was
        extending would else stay with whoever heard of that first, and be missing here."""
        return any(s.kind is RowKind.COUNTER for s in gone)

    def sent_vector(self, replica: Replica) -> Counts:
        return dict(replica.seen)

    def sent_path(self, siblings: Siblings, log: Counts, known: Counts) -> Path:
        """What the receiver must have seen already goes as its dot alone."""
        whole = tuple(s for s in siblings if not covers(known, s.dot))
        return Path(whole, tuple(s.dot for s in siblings if covers(known, s.dot)), log)

    def filled(self, path: Path, held: Siblings) -> tuple[Sibling, ...]:
        """The sender's siblings. Where only a dot came and nothing is held, it was ended here."""
        return (*path.siblings, *(s for s in held if s.dot in path.dots))

    def floor_after_drop(self, floor: Counts, log: Counts) -> Counts:
        return join(floor, log)

    def floor_after_delta(self, floor: Counts, delta: Delta) -> Counts:
        return join(floor, delta.floor)

    def log_after_full(self, log: dict[str, Counts], delta: Delta) -> dict[str, Counts]:
        """A full delta says nothing about the log of a path that it does not name."""
        return log

    def unnamed(self, replica: Replica, delta: Delta) -> Iterable[str]:
        """Keys held here that a full delta leaves out: the sender has nothing under them."""
        return replica.rows if delta.full else ()

    def has_gap(self, seen: Counts, delta: Delta) -> bool:
        """Of full deltas too: what `since` covers came without its value."""
        return not descends(seen, delta.since)

    def is_ahead(self, delta: Delta, now_ms: int) -> bool:
        """Also of a replica that only swept under its fast clock, which no timestamp tells."""
        try:
            hlc.receive(0, max(delta.hlc, hlc.pack(delta.sent_ms, 0)), now_ms)
        except PeerClock:
            return True
        return False

    def is_retired(self, replica: Replica, delta: Delta) -> bool:
        return delta.sender in replica.retired

    def whole(self, pages: Sequence[Page]) -> Delta | None:
        """The delta that the pages are, or None while one is missing or another's."""
        return assembled(pages)

    def id_after_restore(self, old: str, fresh: str) -> str:
        return fresh

    def id_after_rejoin(self, old: str, fresh: str) -> str:
        return fresh

    def is_unsent(self, sibling: Sibling, own: str, their_seen: Counts) -> bool:
        return sibling.dot.replica == own and not covers(their_seen, sibling.dot)

    def reborn(self, sibling: Sibling, dot: Dot) -> tuple[Sibling, ...]:
        """An own write that they never saw, offered again as a new one."""
        return (sibling._replace(dot=dot),)
