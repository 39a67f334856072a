"""All checks, in the order in which they are read. Pure: facts in, report out."""

from __future__ import annotations

from typing import Final

from memtend.health import of_others, of_store, of_use
from memtend.health.facts import HealthFacts
from memtend.health.making import Judge
from memtend.health.report import HealthReport, Level
from memtend.health.saving import opportunities
from memtend.health.score import score_of, weighed

CHECKS: Final[tuple[Judge, ...]] = (
    of_store.reading, of_store.structure, of_store.file, of_store.integrity, of_store.dictionaries,
    of_store.audit, of_use.clock, of_use.expiry, of_use.quota, of_use.limits, of_use.conflicts,
    of_others.backup, of_others.target, of_others.chain, of_others.drill, of_others.archive,
    of_others.models, of_others.peers, of_others.messages, of_use.leases, of_use.performance,
    of_store.statistics, of_store.disk, of_store.wal, of_store.ballast, of_use.changelog,
    of_use.policies, of_use.regret, of_use.alerts, of_store.versions, of_store.engine,
)  # fmt: skip

_ORDER: Final = (Level.OK, Level.WARNING, Level.CRITICAL)


def check_health(facts: HealthFacts) -> HealthReport:
    """Judge a store by its figures."""
    checks = tuple(weighed(check) for judge in CHECKS for check in judge(facts))
    level = max((check.level for check in checks), key=_ORDER.index)
    return HealthReport(
        at=facts.at,
        level=level,
        healthy=level is Level.OK,
        score=score_of(checks),
        records=facts.records,
        bytes=facts.bytes,
        file_bytes=facts.file_bytes,
        expired_waiting=facts.backlog or 0,
        checks=checks,
        opportunities=tuple(opportunities(facts)),
    )
