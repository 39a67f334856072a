"""Plans that several processes make: a frame, one part for each shard, and the parts joined.

The frame is read once, and holds all that is not of one shard alone: facts, the time, the rules,
what the whole store holds. A part is what one process finds in one shard under that frame. Joined,
the parts are exactly the plan that one process makes, byte by byte, of a store that stands still;
of one that changes, each shard is seen as it is when it is looked at. Every decision is for one
version of a record anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from operator import attrgetter
from typing import Final, TypeVar

from pydantic import BaseModel

from memtend.errors import PlanIncomplete
from memtend.model.facts import Facts
from memtend.model.plan import Decision


class Frame(BaseModel, frozen=True, extra="forbid"):
    """What all parts of a plan have in common."""

    facts: Facts
    now_ms: int

    @property
    def digest(self) -> str:
        return sha256(self.model_dump_json().encode()).hexdigest()


class Part(BaseModel, frozen=True, extra="forbid"):
    """What was found in one shard. `frame` is the digest of the frame that it was looked at under.

    No field is called `decisions`: an erasure reads those of saved plans, and deletes whatever else
    it finds beside them.
    """

    frame: str
    shard: int


P = TypeVar("P", bound=Part)
D = TypeVar("D", bound=Decision)
BY_NAMESPACE: Final = attrgetter("namespace")


def checked(operation: str, frame: Frame, shards: int, parts: Iterable[P]) -> Iterator[P]:
    """The parts one by one, so that no two need be in memory; raises `PlanIncomplete` unless each
    shard has exactly one, in the order of the shards."""
    count, digest = 0, frame.digest
    for part in parts:
        if part.frame != digest:
            raise PlanIncomplete(operation=operation, why="a part was made for another plan")
        if part.shard != count:
            why = f"a part of shard {part.shard} came where that of shard {count} was due"
            raise PlanIncomplete(operation=operation, why=why)
        count += 1
        yield part
    if count != shards:
        why = f"there are parts of {count} of {shards} shards"
        raise PlanIncomplete(operation=operation, why=why)


def foremost(decisions: Iterable[D], count: int) -> tuple[D, ...]:
    """The first `count` by namespace; those of one namespace in the order in which they come.

    A plan has its decisions in this order, for it is the one that does not depend on how many
    shards there are. No more than twice as many are ever held.
    """
    held: list[D] = []
    for one in decisions:
        held.append(one)
        if len(held) >= 2 * count:
            held.sort(key=BY_NAMESPACE)
            del held[count:]
    held.sort(key=BY_NAMESPACE)
    return tuple(held[:count])
