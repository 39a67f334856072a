"""Saved plans name what they decide on: those that name something erased are deleted.

A plan is quickly made again, so one that cannot be read goes as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import orjson

from memtend.errors import ObjectDamaged, ObjectMissing
from memtend.limits import PLAN_BYTES_MAX
from memtend.objects import ObjectStore

Names = Callable[[str, str], bool]
_PLAN: Final = re.compile(r"[a-z_-]+-[0-9a-f]{64}\.json", re.ASCII)


def forget_plans(plans: ObjectStore, names: Names, texts: Sequence[bytes]) -> int:
    """Delete them; returns how many. Safe to repeat."""
    found = list(naming_plans(plans, names, texts))
    for name in found:
        plans.delete(name)
    return len(found)


def naming_plans(plans: ObjectStore, names: Names, texts: Sequence[bytes]) -> Iterator[str]:
    for info in plans.list():
        if _PLAN.fullmatch(info.name):
            try:
                data = plans.get(info.name, PLAN_BYTES_MAX)
            except ObjectMissing:
                continue
            except ObjectDamaged:
                data = b""
            if _names(data, names, texts):
                yield info.name


def _names(data: bytes, names: Names, texts: Sequence[bytes]) -> bool:
    if any(text in data for text in texts):
        return True
    try:
        decisions = orjson.loads(data)["decisions"]
        # What another record takes over is decided with a word about that record.
        return any(
            one.get("merge_into") or names(one["namespace"], one["key"]) for one in decisions
        )
    except (ValueError, KeyError, TypeError):
        return True
