"""Which objects that no manifest names may be deleted: those that are older than any take. Pure.

What is not yet named may belong to a take that will name it. The age of an object is the time from
when it was written to the present, both by the target's own clock, as far as the target tells
times and its present agrees with ours. Otherwise an object has to be seen without a name in one
rotation, which writes that down, and again in another when the grace has passed: no single clock
can then make something new look old.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from memtend.limits import GARBAGE_GRACE_MS, ROTATION_CLOCKS_MS_MAX
from memtend.objects import ObjectInfo


class Clocks(NamedTuple):
    """The present by our clock, and by the target's if it tells times."""

    now_ms: int
    target_ms: int | None

    @property
    def agree(self) -> bool:
        if self.target_ms is None:
            return False
        return abs(self.target_ms - self.now_ms) <= ROTATION_CLOCKS_MS_MAX


class Reclaim(NamedTuple):
    """`waiting`: since when, by our clock, an object has been seen that nobody needs."""

    objects: tuple[ObjectInfo, ...]
    waiting: dict[str, int]


def reclaim(
    unnamed: Iterable[ObjectInfo],
    seen_before: Mapping[str, int],
    clocks: Clocks,
    grace_ms: int = GARBAGE_GRACE_MS,
) -> Reclaim:
    """What may go now, and what has to wait."""
    go, waiting = [], {}
    for info in unnamed:
        if _is_old(info, seen_before.get(info.name), clocks, grace_ms):
            go.append(info)
        else:
            waiting[info.name] = min(seen_before.get(info.name, clocks.now_ms), clocks.now_ms)
    return Reclaim(tuple(go), waiting)


def _is_old(info: ObjectInfo, since_ms: int | None, clocks: Clocks, grace_ms: int) -> bool:
    if clocks.agree and clocks.target_ms is not None and info.modified_ms is not None:
        return clocks.target_ms - info.modified_ms >= grace_ms
    return since_ms is not None and clocks.now_ms - since_ms >= grace_ms
