"""Plans at rest: what was reviewed is what is applied.

A plan is stored under the hash of its bytes. The reference carries the hash, so a plan that was
changed on the way is refused.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TypeVar

from memtend.clock import Clock
from memtend.errors import ObjectMissing, PlanAltered, PlanMissing
from memtend.limits import PLAN_BYTES_MAX
from memtend.model.plan import Plan, PlanRef
from memtend.objects import open_target


def save_plan(plan: Plan, plans_url: str, clock: Clock) -> PlanRef:
    """Keep a plan and return the reference that pins it."""
    data = plan.model_dump_json().encode()
    digest = sha256(data).hexdigest()
    open_target(plans_url, clock).put_if_absent(_name(plan.operation, digest), data)
    return PlanRef(
        url=plans_url, sha256=digest, operation=plan.operation, decisions=len(plan.decisions)
    )


P = TypeVar("P", bound=Plan)


def load_plan(ref: PlanRef, clock: Clock, kind: type[P] = Plan) -> P:  # type: ignore[assignment]
    """The plan that `ref` pins; raises `PlanMissing` or `PlanAltered`."""
    name = _name(ref.operation, ref.sha256)
    try:
        data = open_target(ref.url, clock).get(name, PLAN_BYTES_MAX)
    except ObjectMissing as error:
        raise PlanMissing(ref=name) from error
    if sha256(data).hexdigest() != ref.sha256:
        raise PlanAltered(ref=name)
    return kind.model_validate_json(data)


def _name(operation: str, digest: str) -> str:
    return f"{operation}-{digest}.json"
