"""The `retention:` section of a policy file: which backups rotation keeps.

    retention: {keep_within: 1d, daily: 7, weekly: 4, monthly: 12, yearly: 3, max_age: 30d}

What is left out keeps its default; `max_age: none` lets age alone drop nothing.
"""

from __future__ import annotations

from typing import Any, Final

from memtend.durations import parse_duration, show_duration
from memtend.limits import PERIODS_MAX, TTL_MS_MAX
from memtend.model.retention import Retention
from memtend.safeyaml import Node

_COUNTS: Final = ("daily", "weekly", "monthly", "yearly")
NO_AGE: Final = "none"


def read_retention(node: Node | None) -> Retention:
    """The section, or the defaults where there is none; raises `InvalidPolicy`."""
    given = node.mapping(("keep_within", *_COUNTS, "max_age")) if node else {}
    fields: dict[str, Any] = {
        name: given[name].whole(0, PERIODS_MAX) for name in _COUNTS if name in given
    }
    if "keep_within" in given:
        fields["within_ms"] = _duration(given["keep_within"], least_ms=0)
    if "max_age" in given:
        none = given["max_age"].plain().lower() == NO_AGE
        fields["max_age_ms"] = None if none else _duration(given["max_age"], least_ms=1)
    return Retention(**fields)


def dump_retention(retention: Retention) -> dict[str, Any]:
    """The section in the words that `read_retention` reads."""
    age_ms = retention.max_age_ms
    return {
        "keep_within": show_duration(retention.within_ms),
        **{name: getattr(retention, name) for name in _COUNTS},
        "max_age": NO_AGE if age_ms is None else show_duration(age_ms),
    }


def _duration(node: Node, least_ms: int) -> int:
    parsed = parse_duration(node.plain())
    if parsed is None or not least_ms <= parsed <= TTL_MS_MAX:
        raise node.error(f"{node.plain()[:64]!r} is not a time such as 12h, 30d")
    return parsed
