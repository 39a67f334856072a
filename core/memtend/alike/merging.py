"""One record in the place of several that say the same: what it says of itself. Pure.

What was counted is counted once for all of them together, whoever is the keeper; what is known of
one is known of what stays. The value, the writer and where the record comes from are the keeper's.
Merging the result once more with nothing changes nothing, so a deed that is repeated counts
nothing twice as long as the extras go in the transaction that writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import NamedTuple

from memtend.codec.envelope import Body
from memtend.limits import INTEGER_ABS_MAX, TAGS_MAX


class Reads(NamedTuple):
    """How often a record was read, and when it last was; None where no read was ever counted."""

    number: int = 0
    last_ms: int | None = None


def merged(
    keeper: Body, keeper_reads: Reads, extras: Sequence[tuple[Body, Reads]]
) -> tuple[Body, Reads]:
    """The keeper as it stands for all of them. What nobody knows stays unknown, and is no zero.

    Tags are joined, the keeper's first, as many as a record may have. Of confidence the keeper's
    own word counts, and where it says none the highest of the others.
    """
    bodies = [keeper, *(body for body, _ in extras)]
    reads = [keeper_reads, *(read for _, read in extras)]
    tags = dict.fromkeys(chain.from_iterable(body.tags for body in bodies))
    confidence = keeper.confidence
    if confidence is None:
        confidence = max((b.confidence for b in bodies if b.confidence is not None), default=None)
    body = keeper._replace(
        created_ms=min(body.created_ms for body in bodies),
        tags=tuple(islice(tags, TAGS_MAX)),
        importance=max(body.importance for body in bodies),
        confidence=confidence,
        success_count=_total(body.success_count for body in bodies),
        failure_count=_total(body.failure_count for body in bodies),
        pinned=any(body.pinned for body in bodies),
    )
    number = min(sum(read.number for read in reads), INTEGER_ABS_MAX)
    last_ms = max((r.last_ms for r in reads if r.last_ms is not None), default=None)
    return body, Reads(number, last_ms)


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return min(sum(known), INTEGER_ABS_MAX) if known else None
