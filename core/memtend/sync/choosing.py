"""Which deltas to take from a place, and when to publish what. Pure.

A replica publishes a chain: a full delta, then deltas that each begin where the last one ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memtend.crdt.causal import descends, join
from memtend.limits import PLACE_DELTA_BYTES_FREE, PLACE_DELTA_SHARE_MAX, PLACE_DELTAS_MAX
from memtend.sync.head import Head, Published


def wanted(head: Head, seen: Mapping[str, int]) -> tuple[Published, ...]:
    """The shortest run of deltas that leads from `seen` to all that `head` published."""
    if descends(seen, head.published):
        return ()
    for number in reversed(range(len(head.deltas))):
        delta = head.deltas[number]
        if descends(seen, delta.since):
            return head.deltas[number:]
    return ()


def has_news(own: str, seen: Mapping[str, int], mine: Head | None, others: Iterable[Head]) -> bool:
    """Whether there is something that nobody could fetch from the place yet.

    One's own events always are. What came from another replica is its own to publish, as long as
    its head is there; else it would lie there once for every reader.
    """
    there = dict(mine.published) if mine else {}
    if seen.get(own, 0) > there.get(own, 0):
        return True
    for head in others:
        n = head.published.get(head.replica, 0)
        there = join(there, {head.replica: n} if n else {})
    return not descends(there, seen)


def too_long(chain: tuple[Published, ...]) -> bool:
    """Whether a chain costs a newcomer so much more than its base that a new base is better."""
    if not chain:
        return True
    base, *more = (delta.bytes for delta in chain)
    bound = max(PLACE_DELTA_SHARE_MAX * base, PLACE_DELTA_BYTES_FREE)
    return len(more) >= PLACE_DELTAS_MAX or sum(more) > bound


def has_ended(head: Head, others: Iterable[Head]) -> bool:
    """Whether the store of a head has gone on under another id: it was restored, or rejoined."""
    who = (head.store_id, head.name)
    return any(
        (other.store_id, other.name) == who and other.sent_ms > head.sent_ms for other in others
    )
