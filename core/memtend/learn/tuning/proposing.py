"""The time to live to propose for a class: what costs least, among those that are not regretted.

A store may be paid for so dearly that the cheapest is to keep nothing. Nobody wants that, and the
alarm of a trial would take it back; so no time is proposed that would let more reads come too late
than may, unless more do already.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.learn.tuning.estimating import Change, ClassLog, best_fixed, compare, least_for
from memtend.learn.tuning.facts import Proposal

if TYPE_CHECKING:
    from memtend.model.policy import Policy

SPARE: Final = 0.75
"""Of the regret that ends a trial: what is proposed keeps a distance from it."""
UNPROVEN: Final = (
    "what the past suggests saves nothing for certain in the time held out, or is regretted there"
)
UNREAD: Final = "nothing was read after it was written"


class Terms(NamedTuple):
    """`since`: where the part of the log begins that is held out. `rate`: the share of keys."""

    floor_s: float
    ceiling_s: float
    regret_max: float
    since: float
    byte_s_a_miss: float
    rate: float

    def bounded(self, ttl_s: float) -> float:
        return min(self.ceiling_s, max(self.floor_s, ttl_s))


def propose(
    log: ClassLog, policy: Policy, terms: Terms, learned_s: float | None = None
) -> Proposal | str:
    """Or what speaks against any. `learned_s` is the best one where reading renews; elsewhere it is
    chosen here. Judged is what would have been chosen before the part that is held out."""
    now_s = math.inf if policy.ttl_ms is None else policy.ttl_ms / 1_000
    slides = policy.refresh_on_read
    best_s = learned_s if slides else _best(log, terms)
    if best_s is None or not math.isfinite(best_s) or log.wrote.all():
        return UNREAD
    ttl_s = _unregretted(log, best_s, now_s, terms, slides=slides)
    found = _compared(log, now_s, ttl_s, terms, slides=slides)
    adopted = _holds(log, best_s if slides else None, now_s, terms, slides=slides)
    return Proposal(
        round(ttl_s * 1_000), adopted, "" if adopted else UNPROVEN, found.saving, found.bytes,
        found.misses, found.regret_now, found.regret.value,
    )  # fmt: skip


def _holds(
    log: ClassLog, best_s: float | None, now_s: float, terms: Terms, *, slides: bool
) -> bool:
    """Whether what the past suggests would have saved something since, and was not regretted for
    certain."""
    past = log.until(terms.since)
    if best_s is None:
        best_s = _best(past, terms)
    if best_s is None:
        return False
    tested_s = _unregretted(past, best_s, now_s, terms, slides=slides)
    found = _compared(log, now_s, tested_s, terms, slides=slides)
    return found.saving.low > 0 and found.regret.low <= max(terms.regret_max, found.regret_now)


def _best(log: ClassLog, terms: Terms) -> float | None:
    return best_fixed(log, terms.byte_s_a_miss, terms.floor_s, terms.ceiling_s)


def _unregretted(
    log: ClassLog, best_s: float, now_s: float, terms: Terms, *, slides: bool
) -> float:
    """As long as it takes for few enough reads to come too late; not longer than now for that."""
    limit = max(SPARE * terms.regret_max, log.regret(now_s, slides=slides))
    least_s = min(least_for(log, limit, slides=slides), now_s)
    return terms.bounded(max(best_s, least_s))


def _compared(log: ClassLog, now_s: float, ttl_s: float, terms: Terms, *, slides: bool) -> Change:
    return compare(
        log, now_s, ttl_s, slides=slides, since=terms.since, byte_s_a_miss=terms.byte_s_a_miss,
        rate=terms.rate,
    )  # fmt: skip
