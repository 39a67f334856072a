"""Saved plans name what they decide on: those that name something erased are deleted.

So are the policy files that lie beside plans of times to live, where a rule names it. A plan is
quickly made again, so one that cannot be read goes as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import orjson

from memtend.errors import InvalidPolicy, ObjectDamaged, ObjectMissing
from memtend.limits import PLAN_BYTES_MAX
from memtend.objects import ObjectStore

Names = Callable[[str, str], bool]
_PLAN: Final = re.compile(r"[a-z_-]+-[0-9a-f]{64}\.json", re.ASCII)
_POLICIES: Final = re.compile(r"policies-[0-9a-f]{64}\.yaml", re.ASCII)


def forget_plans(plans: ObjectStore, names: Names, texts: Sequence[bytes]) -> int:
    """Delete them; returns how many. Safe to repeat."""
    found = list(naming_plans(plans, names, texts))
    for name in found:
        plans.delete(name)
    return len(found)


def naming_plans(plans: ObjectStore, names: Names, texts: Sequence[bytes]) -> Iterator[str]:
    for info in plans.list():
        rules = _POLICIES.fullmatch(info.name) is not None
        if rules or _PLAN.fullmatch(info.name):
            try:
                data = plans.get(info.name, PLAN_BYTES_MAX)
            except ObjectMissing:
                continue
            except ObjectDamaged:
                data = b""
            if any(text in data for text in texts) or (_ruled if rules else _decided)(data, names):
                yield info.name


def _ruled(data: bytes, names: Names) -> bool:
    from memtend.policies import load_policies  # noqa: PLC0415

    try:
        rules = load_policies(data.decode()).policies.rules
        return any(names(rule.pattern, "") for rule in rules)
    except (InvalidPolicy, UnicodeDecodeError):
        return True


def _decided(data: bytes, names: Names) -> bool:
    try:
        decisions = orjson.loads(data)["decisions"]
        # What another record takes over is decided with a word about that record.
        return any(
            one.get("merge_into") or names(one["namespace"], one["key"]) for one in decisions
        )
    except (ValueError, KeyError, TypeError):
        return True
