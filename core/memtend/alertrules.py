"""The `alerts:` section of a policy file: from where on somebody is told, and how often.

    alerts:
      agent_bytes: {warning: 60MiB, error: 80MiB}
      query_p95: {warning: 100ms, critical: 2s}
      cache_hit: {warning: 0.4}
      regret: {warning: none}
      tell_from: error
      remind: 6h
      keep: 30d

What is left out keeps its default, level by level; `none` is a level that never comes, and with
`remind` it reminds nobody. A worse level needs a worse limit.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

from memtend.durations import parse_bytes, parse_duration, show_duration
from memtend.limits import TTL_MS_MAX
from memtend.limits_upkeep import ALERT_FLAP_MS
from memtend.model.alert import AlertLevel
from memtend.model.alertpolicy import AlertPolicy, Steps
from memtend.safeyaml import Node

_NONE: Final = "none"
_STEPS: Final = tuple(Steps.model_fields)
_TIMES: Final = {"remind": "remind_ms", "keep": "keep_ms"}
_LEAST: Final = {"remind": 1, "keep": ALERT_FLAP_MS}


def read_alerts(node: Node | None) -> dict[str, Any]:
    """What differs from the defaults, as `PolicyFile.alerting` keeps it; raises `InvalidPolicy`."""
    given = node.mapping((*_READ, "tell_from", *_TIMES)) if node else {}
    fields: dict[str, Any] = {}
    for name, (field, read) in _READ.items():
        if name in given:
            fields[field] = _steps(given[name], getattr(AlertPolicy(), field), field, read)
    if "tell_from" in given:
        fields["tell_from"] = given["tell_from"].choice({one.value: one for one in AlertLevel})
    for name, field in _TIMES.items():
        if name in given:
            never = name == "remind" and given[name].plain().lower() == _NONE
            fields[field] = None if never else _ms(given[name], least_ms=_LEAST[name])
    return AlertPolicy(**fields).model_dump(mode="json", exclude_defaults=True)


def dump_alerts(policy: AlertPolicy) -> dict[str, Any]:
    """The section in the words that `read_alerts` reads."""
    tree: dict[str, Any] = {}
    for name, (field, _) in _READ.items():
        steps = getattr(policy, field).model_dump()
        tree[name] = {level: _show(name, limit) for level, limit in steps.items()}
    remind_ms = policy.remind_ms
    tree["tell_from"] = policy.tell_from.value
    tree["remind"] = _NONE if remind_ms is None else show_duration(remind_ms)
    tree["keep"] = show_duration(policy.keep_ms)
    return tree


def _steps(node: Node, default: Steps, field: str, read: Callable[[Node], float]) -> Steps:
    given = node.mapping(_STEPS)
    limits = default.model_dump()
    for level, one in given.items():
        limits[level] = None if one.kind == "scalar" and one.text.lower() == _NONE else read(one)
    rising = [limit for limit in limits.values() if limit is not None]
    if field == "cache_hit_share":
        rising.reverse()
    if any(before >= after for before, after in pairwise(rising)):
        raise node.error("a worse level needs a worse limit: warning, then error, then critical")
    return Steps(**limits)


def _bytes(node: Node) -> float:
    found = parse_bytes(node.plain())
    if not found:
        raise node.error("a limit is a number of bytes, or such as 60MiB")
    return found


def _ms(node: Node, least_ms: int = 1) -> int:
    found = parse_duration(node.plain())
    if found is None or not least_ms <= found <= TTL_MS_MAX:
        least = f" of {show_duration(least_ms)} or more" if least_ms > 1 else ""
        raise node.error(f"{node.plain()[:64]!r} is not a time such as 100ms, 12h, 30d{least}")
    return found


def _share(node: Node) -> float:
    return node.number(0, 1)


def _show(name: str, limit: float | None) -> str | int | float:
    if limit is None:
        return _NONE
    if _READ[name][1] is _share:
        return limit
    return show_duration(round(limit)) if _READ[name][1] is _ms else round(limit)


_READ: Final[dict[str, tuple[str, Callable[[Node], float]]]] = {
    "agent_bytes": ("agent_bytes", _bytes),
    "store_bytes": ("store_bytes", _bytes),
    "query_p95": ("query_p95_ms", _ms),
    "cache_hit": ("cache_hit_share", _share),
    "regret": ("regret_share", _share),
}
