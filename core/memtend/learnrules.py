"""The `learn:` section of a policy file.

    learn:
      explore: 0.05
      objective: {failure: 1, duration: 0.3, duration_full: 10m}
      incumbents: {"*": adaptive, review: hierarchical}
      writers_excluded: [agent-13]
      ttl: {floor: 10m, ceiling: 90d, keep: ["knowledge/**"], canary_share: 0.2, canary_time: 3d}

What is left out keeps its default. `median` is what the records themselves say; a `ceiling` of
`none` sets no limit.
"""

from __future__ import annotations

import re
from typing import Any, Final

from memtend.durations import show_duration
from memtend.limits import INTEGER_ABS_MAX, TTL_MS_MAX
from memtend.limits_learning import (
    ACCESS_ROWS_MAX,
    LEARN_NAMES_MAX,
    LEARN_WEIGHT_MAX,
    OUTCOMES_MAX,
    SEED_MAX,
    STRATEGIES_MAX,
)
from memtend.model.learnpolicy import LearnPolicy
from memtend.model.policy import TRIAL_ID, Canary
from memtend.rulewords import (
    NONE,
    Word,
    either,
    few,
    fields_of,
    from_nought,
    patterns,
    plain,
    share,
    shown,
    shown_or,
    time_up_to,
    whole,
)
from memtend.safeyaml import Node

MEDIAN: Final = "median"
_NAME_LENGTH_MAX: Final = 256


def read_learn(node: Node | None) -> dict[str, Any]:
    """What differs from the defaults, as `PolicyFile.learning` keeps it; raises `InvalidPolicy`."""
    given = node.mapping((*_WORDS, *_PARTS)) if node else {}
    fields = fields_of(given, _WORDS)
    if "accesses" in given:
        fields |= fields_of(given["accesses"].mapping(_ACCESSES), _ACCESSES)
    if "outcomes" in given:
        fields |= fields_of(given["outcomes"].mapping(_OUTCOMES), _OUTCOMES)
    if "objective" in given:
        fields["objective"] = _objective(given["objective"])
    if "ttl" in given:
        fields["ttl"] = _ttl(given["ttl"])
    return LearnPolicy(**fields).model_dump(mode="json", exclude_defaults=True)


def dump_learn(policy: LearnPolicy) -> dict[str, Any]:
    """The section in the words that `read_learn` reads."""
    return {
        **shown(policy, _WORDS),
        "objective": shown(policy.objective, _OBJECTIVE),
        "outcomes": shown(policy, _OUTCOMES),
        "accesses": shown(policy, _ACCESSES),
        "ttl": shown(policy.ttl, _TTL),
    }


def read_canary(node: Node) -> Canary:
    """What a rule tries on a share of its keys: `{ttl: 3h, share: 0.1, trial: 4f1c…}`."""
    given = node.mapping(("ttl", "share", "trial"))
    if missing := [name for name in ("ttl", "share", "trial") if name not in given]:
        raise node.error(f"{missing[0]!r} is missing")
    trial, part = given["trial"].plain(), share(given["share"])
    if not re.fullmatch(TRIAL_ID, trial, re.ASCII):
        raise given["trial"].error("a trial has an id of 32 hexadecimal digits")
    if part == 1:
        raise given["share"].error("a canary on every key is no canary")
    return Canary(trial=trial, ttl_ms=_time(given["ttl"]), share=part)


def dump_canary(canary: Canary) -> dict[str, Any]:
    return {
        "ttl": show_duration(canary.ttl_ms),
        "share": canary.share,
        "trial": canary.trial,
    }


def _objective(node: Node) -> dict[str, Any]:
    fields = fields_of(node.mapping(_OBJECTIVE), _OBJECTIVE)
    stated = {**LearnPolicy().objective.model_dump(), **fields}
    if not stated["failure"] + stated["duration"] + stated["price"] > 0:
        raise node.error("one of failure, duration and price must be above 0")
    return fields


def _ttl(node: Node) -> dict[str, Any]:
    given = node.mapping(_TTL)
    fields = fields_of(given, _TTL)
    stated = {**LearnPolicy().ttl.model_dump(), **fields}
    if stated["ceiling_ms"] is not None and stated["ceiling_ms"] < stated["floor_ms"]:
        raise given.get("ceiling", node).error("the ceiling is below the floor")
    return fields


_time = time_up_to(TTL_MS_MAX)


def _seconds(node: Node) -> float:
    return _time(node) / 1_000


def _name(node: Node) -> str:
    if len(node.plain()) > _NAME_LENGTH_MAX:
        raise node.error(f"a name has up to {_NAME_LENGTH_MAX} characters")
    return node.text


def _names(node: Node) -> tuple[str, ...]:
    return few(node, tuple(dict.fromkeys(_name(one) for one in node.sequence())), LEARN_NAMES_MAX)


def _incumbents(node: Node) -> dict[str, str]:
    found = {name: _name(one) for name, one in node.mapping(node.fields).items()}
    few(node, tuple(found), STRATEGIES_MAX)
    return found


def _show_seconds(seconds: float) -> str:
    return show_duration(round(seconds * 1_000))


_weight = from_nought(LEARN_WEIGHT_MAX)
_WORDS: Final[dict[str, Word]] = {
    "seed": Word("seed", whole(0, SEED_MAX), plain),
    "explore": Word("explore", from_nought(1), plain),
    "writers_excluded": Word("writers_excluded", _names, list),
    "incumbents": Word("incumbents", _incumbents, dict),
}
_OBJECTIVE: Final[dict[str, Word]] = {
    "failure": Word("failure", _weight, plain),
    "duration": Word("duration", _weight, plain),
    "price": Word("price", _weight, plain),
    "duration_full": Word(
        "duration_full_s", either(MEDIAN, _seconds), shown_or(MEDIAN, _show_seconds)
    ),
    "cost_full": Word(
        "cost_full",
        either(MEDIAN, lambda node: node.number(0.001, LEARN_WEIGHT_MAX)),
        shown_or(MEDIAN, plain),
    ),
}
_OUTCOMES: Final[dict[str, Word]] = {
    "min": Word("outcomes_min", whole(1, INTEGER_ABS_MAX), plain),
    "max": Word("outcomes_max", whole(1, OUTCOMES_MAX), plain),
}
_ACCESSES: Final[dict[str, Word]] = {
    "sampled": Word("accesses", Node.flag, plain),
    "max": Word("accesses_max", whole(1_000, 10 * ACCESS_ROWS_MAX), plain),
    "keep": Word("accesses_keep_ms", _time, show_duration),
}
_TTL: Final[dict[str, Word]] = {
    "break_even": Word("break_even_ms", either(MEDIAN, _time), shown_or(MEDIAN, show_duration)),
    "floor": Word("floor_ms", _time, show_duration),
    "ceiling": Word("ceiling_ms", either(NONE, _time), shown_or(NONE, show_duration)),
    "keep": Word("namespaces_kept", patterns(LEARN_NAMES_MAX), list),
    "accesses_min": Word("accesses_min", whole(1, INTEGER_ABS_MAX), plain),
    "canary_share": Word("canary_share", share, plain),
    "canary_time": Word("canary_ms", _time, show_duration),
    "regret_max": Word("regret_max", share, plain),
}
_PARTS: Final = ("objective", "outcomes", "accesses", "ttl")
