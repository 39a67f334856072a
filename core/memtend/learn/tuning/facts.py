"""What a plan of times to live goes by: one `ClassFacts` for each rule, or each namespace.

A class is what one time to live holds for. Figures come as a value with its 90 % interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from memtend.model.policy import Policy


class Figure(NamedTuple):
    """A value and the interval in which it lies nine times of ten."""

    low: float
    value: float
    high: float


class Proposal(NamedTuple):
    """What the log says of another time to live.

    `adopted`: the part of the log that was held out says that it is better, beyond its interval;
    else `why` says what speaks against it. `saving` is in reads that come too late, an access, over
    what holds now. `bytes` and `misses` are the change against now, of bytes kept on average and of
    reads that come too late in a day.
    """

    ttl_ms: int
    adopted: bool
    why: str
    saving: Figure
    bytes: Figure
    misses: Figure
    regret_now: float
    regret: float


class ClassFacts(NamedTuple):
    """`pattern` is that of the rule `policy`, or the namespace itself where the class is one.

    `namespaces` are those of the store that it governs; `strangers` those that a rule of this
    pattern would govern as well, though they are no part of the class. `by_key`: in these
    namespaces the key says which rule holds. `stated`: some file or layout says so, and it is not
    just that nobody has said anything. `trial` is one that is under way, `against` what the log
    says against any other time.
    """

    pattern: str
    policy: Policy
    namespaces: tuple[str, ...]
    accesses: int
    reused: int
    strangers: tuple[str, ...] = ()
    by_key: bool = False
    stated: bool = True
    trial: str = ""
    against: str = ""
    proposal: Proposal | None = None


class Learned(NamedTuple):
    """The log as a whole: what a plan says of its evidence. `rate` is the share of keys in it."""

    accesses: int
    from_ms: int
    until_ms: int
    rate: float
    break_even_ms: int
    byte_ms_a_miss: float
    """What one read that comes too late is worth: bytes kept, times milliseconds."""
