"""What is known of one record when it is decided whether it stays: what pruning decides by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from memtend.upcast.facts import Facts, Said


class Candidate(NamedTuple):
    """One live record of which one value is shown. What is not known is None, never zero.

    `written_ms` is the last write, `read_ms` the last read that was counted. `facts` is what the
    value says of itself, in whichever version it is written; None where it is of no known form.
    `held` is why the store lets nothing be decided of it, in a word such as quarantined, siblings,
    counter or set: it counts for the sums and is always kept.
    """

    seq: int
    namespace: str
    key: str
    kind: str
    agent: str | None
    importance: float
    confidence: float | None
    success_count: int | None
    failure_count: int | None
    pinned: bool
    created_ms: int
    written_ms: int
    expires_ms: int | None
    read_ms: int | None
    accesses: int
    size_bytes: int
    archived: bool
    facts: Facts | Said | None = None
    held: str | None = None


class Alike(NamedTuple):
    """That a record says what another one says: `similarity` 1 where they are equal."""

    seq: int
    keeper: int
    keeper_path: str
    similarity: float
