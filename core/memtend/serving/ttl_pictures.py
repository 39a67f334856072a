"""Times to live are proposed, and what the proposal rests on is kept for the report.

The figures go into the registry of models, as a candidate without files: what serves is the policy
file. Of such candidates the newest is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtend.clock import to_datetime
from memtend.model.learned import TTL, ModelEntry, ModelStatus
from memtend.model.pictures import PICTURES
from memtend.store import models

if TYPE_CHECKING:
    from memtend.learn.ttl.fitted import FittedTtl
    from memtend.learn.tuning.plan import TtlPlan
    from memtend.services import Services

SCENARIO: Final = "ttl"
_ACTOR: Final = "tuning"


def propose_ttl(services: Services, by: str = "rule") -> TtlPlan:
    """As `plan_ttl`; what is drawn of it stays in the store."""
    plan, fitted = services.fit_ttl(by)
    if fitted is not None:
        _keep(services, plan, fitted)
    return plan


def _keep(services: Services, plan: TtlPlan, fitted: FittedTtl) -> None:
    from memtend.learn.picturing_ttl import ttl_pictures  # noqa: PLC0415

    store, report = services.store, fitted.report
    before = [one.model_id for one in models.listed(store, SCENARIO) if one.kind == TTL]
    first, last = (None if ms is None else to_datetime(ms) for ms in (plan.from_ms, plan.until_ms))
    entry = ModelEntry(
        model_id=services.clock.new_id(),
        scenario=SCENARIO,
        kind=TTL,
        status=ModelStatus.CANDIDATE,
        made_at=plan.made_at,
        program=services._program(),
        seed=services.memory.config.file.learn.seed,
        rows=report.accesses,
        first_at=first,
        last_at=last,
        why="; ".join(report.reasons),
        facts={PICTURES: ttl_pictures(fitted).model_dump(mode="json")},
    )
    models.save(store, entry, _ACTOR)
    models.drop(store, before, actor=_ACTOR, why="a newer fit takes its place")
