"""Which records to archive, by which rule and why. Pure: the same arguments give the same plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from memtend.limits import (
    ARCHIVE_TTL_LEFT_MS_MIN,
    ARCHIVE_VALUE_BYTES_MIN,
    PLAN_DECISIONS_MAX,
)
from memtend.model.archiverule import ArchivePolicy, ArchiveRule
from memtend.model.facts import Facts
from memtend.model.frame import Frame, Part, checked, foremost
from memtend.model.pattern import Pattern, compile_pattern
from memtend.model.plan import Action, Decision, Plan
from memtend.model.shard import WHOLE, Shard
from memtend.model.usage import Usage

_DAY_MS = 24 * 3_600_000


class ArchiveDecision(Decision, frozen=True, extra="forbid"):
    """`rule` is the name of the rule that decided, `level` how hard zstd compresses."""

    rule: str
    level: int
    kind: str = ""


class ArchivePlan(Plan, frozen=True, extra="forbid"):
    """What an archive run would move. `size_bytes` of a decision is what its row takes now."""

    decisions: tuple[ArchiveDecision, ...] = ()

    def to_archive(self) -> tuple[ArchiveDecision, ...]:
        return tuple(d for d in self.decisions if d.action is Action.ARCHIVE)


class ArchiveFrame(Frame, frozen=True, extra="forbid"):
    """What the parts of an archive plan have in common: see `model/frame.py`."""

    policy: ArchivePolicy
    shards: tuple[Shard, ...] = (WHOLE,)


class ArchivePart(Part, frozen=True, extra="forbid"):
    cold: tuple[ArchiveDecision, ...]


def plan_archive(
    rows: Iterable[Usage], policy: ArchivePolicy, facts: Facts, now_ms: int
) -> ArchivePlan:
    """Archive every record for which a rule holds; the others are not mentioned."""
    frame = ArchiveFrame(facts=facts, now_ms=now_ms, policy=policy)
    return join(frame, [look(rows, frame)])


def look(rows: Iterable[Usage], frame: ArchiveFrame, shard: int = 0) -> ArchivePart:
    """What is cold in one shard."""
    rules = [(rule, compile_pattern(rule.namespace)) for rule in frame.policy.ordered]
    cold = foremost(_decide(rows, rules, frame.now_ms), PLAN_DECISIONS_MAX)
    return ArchivePart.model_construct(frame=frame.digest, shard=shard, cold=cold)


def join(frame: ArchiveFrame, parts: Iterable[ArchivePart]) -> ArchivePlan:
    """The plan of the whole store, from parts in the order of their shards; raises
    `PlanIncomplete`."""
    cold = list[ArchiveDecision]()
    for part in checked("archive", frame, len(frame.shards), parts):
        cold += part.cold[: PLAN_DECISIONS_MAX - len(cold)]
    return ArchivePlan(
        operation="archive",
        store_id=frame.facts.store_id,
        made_at=frame.facts.at,
        basis=frame.facts.seq,
        total=frame.facts.records,
        decisions=tuple(cold),
        truncated=len(cold) == PLAN_DECISIONS_MAX,
    )


def _decide(
    rows: Iterable[Usage], rules: list[tuple[ArchiveRule, Pattern]], now_ms: int
) -> Iterator[ArchiveDecision]:
    for row in rows:
        if not is_worth_it(row, now_ms):
            continue
        for rule, pattern in rules:
            if pattern.governs(f"{row.namespace}/{row.key}") and (why := reason(rule, row, now_ms)):
                # Not validated again: every part comes from the store.
                yield ArchiveDecision.model_construct(
                    action=Action.ARCHIVE,
                    namespace=row.namespace,
                    key=row.key,
                    seq=row.seq,
                    reason=why,
                    size_bytes=row.row_bytes,
                    rule=rule.name,
                    level=rule.level,
                    kind=row.kind,
                )
                break


def is_worth_it(row: Usage, now_ms: int) -> bool:
    """Not where the address takes about as much as the value, and not what ends soon anyway."""
    soon = row.expires_ms is not None and row.expires_ms < now_ms + ARCHIVE_TTL_LEFT_MS_MIN
    return row.value_bytes >= ARCHIVE_VALUE_BYTES_MIN and not soon


def reason(rule: ArchiveRule, row: Usage, now_ms: int) -> str | None:
    """Why the rule holds for this record, in words; None where it does not."""
    said = []
    for holds, words in _conditions(rule, row, now_ms):
        if not holds:
            return None
        said.append(words())
    return ", ".join(said)


def _conditions(
    rule: ArchiveRule, row: Usage, now_ms: int
) -> Iterator[tuple[bool, Callable[[], str]]]:
    age_ms = now_ms - row.written_ms
    unread_ms = now_ms - max(row.read_ms or 0, row.written_ms)
    days = max(now_ms - row.created_ms, 0) / _DAY_MS
    if rule.older_than_ms is not None:
        yield age_ms > rule.older_than_ms, lambda: f"not written for {_days(age_ms)}"
    if rule.unread_for_ms is not None:
        yield unread_ms > rule.unread_for_ms, lambda: f"not read for {_days(unread_ms)}"
    if (low := rule.importance_below) is not None:
        yield row.importance < low, lambda: f"importance {row.importance:g} < {low:g}"
    if (few := rule.accesses_below) is not None:
        yield row.accesses < few, lambda: f"{row.accesses} reads in all"
    if (big := rule.larger_than_bytes) is not None:
        yield row.text_bytes > big, lambda: f"{row.text_bytes:,} bytes"
    if (rate := rule.accesses_a_day_below) is not None:
        yield (
            days >= 1 / rate and row.accesses / days < rate,
            lambda: f"{row.accesses / days:.2g} reads a day",
        )


def _days(ms: int) -> str:
    return f"{ms / _DAY_MS:,.0f} days"
