"""The `archive:` section of a policy file.

    archive:
      keep: 60d
      rules:
        - {name: old, older_than: 90d, importance_below: 0.3, level: 19}
        - {name: logs, namespace: "log/**", unread_for: 7d, priority: 5}

Rules that are given replace the built-in ones; without `rules` those hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from memtend.durations import parse_bytes, parse_duration, show_duration
from memtend.errors import InvalidName, InvalidPolicy
from memtend.limits import ARCHIVE_KEEP_MS_MIN, ARCHIVE_RULES_MAX, TIME_MS_MAX, VALUE_BYTES_MAX
from memtend.model.archiverule import CONDITIONS, NAME_PATTERN, ArchivePolicy, ArchiveRule
from memtend.model.pattern import compile_pattern
from memtend.safeyaml import Node

_RULE: Final = (
    "name",
    "namespace",
    "older_than",
    "unread_for",
    "importance_below",
    "accesses_below",
    "accesses_a_day_below",
    "larger_than",
    "priority",
    "level",
)
_INT_MAX: Final = 2**53 - 1
_RATE_MAX: Final = 1e9


def read_archive(node: Node | None) -> ArchivePolicy:
    """The section, or the built-in rules where there is none; raises `InvalidPolicy`."""
    given = node.mapping(("keep", "rules")) if node else {}
    fields: dict[str, Any] = {}
    if "keep" in given:
        fields["keep_ms"] = _duration(given["keep"])
        if fields["keep_ms"] < ARCHIVE_KEEP_MS_MIN:
            least = show_duration(ARCHIVE_KEEP_MS_MIN)
            raise given["keep"].error(f"at least {least}: older backups still need the archive")
    if "rules" in given:
        fields["rules"] = _rules(given["rules"])
    return ArchivePolicy(**fields)


def dump_archive(policy: ArchivePolicy) -> dict[str, Any]:
    """The section in the words that `read_archive` reads."""
    return {
        "keep": show_duration(policy.keep_ms),
        "rules": [_dump(rule) for rule in policy.rules],
    }


def _rules(node: Node) -> tuple[ArchiveRule, ...]:
    rules: list[ArchiveRule] = []
    for item in node.sequence():
        rule = _rule(item)
        if rule.name in {known.name for known in rules}:
            raise item.error(f"the name {rule.name!r} was given before")
        if len(rules) == ARCHIVE_RULES_MAX:
            raise item.error(f"more than {ARCHIVE_RULES_MAX} rules")
        rules.append(rule)
    return tuple(rules)


def _rule(item: Node) -> ArchiveRule:
    given = item.mapping(_RULE)
    if "name" not in given:
        raise item.error("'name' is missing")
    name = given["name"].plain()
    if not re.fullmatch(NAME_PATTERN, name, re.ASCII):
        raise given["name"].error("a name has up to 32 small letters, digits and hyphens")
    fields: dict[str, Any] = {"name": name}
    if "namespace" in given:
        fields["namespace"] = given["namespace"].plain()
        try:
            compile_pattern(fields["namespace"])
        except InvalidName as error:
            raise given["namespace"].error(str(error)) from None
    fields |= _conditions(given)
    if not fields.keys() & set(CONDITIONS):
        raise item.error("a rule needs a condition such as older_than: 90d")
    if "priority" in given:
        fields["priority"] = given["priority"].whole(-1_000, 1_000)
    if "level" in given:
        fields["level"] = given["level"].whole(1, 19)
    return ArchiveRule(**fields)


def _conditions(given: Mapping[str, Node]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        f"{name}_ms": _duration(given[name])
        for name in ("older_than", "unread_for")
        if name in given
    }
    if "importance_below" in given:
        fields["importance_below"] = given["importance_below"].number(0.001, 1)
    if "accesses_below" in given:
        fields["accesses_below"] = given["accesses_below"].whole(1, _INT_MAX)
    if "accesses_a_day_below" in given:
        fields["accesses_a_day_below"] = given["accesses_a_day_below"].number(1e-6, _RATE_MAX)
    if "larger_than" in given:
        node = given["larger_than"]
        size = parse_bytes(node.plain())
        if size is None or size > VALUE_BYTES_MAX:
            raise node.error("a size is a number of bytes, or such as 10kB, 1MiB")
        fields["larger_than_bytes"] = size
    return fields


def _duration(node: Node) -> int:
    parsed = parse_duration(node.plain())
    if parsed is None or not 0 < parsed <= TIME_MS_MAX:
        raise _not_a_time(node)
    return parsed


def _not_a_time(node: Node) -> InvalidPolicy:
    return node.error(f"{node.plain()[:64]!r} is not a time such as 30d")


def _dump(rule: ArchiveRule) -> dict[str, Any]:
    times = {"older_than": rule.older_than_ms, "unread_for": rule.unread_for_ms}
    said: dict[str, Any] = {
        "name": rule.name,
        "namespace": rule.namespace,
        **{name: None if ms is None else show_duration(ms) for name, ms in times.items()},
        "importance_below": rule.importance_below,
        "accesses_below": rule.accesses_below,
        "accesses_a_day_below": rule.accesses_a_day_below,
        "larger_than": rule.larger_than_bytes,
        "priority": rule.priority,
        "level": rule.level,
    }
    return {name: value for name, value in said.items() if value is not None}
