"""The `prune:` section of a policy file.

    prune:
      profile: nightly
      shields: {namespaces: ["team/**"]}
      profiles:
        nightly: {from: aggressive, time: {unused_patterns: 45d}, space: {agent: none}}

What is left out is as in the profile that is named, and there as in the one that it comes `from`;
weights that are left out are the default ones. `none` switches a rule off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from memtend.durations import parse_bytes, show_duration
from memtend.limits import INTEGER_ABS_MAX, MIB, TIME_MS_MAX
from memtend.limits_upkeep import PRUNE_NAMESPACES_KEPT_MAX, PRUNE_PROFILES_MAX
from memtend.model.archiverule import NAME_PATTERN
from memtend.model.prunepolicy import BUILT_IN, STRATEGIES, PrunePolicy, Weights
from memtend.rulewords import (
    NONE,
    Word,
    either,
    from_nought,
    patterns,
    plain,
    share,
    shown_or,
    time_up_to,
)
from memtend.safeyaml import Node

_WEIGHT_MAX: Final = 1_000


def read_prune(node: Node | None) -> dict[str, Any]:
    """What differs from the defaults, as `PolicyFile.pruning` keeps it; raises `InvalidPolicy`."""
    given = node.mapping(("profile", *_PARTS, "profiles")) if node else {}
    known = dict(BUILT_IN)
    if "profiles" in given:
        named = given["profiles"]
        for name, one in named.mapping(named.fields).items():
            known[name] = _profile(name, one, known)
    fields: dict[str, Any] = {}
    if "profile" in given:
        name = given["profile"].choice({text: text for text in known})
        fields = {"profile": name, **known[name]}
    fields |= _parts(given)
    own = [PrunePolicy(profile=name, **known[name]) for name in known if name not in BUILT_IN]
    policy = PrunePolicy(**fields, profiles=tuple(own))
    return policy.model_dump(mode="json", exclude_defaults=True)


def dump_prune(policy: PrunePolicy) -> dict[str, Any]:
    """The section in the words that `read_prune` reads."""
    tree: dict[str, Any] = {"profile": policy.profile, **_dump(policy)}
    if policy.profiles:
        plain = _dump(PrunePolicy())
        tree["profiles"] = {one.profile: _differing(_dump(one), plain) for one in policy.profiles}
    return tree


def _profile(name: str, node: Node, known: Mapping[str, Any]) -> dict[str, Any]:
    if not re.fullmatch(NAME_PATTERN, name, re.ASCII):
        raise node.error("a name has up to 32 small letters, digits and hyphens")
    if name in BUILT_IN:
        raise node.error(f"{name!r} is a built-in profile")
    if len(known) - len(BUILT_IN) == PRUNE_PROFILES_MAX:
        raise node.error(f"more than {PRUNE_PROFILES_MAX} profiles")
    given = node.mapping(("from", *_PARTS))
    base = given["from"].choice({text: text for text in known}) if "from" in given else "default"
    return {**known[base], **_parts(given)}


def _parts(given: Mapping[str, Node]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "strategies" in given:
        named = {one.choice({n: n for n in STRATEGIES}) for one in given["strategies"].sequence()}
        fields["strategies"] = tuple(name for name in STRATEGIES if name in named)
    for part, words in _WORDS.items():
        stated = given[part].mapping(words) if part in given else {}
        fields |= {words[word].field: words[word].read(node) for word, node in stated.items()}
    return fields


def _dump(policy: PrunePolicy) -> dict[str, Any]:
    parts = {
        part: {word: one.show(getattr(policy, one.field)) for word, one in words.items()}
        for part, words in _WORDS.items()
    }
    return {"strategies": list(policy.strategies), **parts}


def _differing(stated: dict[str, Any], plain: dict[str, Any]) -> dict[str, Any]:
    differing: dict[str, Any] = {}
    for part, words in stated.items():
        if not isinstance(words, dict):
            if words != plain[part]:
                differing[part] = words
        elif own := {word: one for word, one in words.items() if one != plain[part][word]}:
            differing[part] = own
    return differing


_time = time_up_to(TIME_MS_MAX)
_pause = time_up_to(TIME_MS_MAX, least_ms=0)
_weight = from_nought(_WEIGHT_MAX)
_show_time = shown_or(NONE, show_duration)
_show = shown_or(NONE, plain)


def _size(node: Node) -> int:
    size = parse_bytes(node.plain())
    if not size or size > INTEGER_ABS_MAX:
        raise node.error("a size is a number of bytes, or such as 80MiB, 1GiB")
    return size


def _count(node: Node) -> int:
    return node.whole(1, INTEGER_ABS_MAX)


def _weights(node: Node) -> Weights:
    given = node.mapping(Weights._fields)
    weights = Weights(**{name: _weight(one) for name, one in given.items()})
    if not any(weights):
        raise node.error("one weight must be above 0")
    return weights


def _show_size(size: int | None) -> str:
    if size is None:
        return NONE
    return f"{size // MIB}MiB" if size % MIB == 0 else str(size)


def _weighed(weights: Weights) -> dict[str, float]:
    return weights._asdict()


_WORDS: Final[dict[str, dict[str, Word]]] = {
    "time": {
        "unused_patterns": Word("unused_patterns_ms", either(NONE, _time), _show_time),
        "old_decisions": Word("old_decisions_ms", either(NONE, _time), _show_time),
        "failed_patterns": Word("failed_patterns_ms", either(NONE, _time), _show_time),
    },
    "performance": {
        "success_below": Word("success_below", either(NONE, share), _show),
        "confidence_below": Word("confidence_below", either(NONE, share), _show),
        "executions_min": Word("executions_min", _count, _show),
        "obsolete_solutions": Word("obsolete_solutions", Node.flag, _show),
        "negative_decisions": Word("negative_decisions", Node.flag, _show),
    },
    "space": {
        "agent": Word("agent_bytes", either(NONE, _size), _show_size),
        "store": Word("store_bytes", either(NONE, _size), _show_size),
        "low_water": Word("low_water", share, _show),
        "preserve_above": Word("preserve_above", from_nought(1), _show),
        "unknown_before": Word("unknown_before", from_nought(1), _show),
    },
    "redundancy": {
        "exact": Word("exact_duplicates", Node.flag, _show),
        "near_from": Word("near_duplicates_from", either(NONE, share), _show),
    },
    "value": {
        "below": Word("value_below", either(NONE, share), _show),
        "unused_for": Word("value_unused_ms", _time, _show_time),
        "weights": Word("weights", _weights, _weighed),
        "used_full": Word("used_full", _count, _show),
        "saved_full": Word("saved_full_ms", _time, _show_time),
    },
    "shields": {
        "importance_from": Word("importance_from", from_nought(1), _show),
        "reads": Word("reinforced_reads", _count, _show),
        "reads_within": Word("reinforced_ms", _time, _show_time),
        "settle": Word("settle_ms", _pause, _show_time),
        "namespaces": Word("namespaces_kept", patterns(PRUNE_NAMESPACES_KEPT_MAX), list),
    },
}
_PARTS: Final = ("strategies", *_WORDS)
