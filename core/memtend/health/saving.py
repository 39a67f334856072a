"""What would make a store smaller or faster: each with an estimate, and the command that does it.

No fault is among them, so none costs points, and what would save next to nothing is not told.
"""

from __future__ import annotations

from collections.abc import Iterator

from memtend.health.facts import HealthFacts
from memtend.health.report import Opportunity
from memtend.limits import BACKLOG_WARN_ROWS
from memtend.limits_upkeep import (
    FREE_BYTES_MIN,
    REWRITE_SHARE_MIN,
    SAVING_BYTES_MIN,
    SAVING_MS_MIN,
    SAVING_SHARE_MIN,
)


def opportunities(facts: HealthFacts) -> Iterator[Opportunity]:
    """The largest first; what saves time last."""
    least = max(SAVING_BYTES_MIN, round(SAVING_SHARE_MIN * facts.file_bytes))
    found = [one for one in _all(facts) if (one.saves_bytes or 0) >= least]
    yield from sorted(found, key=lambda one: (-(one.saves_bytes or 0), one.name))
    yield from _recall(facts)


def _recall(facts: HealthFacts) -> Iterator[Opportunity]:
    """Archived values that are read all the same cost time, each time."""
    usual = {one.op: one.p50_ms for one in facts.slow if one.tier == "hot"}
    late = [one for one in facts.slow if one.tier == "cold" and one.op in usual]
    saves_ms = sum(one.count * (one.p50_ms - usual[one.op]) for one in late)
    if saves_ms >= SAVING_MS_MIN:
        count = sum(one.count for one in late)
        yield Opportunity(
            name="recall",
            fact=f"about {count:,} times in the last day somebody waited for the archive",
            saves_ms=round(saves_ms, 1), command="memtend archive recall PATTERN",
        )  # fmt: skip


def _all(facts: HealthFacts) -> Iterator[Opportunity]:
    told = facts.savings
    by_sample = f"by a sample of {told.sample:,} rows"
    way, free_bytes = _free(facts)
    expired = facts.backlog or 0
    more = "at least " if expired >= BACKLOG_WARN_ROWS else ""
    yield Opportunity(
        name="sweep", fact=f"{more}{expired:,} records have expired and wait to be swept",
        saves_bytes=told.sweep_bytes, command="memtend sweep --apply",
    )  # fmt: skip
    yield Opportunity(
        name="archive", fact=f"about {told.archive:,} values are cold by the policy, {by_sample}",
        saves_bytes=told.archive_bytes, command="memtend archive run --apply",
    )  # fmt: skip
    yield Opportunity(
        name="prune", fact=f"about {told.prune:,} records are worth no more keeping, {by_sample}",
        saves_bytes=told.prune_bytes, command="memtend prune --apply",
    )  # fmt: skip
    yield Opportunity(
        name="duplicates",
        fact=f"at least {told.duplicates:,} records say what another one says, {by_sample}",
        saves_bytes=told.duplicate_bytes, command="memtend prune --strategy redundancy --apply",
    )  # fmt: skip
    yield Opportunity(
        name="compress", fact=f"about {told.compress:,} values are stored as text, {by_sample}",
        saves_bytes=told.compress_bytes, command="memtend optimize --step compression --apply",
    )  # fmt: skip
    yield Opportunity(
        name="vacuum", fact="pages inside the database are free and can be given back",
        saves_bytes=free_bytes, command=f"memtend optimize --step {way} --apply",
    )  # fmt: skip


def _free(facts: HealthFacts) -> tuple[str, int]:
    """The step that gives free pages back, and how many bytes: none where it finds it not worth the
    trouble."""
    told = facts.savings
    if told.gives_back and told.free_bytes >= FREE_BYTES_MIN:
        return "space", told.free_bytes
    large = told.free_bytes >= REWRITE_SHARE_MIN * facts.file_bytes
    return "rewrite", told.free_bytes if large or not told.gives_back else 0
