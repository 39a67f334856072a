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
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from memtend.durations import parse_duration, show_duration
from memtend.errors import InvalidName
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
from memtend.model.pattern import compile_pattern
from memtend.model.policy import TRIAL_ID, Canary
from memtend.safeyaml import Node

NONE: Final = "none"
MEDIAN: Final = "median"
_NAME_LENGTH_MAX: Final = 256


class Word(NamedTuple):
    """What a word of the file is called in the policy, how it is read and how it is written."""

    field: str
    read: Callable[[Node], Any]
    show: Callable[[Any], Any]


def read_learn(node: Node | None) -> dict[str, Any]:
    """What differs from the defaults, as `PolicyFile.learning` keeps it; raises `InvalidPolicy`."""
    given = node.mapping((*_WORDS, *_PARTS)) if node else {}
    fields = _fields(given, _WORDS)
    if "accesses" in given:
        fields |= _fields(given["accesses"].mapping(_ACCESSES), _ACCESSES)
    if "outcomes" in given:
        fields |= _fields(given["outcomes"].mapping(_OUTCOMES), _OUTCOMES)
    if "objective" in given:
        fields["objective"] = _objective(given["objective"])
    if "ttl" in given:
        fields["ttl"] = _ttl(given["ttl"])
    return LearnPolicy(**fields).model_dump(mode="json", exclude_defaults=True)


def dump_learn(policy: LearnPolicy) -> dict[str, Any]:
    """The section in the words that `read_learn` reads."""
    return {
        **_dump(policy, _WORDS),
        "objective": _dump(policy.objective, _OBJECTIVE),
        "outcomes": _dump(policy, _OUTCOMES),
        "accesses": _dump(policy, _ACCESSES),
        "ttl": _dump(policy.ttl, _TTL),
    }


def read_canary(node: Node) -> Canary:
    """What a rule tries on a share of its keys: `{ttl: 3h, share: 0.1, trial: 4f1c…}`."""
    given = node.mapping(("ttl", "share", "trial"))
    if missing := [name for name in ("ttl", "share", "trial") if name not in given]:
        raise node.error(f"{missing[0]!r} is missing")
    trial, share = given["trial"].plain(), given["share"].number(0.001, 1)
    if not re.fullmatch(TRIAL_ID, trial, re.ASCII):
        raise given["trial"].error("a trial has an id of 32 hexadecimal digits")
    if share == 1:
        raise given["share"].error("a canary on every key is no canary")
    return Canary(trial=trial, ttl_ms=_time(given["ttl"]), share=share)


def dump_canary(canary: Canary) -> dict[str, Any]:
    return {
        "ttl": show_duration(canary.ttl_ms),
        "share": canary.share,
        "trial": canary.trial,
    }


def _fields(given: Mapping[str, Node], words: Mapping[str, Word]) -> dict[str, Any]:
    return {
        words[name].field: words[name].read(one) for name, one in given.items() if name in words
    }


def _dump(part: object, words: Mapping[str, Word]) -> dict[str, Any]:
    return {name: word.show(getattr(part, word.field)) for name, word in words.items()}


def _objective(node: Node) -> dict[str, Any]:
    fields = _fields(node.mapping(_OBJECTIVE), _OBJECTIVE)
    whole = {**LearnPolicy().objective.model_dump(), **fields}
    if not whole["failure"] + whole["duration"] + whole["price"] > 0:
        raise node.error("one of failure, duration and price must be above 0")
    return fields


def _ttl(node: Node) -> dict[str, Any]:
    given = node.mapping(_TTL)
    fields = _fields(given, _TTL)
    whole = {**LearnPolicy().ttl.model_dump(), **fields}
    if whole["ceiling_ms"] is not None and whole["ceiling_ms"] < whole["floor_ms"]:
        raise given.get("ceiling", node).error("the ceiling is below the floor")
    return fields


def _time(node: Node) -> int:
    parsed = parse_duration(node.plain())
    if parsed is None or not 0 < parsed <= TTL_MS_MAX:
        raise node.error(f"{node.plain()[:64]!r} is not a time such as 10m, 7d")
    return parsed


def _seconds(node: Node) -> float:
    return _time(node) / 1_000


def _from_nought(most: float) -> Callable[[Node], float]:
    """Nothing so small that it would be written in powers of ten."""
    return lambda node: 0.0 if node.number(0, most) == 0 else node.number(0.001, most)


def _share(node: Node) -> float:
    return node.number(0.001, 1)


def _whole(low: int, high: int) -> Callable[[Node], int]:
    return lambda node: node.whole(low, high)


def _name(node: Node) -> str:
    if len(node.plain()) > _NAME_LENGTH_MAX:
        raise node.error(f"a name has up to {_NAME_LENGTH_MAX} characters")
    return node.text


def _names(node: Node) -> tuple[str, ...]:
    return _few(node, tuple(dict.fromkeys(_name(one) for one in node.sequence())), LEARN_NAMES_MAX)


def _patterns(node: Node) -> tuple[str, ...]:
    patterns = []
    for item in node.sequence():
        try:
            patterns.append(compile_pattern(item.plain()).text)
        except InvalidName as error:
            raise item.error(str(error)) from None
    return _few(node, tuple(dict.fromkeys(patterns)), LEARN_NAMES_MAX)


def _incumbents(node: Node) -> dict[str, str]:
    found = {name: _name(one) for name, one in node.mapping(node.fields).items()}
    _few(node, tuple(found), STRATEGIES_MAX)
    return found


def _few(node: Node, names: tuple[str, ...], most: int) -> tuple[str, ...]:
    if len(names) > most:
        raise node.error(f"more than {most} of them")
    return names


def _or(word: str, read: Callable[[Node], Any]) -> Callable[[Node], Any]:
    return lambda node: None if node.plain().lower() == word else read(node)


def _shown_or(word: str, show: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: word if value is None else show(value)


def _plain(value: Any) -> Any:
    return value


def _show_seconds(seconds: float) -> str:
    return show_duration(round(seconds * 1_000))


_weight = _from_nought(LEARN_WEIGHT_MAX)
_WORDS: Final[dict[str, Word]] = {
    "seed": Word("seed", _whole(0, SEED_MAX), _plain),
    "explore": Word("explore", _from_nought(1), _plain),
    "writers_excluded": Word("writers_excluded", _names, list),
    "incumbents": Word("incumbents", _incumbents, dict),
}
_OBJECTIVE: Final[dict[str, Word]] = {
    "failure": Word("failure", _weight, _plain),
    "duration": Word("duration", _weight, _plain),
    "price": Word("price", _weight, _plain),
    "duration_full": Word(
        "duration_full_s", _or(MEDIAN, _seconds), _shown_or(MEDIAN, _show_seconds)
    ),
    "cost_full": Word(
        "cost_full",
        _or(MEDIAN, lambda node: node.number(0.001, LEARN_WEIGHT_MAX)),
        _shown_or(MEDIAN, _plain),
    ),
}
_OUTCOMES: Final[dict[str, Word]] = {
    "min": Word("outcomes_min", _whole(1, INTEGER_ABS_MAX), _plain),
    "max": Word("outcomes_max", _whole(1, OUTCOMES_MAX), _plain),
}
_ACCESSES: Final[dict[str, Word]] = {
    "sampled": Word("accesses", Node.flag, _plain),
    "max": Word("accesses_max", _whole(1_000, 10 * ACCESS_ROWS_MAX), _plain),
    "keep": Word("accesses_keep_ms", _time, show_duration),
}
_TTL: Final[dict[str, Word]] = {
    "break_even": Word("break_even_ms", _or(MEDIAN, _time), _shown_or(MEDIAN, show_duration)),
    "floor": Word("floor_ms", _time, show_duration),
    "ceiling": Word("ceiling_ms", _or(NONE, _time), _shown_or(NONE, show_duration)),
    "keep": Word("namespaces_kept", _patterns, list),
    "accesses_min": Word("accesses_min", _whole(1, INTEGER_ABS_MAX), _plain),
    "canary_share": Word("canary_share", _share, _plain),
    "canary_time": Word("canary_ms", _time, show_duration),
    "regret_max": Word("regret_max", _share, _plain),
}
_PARTS: Final = ("objective", "outcomes", "accesses", "ttl")
