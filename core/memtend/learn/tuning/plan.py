"""Which times to live to change, to what and why. Pure: the same arguments give the same plan.

Nothing is proposed that the held-out part of the log does not bear out, and every class that stays
as it is has a decision as well, with the reason.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field

from memtend.durations import show_duration
from memtend.learn.tuning.kept import kept_by
from memtend.learn.tuning.rounding import readable
from memtend.learn.tuning.wording import proposed
from memtend.model.plan import Action, Decision, Plan
from memtend.model.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memtend.learn.tuning.facts import ClassFacts, Learned, Proposal
    from memtend.model.facts import Facts
    from memtend.model.learnpolicy import TtlTuning

OPERATION: Final = "ttl"
SAME_SHARE: Final = 0.1
"""A time to live that differs by less is the same."""


class Range(BaseModel, frozen=True, extra="forbid"):
    """A figure and its 90 % interval."""

    low: float
    value: float
    high: float


class TtlDecision(Decision, frozen=True, extra="forbid"):
    """`namespace` is the pattern of a rule; UPDATE gives it `ttl_ms`, KEEP leaves `ttl_now_ms`.

    `rule` is what governs now, None where a rule is made for the namespace. `saving` is an access,
    in reads that come too late; `bytes` and `misses` are the change in bytes kept and in reads that
    come too late in a day. None where nothing was estimated.
    """

    ttl_now_ms: int | None
    ttl_ms: int | None = None
    rule: Policy
    accesses: int
    reused: int
    saving: Range | None = None
    bytes: Range | None = None
    misses: Range | None = None
    regret_now: float | None = None
    regret: float | None = None


class TtlPlan(Plan, frozen=True, extra="forbid"):
    """`policies` is the digest of those in force: a plan for others is stale. A trial has what it
    needs from here: which share of keys, for how long, and how much regret ends it."""

    decisions: tuple[TtlDecision, ...] = ()
    policies: str
    accesses: int = 0
    from_ms: int | None = None
    until_ms: int | None = None
    sampled: float = 1.0
    break_even_ms: int | None = None
    byte_ms_a_miss: float | None = None
    canary_share: float = Field(gt=0, le=1)
    canary_ms: int = Field(gt=0)
    regret_max: float = Field(gt=0, le=1)
    notes: tuple[str, ...] = ()

    def to_change(self) -> tuple[TtlDecision, ...]:
        return tuple(one for one in self.decisions if one.action is Action.UPDATE)


def plan_ttl(
    classes: Iterable[ClassFacts],
    tuning: TtlTuning,
    facts: Facts,
    *,
    policies: str,
    learned: Learned | None = None,
    notes: tuple[str, ...] = (),
) -> TtlPlan:
    """One decision a class, in the order of their patterns."""
    decisions = tuple(_decide(one, tuning) for one in sorted(classes, key=lambda c: c.pattern))
    evidence = {} if learned is None else {
        "accesses": learned.accesses, "from_ms": learned.from_ms, "until_ms": learned.until_ms,
        "sampled": learned.rate, "break_even_ms": learned.break_even_ms,
        "byte_ms_a_miss": learned.byte_ms_a_miss,
    }  # fmt: skip
    return TtlPlan(
        operation=OPERATION, store_id=facts.store_id, made_at=facts.at, basis=facts.seq,
        total=len(decisions), decisions=decisions, policies=policies,
        canary_share=tuning.canary_share, canary_ms=tuning.canary_ms,
        regret_max=tuning.regret_max, notes=notes, **evidence,
    )  # fmt: skip


def _decide(one: ClassFacts, tuning: TtlTuning) -> TtlDecision:
    ttl_ms, bound = (None, "") if one.proposal is None else bounded(one.proposal.ttl_ms, tuning)
    against = next(filter(None, _objections(one, tuning, ttl_ms)), "")
    said = one.proposal
    figures = {} if said is None else {
        "saving": _range(said, "saving"), "bytes": _range(said, "bytes"),
        "misses": _range(said, "misses"), "regret_now": said.regret_now, "regret": said.regret,
    }  # fmt: skip
    reason = against or proposed(one, ttl_ms, bound)
    return TtlDecision(
        action=Action.KEEP if against else Action.UPDATE, namespace=one.pattern, key="",
        reason=reason, ttl_now_ms=one.policy.ttl_ms, ttl_ms=None if against else ttl_ms,
        rule=one.policy, accesses=one.accesses, reused=one.reused, **figures,
    )  # fmt: skip


def bounded(ttl_ms: int, tuning: TtlTuning) -> tuple[int, str]:
    """A time that a person can read, within floor and ceiling, and which of them held it."""
    rounded = readable(ttl_ms)
    if rounded < tuning.floor_ms:
        return tuning.floor_ms, "floor"
    if tuning.ceiling_ms is not None and rounded > tuning.ceiling_ms:
        return tuning.ceiling_ms, "ceiling"
    return rounded, ""


def _objections(one: ClassFacts, tuning: TtlTuning, ttl_ms: int | None) -> Iterator[str]:
    """Why it stays as it is: what is asked first counts."""
    now_ms, said = one.policy.ttl_ms, one.proposal
    yield kept_by(one, tuning.namespaces_kept)
    if one.by_key:
        yield "which rule holds depends on the key here, and the sample of accesses names no keys"
    if one.trial:
        yield f"the trial {one.trial[:8]} is under way"
    if now_ms is None and one.stated:
        yield "its rule says permanent, and what was promised to stay stays"
    if one.strangers:
        yield f"a rule for it would also govern {one.strangers[0]}, which is another matter"
    if one.accesses < tuning.accesses_min:
        yield f"{one.accesses:,} accesses are too few: {tuning.accesses_min:,} are asked for"
    yield one.against
    if said is None or ttl_ms is None:
        yield "nothing is known of it"
    elif not said.adopted:
        yield said.why
    elif said.regret > max(tuning.regret_max, said.regret_now):
        yield (
            f"{said.regret:.1%} of its reads would come too late, and {tuning.regret_max:.1%} is "
            "the most"
        )
    elif said.saving.low <= 0:
        yield "it may well cost more than it saves: the interval of the saving reaches nought"
    elif now_ms is not None and abs(ttl_ms - now_ms) <= SAME_SHARE * now_ms:
        yield f"{show_duration(ttl_ms)} would be best, which is as good as what it has"


def _range(said: Proposal, name: str) -> Range | None:
    """None where one key alone was used: its interval has no end."""
    found = getattr(said, name)
    return Range(**found._asdict()) if all(map(isfinite, found)) else None
