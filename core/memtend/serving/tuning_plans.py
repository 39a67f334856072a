"""Plans of times to live at rest, found again by the beginning of their digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtend.errors import PlanMissing
from memtend.learn.tuning.plan import OPERATION, TtlPlan
from memtend.model.plan import PlanRef
from memtend.objects import open_target
from memtend.plans import load_plan, whole_digest

if TYPE_CHECKING:
    from memtend.clock import Clock

_SUFFIX: Final = ".json"


def kept_plan(digest: str, plans_url: str, clock: Clock) -> TtlPlan:
    """Raises `PlanMissing`, where none or several begin so, and `PlanAltered`."""
    prefix = f"{OPERATION}-"
    names = [one.name for one in open_target(plans_url, clock).list()]
    own = [name for name in names if name.startswith(prefix) and name.endswith(_SUFFIX)]
    known = [name.removeprefix(prefix).removesuffix(_SUFFIX) for name in own]
    found = whole_digest(digest, known)
    if found is None:
        raise PlanMissing(ref=f"{OPERATION} {digest!r}")
    ref = PlanRef(url=plans_url, sha256=found, operation=OPERATION, decisions=0)
    return load_plan(ref, clock, TtlPlan)
