"""What would make a store smaller: each with an estimate, and the command that does it.

No fault is among them, so none costs points, and what would save next to nothing is not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from memtend.health.facts import HealthFacts
from memtend.health.report import Opportunity
from memtend.limits_upkeep import SAVING_BYTES_MIN, SAVING_SHARE_MIN

_OPTIMIZE: Final = "memtend optimize --apply"


def opportunities(facts: HealthFacts) -> Iterator[Opportunity]:
    """The largest first."""
    least = max(SAVING_BYTES_MIN, round(SAVING_SHARE_MIN * facts.file_bytes))
    found = [one for one in _all(facts) if (one.saves_bytes or 0) >= least]
    return iter(sorted(found, key=lambda one: (-(one.saves_bytes or 0), one.name)))


def _all(facts: HealthFacts) -> Iterator[Opportunity]:
    told = facts.savings
    by_sample = f"by a sample of {told.sample:,} rows"
    more = "at least " if facts.backlog and told.sweep_bytes else ""
    yield Opportunity(
        name="sweep", fact=f"{more}{facts.backlog:,} records have expired and wait to be swept",
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
        saves_bytes=told.compress_bytes, command=_OPTIMIZE,
    )  # fmt: skip
    yield Opportunity(
        name="vacuum", fact="pages inside the database are free and can be given back",
        saves_bytes=told.free_bytes, command=_OPTIMIZE,
    )  # fmt: skip
