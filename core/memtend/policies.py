"""Retention policies as people write them: a YAML file in, a `PolicyFile` out.

    >>> file = load_policies('''
    ... namespaces:
    ...   - {namespace: "session/*", ttl: 1h, cleanup_strategy: lazy}
    ...   - {namespace: "knowledge/*", ttl_seconds: 0, conflict_strategy: multi_value}
    ... ''')
    >>> file.policies.resolve("session/abc", "notes").ttl_ms
    3600000
    >>> file.policies.resolve("knowledge/rest", "retries").ttl_ms is None
    True

The file of the older lifecycle tool loads as it is; what is translated is said in `notes`. Nothing
is guessed: an unknown key, a doubled key or a doubled pattern is an error that names its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from memtend.alertrules import dump_alerts, read_alerts
from memtend.archiverules import dump_archive, read_archive
from memtend.durations import parse_duration, show_ttl
from memtend.errors import InvalidName, InvalidPolicy
from memtend.learnrules import dump_canary, dump_learn, read_canary, read_learn
from memtend.limits import (
    COMPRESS_THRESHOLD_BYTES,
    POLICY_BYTES_MAX,
    POLICY_RULES_MAX,
    TTL_MS_MAX,
    VALUE_BYTES_MAX,
    ZSTD_LEVEL,
)
from memtend.limits_learning import WHY_CHARS_MAX
from memtend.model.pattern import compile_pattern
from memtend.model.policy import (
    DEFAULT_POLICY,
    FUNCTION,
    RESOLVER_NAME,
    Cleanup,
    Compression,
    Policy,
    Reading,
)
from memtend.model.policyfile import Layout, PolicyFile
from memtend.model.policyset import PolicySet
from memtend.prunerules import dump_prune, read_prune
from memtend.retentionrules import dump_retention, read_retention
from memtend.safeyaml import Node, read_yaml
from memtend.upkeeprules import read_logging, read_quotas, read_safety, read_schedule

_SECTIONS = ("namespaces", "cleanup_schedule", "compression", "logging", "quotas", "safety",
             "archive", "retention", "layout", "alerts", "prune", "learn")  # fmt: skip
_RULE = (
    "namespace",
    "ttl_seconds",
    "ttl",
    "cleanup_strategy",
    "conflict_strategy",
    "compression_enabled",
    "compression_threshold_bytes",
    "compression_level",
    "refresh_on_read",
    "why",
    "canary",
)
_READINGS = {
    "lww": Reading.LWW,
    "multi_value": Reading.MV,
    "mv": Reading.MV,
    "counter": Reading.COUNTER,
    "set": Reading.SET,
    "map": Reading.MAP,
}


def load_policies(source: str | Path, name: str = "<text>") -> PolicyFile:
    """Read a file (`Path`) or a text (`str`); raises `InvalidPolicy`."""
    if isinstance(source, Path):
        return _load(read_yaml(_read(source), str(source)))
    return _load(read_yaml(source, name))


def dump_policies(file: PolicyFile) -> str:
    """The file in our own words; `load_policies` gives back an equal one, without notes."""
    tree: dict[str, Any] = {
        "namespaces": [_dump_rule(rule) for rule in file.policies.rules],
        **({"layout": file.layout.value} if file.layout else {}),
        **_dump_compression(file.policies.fallback.compression),
        "cleanup_schedule": file.schedule.model_dump(),
        "quotas": file.quotas.model_dump(),
        "safety": file.safety.model_dump(exclude_none=True),
        "logging": file.logging.model_dump(),
        "archive": dump_archive(file.archive),
        "retention": dump_retention(file.retention),
        "prune": dump_prune(file.prune),
        "alerts": dump_alerts(file.alerts),
        "learn": dump_learn(file.learn),
    }
    return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(POLICY_BYTES_MAX + 1)
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise InvalidPolicy(source=str(path), where="the file", why=why) from None


def _load(root: Node) -> PolicyFile:
    sections = root.mapping(_SECTIONS)
    notes: list[str] = []
    compression = _compression(sections.get("compression"), notes)
    rules = _rules(sections.get("namespaces"), compression)
    fallback = DEFAULT_POLICY.model_copy(update={"compression": compression})
    return PolicyFile(
        policies=PolicySet(rules=rules, fallback=fallback),
        layout=_layout(sections.get("layout")),
        schedule=read_schedule(sections.get("cleanup_schedule")),
        quotas=read_quotas(sections.get("quotas")),
        safety=read_safety(sections.get("safety")),
        logging=read_logging(sections.get("logging")),
        archive=read_archive(sections.get("archive")),
        retention=read_retention(sections.get("retention")),
        pruning=read_prune(sections.get("prune")),
        alerting=read_alerts(sections.get("alerts")),
        learning=read_learn(sections.get("learn")),
        notes=tuple(notes),
    )


def _compression(node: Node | None, notes: list[str]) -> Compression:
    """What holds where a rule is silent."""
    given = node.mapping(("default_threshold_bytes", "algorithm", "level")) if node else {}
    threshold, level = COMPRESS_THRESHOLD_BYTES, ZSTD_LEVEL
    if "default_threshold_bytes" in given:
        threshold = given["default_threshold_bytes"].whole(0, VALUE_BYTES_MAX)
    algorithm = "zstd"
    if "algorithm" in given:
        algorithm = given["algorithm"].choice({"zstd": "zstd", "gzip": "gzip", "none": "none"})
    if "level" in given:
        level = given["level"].whole(1, 9 if algorithm == "gzip" else 19)
    if algorithm == "gzip":
        line = given["algorithm"].line
        notes.append(
            f"line {line}: gzip is read on import; values are written with zstd, level {ZSTD_LEVEL}"
        )
        level = ZSTD_LEVEL
    return Compression(enabled=algorithm != "none", threshold_bytes=threshold, level=level)


def _layout(node: Node | None) -> Layout | None:
    return node.choice({layout.value: layout for layout in Layout}) if node else None


def _rules(node: Node | None, compression: Compression) -> tuple[Policy, ...]:
    lines: dict[str, int] = {}
    rules: list[Policy] = []
    for item in node.sequence() if node else ():
        rule = _rule(item, compression)
        if rule.pattern in lines:
            why = f"the pattern {rule.pattern!r} was given before, on line {lines[rule.pattern]}"
            raise item.error(why)
        if len(rules) == POLICY_RULES_MAX:
            raise item.error(f"more than {POLICY_RULES_MAX:,} rules")
        lines[rule.pattern] = item.line
        rules.append(rule)
    return tuple(rules)


def _rule(item: Node, compression: Compression) -> Policy:
    given = item.mapping(_RULE)
    if "namespace" not in given:
        raise item.error("'namespace' is missing")
    pattern = given["namespace"].plain()
    try:
        compile_pattern(pattern)
    except InvalidName as error:
        raise given["namespace"].error(str(error)) from None
    squeeze = compression.model_dump()
    if "compression_enabled" in given:
        squeeze["enabled"] = given["compression_enabled"].flag()
    if "compression_threshold_bytes" in given:
        node = given["compression_threshold_bytes"]
        squeeze["threshold_bytes"] = node.whole(0, VALUE_BYTES_MAX)
    if "compression_level" in given:
        squeeze["level"] = given["compression_level"].whole(1, 19)
    fields: dict[str, Any] = {"compression": Compression(**squeeze)}
    if "cleanup_strategy" in given:
        fields["cleanup"] = given["cleanup_strategy"].choice({c.value: c for c in Cleanup})
    if "conflict_strategy" in given:
        fields |= _strategy(given["conflict_strategy"])
    if "refresh_on_read" in given:
        fields["refresh_on_read"] = given["refresh_on_read"].flag()
    if "why" in given:
        fields["why"] = _why(given["why"])
    if "canary" in given:
        fields["canary"] = read_canary(given["canary"])
    return Policy(pattern=pattern, ttl_ms=_ttl_ms(item, given), **fields)


def _why(node: Node) -> str:
    if len(node.plain()) > WHY_CHARS_MAX:
        raise node.error(f"a reason has up to {WHY_CHARS_MAX:,} characters")
    return node.text


def _strategy(node: Node) -> dict[str, Any]:
    text = node.plain()
    if not text.startswith(FUNCTION):
        return {"reading": node.choice(_READINGS)}
    name = text.removeprefix(FUNCTION)
    if not re.fullmatch(RESOLVER_NAME, name, re.ASCII):
        raise node.error(f"{name[:64]!r} names no function: letters, digits and ._-, 64 at most")
    return {"resolver": name}


def _ttl_ms(item: Node, given: Mapping[str, Node]) -> int | None:
    """`ttl_seconds: 0` and `ttl: permanent` are permanent."""
    if ("ttl" in given) == ("ttl_seconds" in given):
        raise item.error("give 'ttl_seconds' (0 = permanent) or 'ttl' (such as 7d), one of the two")
    if "ttl_seconds" in given:
        seconds = given["ttl_seconds"].number(0, TTL_MS_MAX / 1_000)
        ttl_ms = round(seconds * 1_000)
        if seconds and not ttl_ms:
            raise given["ttl_seconds"].error("a TTL is at least one millisecond")
        return ttl_ms or None
    text = given["ttl"].plain()
    if text.lower() == "permanent":
        return None
    parsed = parse_duration(text)
    if parsed is None or not 0 < parsed <= TTL_MS_MAX:
        raise given["ttl"].error(f"{text[:64]!r} is not a time such as 90s, 1h, 1d12h, permanent")
    return parsed


def _dump_compression(compression: Compression) -> dict[str, Any]:
    if compression == Compression():
        return {}
    return {
        "compression": {
            "algorithm": "zstd" if compression.enabled else "none",
            "default_threshold_bytes": compression.threshold_bytes,
            "level": compression.level,
        }
    }


def _dump_rule(rule: Policy) -> dict[str, Any]:
    return {
        "namespace": rule.pattern,
        "ttl": show_ttl(rule.ttl_ms),
        "cleanup_strategy": rule.cleanup.value,
        "conflict_strategy": rule.strategy,
        "compression_enabled": rule.compression.enabled,
        "compression_threshold_bytes": rule.compression.threshold_bytes,
        "compression_level": rule.compression.level,
        "refresh_on_read": rule.refresh_on_read,
        **({"why": rule.why} if rule.why else {}),
        **({"canary": dump_canary(rule.canary)} if rule.canary else {}),
    }
