"""Plans at rest: what was reviewed is what is applied.

A plan is stored under the hash of its bytes. The reference carries the hash, so a plan that was
changed on the way is refused. So it is with the parts that a plan is joined from; they are dropped
when it is made, or given up.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from typing import Final, TypeVar

from pydantic import BaseModel

from memtend.clock import Clock
from memtend.errors import MemtendError, ObjectMissing, PlanAltered, PlanMissing
from memtend.limits import PLAN_BYTES_MAX
from memtend.model.plan import Plan, PlanRef
from memtend.objects import open_target

DIGITS_MIN: Final = 8
"""Of a digest, where its beginning stands for it."""


def whole_digest(beginning: str, known: Iterable[str]) -> str | None:
    """The one that begins so; None where none does, or several, or too little of it is said."""
    found = [one for one in known if one.startswith(beginning)]
    return found[0] if len(beginning) >= DIGITS_MIN and len(found) == 1 else None


class PartRef(BaseModel, frozen=True, extra="forbid"):
    """Where a part of a plan is, or the frame of its parts, and the digest of its bytes."""

    url: str
    name: str
    sha256: str


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
    return kind.model_validate_json(
        _read(ref.url, _name(ref.operation, ref.sha256), ref.sha256, clock)
    )


B = TypeVar("B", bound=BaseModel)


def save_part(part: BaseModel, operation: str, plans_url: str, clock: Clock) -> PartRef:
    """Keep a part, or a frame, for another process."""
    data = part.model_dump_json().encode()
    digest = sha256(data).hexdigest()
    name = _name(f"{operation}-part", digest)
    open_target(plans_url, clock).put_if_absent(name, data)
    return PartRef(url=plans_url, name=name, sha256=digest)


def load_part(ref: PartRef, clock: Clock, kind: type[B]) -> B:
    """What `ref` pins; raises `PlanMissing` or `PlanAltered`."""
    return kind.model_validate_json(_read(ref.url, ref.name, ref.sha256, clock))


def drop_parts(refs: Iterable[PartRef], clock: Clock) -> None:
    """Remove what nobody needs any more. What cannot be removed stays: it harms nobody."""
    for ref in refs:
        with suppress(MemtendError):
            open_target(ref.url, clock).delete(ref.name)


def _read(url: str, name: str, digest: str, clock: Clock) -> bytes:
    try:
        data = open_target(url, clock).get(name, PLAN_BYTES_MAX)
    except ObjectMissing as error:
        raise PlanMissing(ref=name) from error
    if sha256(data).hexdigest() != digest:
        raise PlanAltered(ref=name)
    return data


def _name(operation: str, digest: str) -> str:
    return f"{operation}-{digest}.json"
