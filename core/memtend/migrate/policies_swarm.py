"""The older swarm program's `memory_schema.json` and `memory_config.json` as a policy file.

Retention per category becomes rules over the layout's patterns; a category that the schema does not
name keeps what the layout gives it. The default for everything else becomes two rules, over
`swarm-*` and `global`, so that it ends nothing that another program keeps in the same store. They
stand in the file, so the layout's own retention, which a rule of the file would hide, is written
out as well.
"""

from __future__ import annotations

import re
from typing import Any, Final

from memtend.durations import parse_bytes
from memtend.errors import InvalidName, InvalidPolicy
from memtend.limits import LEASE_TTL_MS, POLICY_RULES_MAX, TTL_MS_MAX
from memtend.migrate.policies_tree import Tree
from memtend.model.layoutrules import RETENTION_MS
from memtend.model.pattern import compile_pattern
from memtend.model.policy import DEFAULT_POLICY, Compression, Policy
from memtend.model.policyfile import CleanupSchedule, Layout, PolicyFile, Quotas
from memtend.model.policyset import PolicySet

SCHEMA: Final = "memory_schema.json"
CONFIG: Final = "memory_config.json"
_DAY_MS: Final = 86_400_000
_NAME = re.compile(r"\{[^{}/]*\}")
_REST: Final = ("swarm-*", "global")
_QUOTAS: Final = (
    ("agent_bytes", SCHEMA, ("consistency_rules", "constraints", "max_memory_per_agent")),
    ("session_bytes", SCHEMA, ("consistency_rules", "constraints", "max_session_size")),
    ("store_bytes", SCHEMA, ("consistency_rules", "constraints", "max_total_memory")),
    ("agent_bytes", CONFIG, ("agent_memory_limits", "max_individual_memory")),
    ("session_bytes", CONFIG, ("agent_memory_limits", "max_session_memory")),
)
_UNPLACED: Final = ("critical_data_retention", "temporary_data_retention", "log_retention_days")


def from_swarm(trees: dict[str, Tree]) -> tuple[PolicyFile, tuple[str, ...]]:
    """The file and its notes. Raises `InvalidPolicy` where there are too many categories."""
    notes: list[str] = []
    schema, config = trees.get(SCHEMA, Tree({}, "")), trees.get(CONFIG, Tree({}, ""))
    rules = dict(RETENTION_MS) | _default(config, notes) | _categories(schema, notes)
    if len(rules) > POLICY_RULES_MAX:
        why = f"more than {POLICY_RULES_MAX:,} categories"
        raise InvalidPolicy(source=schema.source, where="memory_structure", why=why)
    squeeze = _compression(config, notes)
    made = tuple(
        Policy(pattern=pattern, ttl_ms=ttl_ms, compression=squeeze)
        for pattern, ttl_ms in sorted(rules.items())
    )
    file = PolicyFile(
        policies=PolicySet(
            rules=made, fallback=DEFAULT_POLICY.model_copy(update={"compression": squeeze})
        ),
        layout=Layout.SWARM,
        schedule=_schedule(config, notes),
        quotas=_quotas(trees, notes),
    )
    notes.append(
        f"locks are leases here: {LEASE_TTL_MS // 1_000} s unless their holder renews them, "
        "and no policy sets that"
    )
    _strategy(schema, notes)
    for name, tree in sorted(trees.items()):
        left = tree.rest()
        if left:
            notes.append(f"{name}: no equivalent here for {'; '.join(left)}")
    return file, tuple(notes)


def _categories(schema: Tree, notes: list[str]) -> dict[str, int]:
    rules: dict[str, int] = {}
    root = "memory_structure"
    for group in schema.names(root):
        for name in schema.names(root, group):
            where = f"{root}.{group}.{name}"
            pattern = _pattern(schema.take(root, group, name, "path_pattern"))
            schema.take(root, group, name, "description")
            schema.take(root, group, name, "backup_frequency")
            days = schema.take(root, group, name, "retention_days")
            ttl_ms = _ttl_ms(days, where, notes)
            if pattern is None:
                notes.append(f"{where}: its path_pattern is no pattern, so nothing is translated")
            elif ttl_ms is not None:
                if pattern in rules and rules[pattern] != ttl_ms:
                    ttl_ms = max(rules[pattern], ttl_ms)
                    notes.append(f"{where}: {pattern!r} has two retentions; the longer one holds")
                rules[pattern] = ttl_ms
    if rules:
        notes.append(
            "backup_frequency is not kept per category: backups are of the whole store, and "
            "`memtend backup take` or the deployed flow says when"
        )
    return rules


def _pattern(given: Any) -> str | None:
    if not isinstance(given, str):
        return None
    pattern = re.sub(r"\*+", "*", _NAME.sub("*", given))
    try:
        compile_pattern(pattern)
    except InvalidName:
        return None
    return pattern


def _ttl_ms(days: Any, where: str, notes: list[str]) -> int | None:
    """None where no time is meant for certain."""
    if isinstance(days, bool) or not isinstance(days, int | float) or not days > 0:
        notes.append(f"{where}: retention_days is no number of days above 0; not translated")
        return None
    if days * _DAY_MS > TTL_MS_MAX:
        notes.append(f"{where}: {days:g} days are clamped to {TTL_MS_MAX // _DAY_MS:,}")
        return TTL_MS_MAX
    return max(1, round(days * _DAY_MS))


def _default(config: Tree, notes: list[str]) -> dict[str, int]:
    root = "retention_policies"
    for name in _UNPLACED:
        days = config.take(root, name)
        if days is not None:
            notes.append(f"{root}.{name} = {days!r}: it does not say which keys it is about")
    days = config.take(root, "default_retention_days")
    if days is None:
        return {}
    ttl_ms = _ttl_ms(days, f"{root}.default_retention_days", notes)
    if ttl_ms is None:
        return {}
    notes.append(
        f"default_retention_days holds for {' and '.join(_REST)}, where no other rule does; "
        "what lies elsewhere in the store is none of its business"
    )
    return dict.fromkeys(_REST, ttl_ms)


def _quotas(trees: dict[str, Tree], notes: list[str]) -> Quotas:
    fields: dict[str, Any] = {}
    for name, file, path in _QUOTAS:
        given = trees[file].take(*path) if file in trees else None
        if given is None:
            continue
        where = ".".join(path)
        size = parse_bytes(given) if isinstance(given, str) else None
        if not size:
            notes.append(f"{where} = {given!r} is no size such as 100MB; not translated")
        elif fields.get(name, size) != size:
            fields[name] = max(fields[name], size)
            notes.append(f"{where} says {given}, {SCHEMA} something else; the larger one holds")
        else:
            fields[name] = size
    if fields:
        notes.append("sizes are taken as they are written: 100MB are 100,000,000 bytes")
    warn = (
        trees[CONFIG].take("agent_memory_limits", "warning_threshold") if CONFIG in trees else None
    )
    share = _share(warn)
    if share is not None:
        fields["warn_share"] = share
    elif warn is not None:
        notes.append(f"agent_memory_limits.warning_threshold = {warn!r} is no share such as 80%")
    return Quotas(**fields)


def _share(given: Any) -> float | None:
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?)\s*%", given) if isinstance(given, str) else None
    share = float(found[1]) / 100 if found else given
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0.01 <= share <= 1:
        return None
    return float(share)


def _compression(config: Tree, notes: list[str]) -> Compression:
    given = config.take("memory_persistence", "compression_enabled")
    if given is not None and not isinstance(given, bool):
        notes.append("memory_persistence.compression_enabled is neither true nor false")
    return Compression(enabled=given is not False)


def _schedule(config: Tree, notes: list[str]) -> CleanupSchedule:
    given = config.take("memory_persistence", "auto_cleanup_enabled")
    if given is not None and not isinstance(given, bool):
        notes.append("memory_persistence.auto_cleanup_enabled is neither true nor false")
    return CleanupSchedule(enabled=given is not False)


def _strategy(schema: Tree, notes: list[str]) -> None:
    path = ("consistency_rules", "synchronization", "conflict_resolution")
    given = schema.take(*path)
    if given not in (None, "last_write_wins"):
        notes.append(f"{'.'.join(path)} = {given!r}: here values are read as last write wins; "
                     "`conflict_strategy` of a rule says otherwise")  # fmt: skip
