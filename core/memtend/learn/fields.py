"""What one value in a context says: a number, a category, words, a time, or nothing.

A context is written by agents. Nothing here raises, and what cannot be right is missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from memtend.limits_learning import (
    CONTEXT_DEPTH_MAX,
    CONTEXT_KEYS_MAX,
    CONTEXT_WORDS_MAX,
)

Path = tuple[str, ...]
NUMBER_MAX: Final = 1e30  # fits 32 bits, in which trees compare
_NUMBER_CHARS: Final = 32
_TEXT_CHARS: Final = 120
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?.{0,6})?")
_TEXT: Final = frozenset({str})
_PLAIN: Final = frozenset({str, int, float, bool, list, type(None)})
NAN: Final = math.nan


def number_in(value: object) -> float:
    """A number, also one written as text or a yes; NaN where there is none."""
    kind = type(value)
    if kind is float or kind is int or kind is bool:
        return _bounded(value)
    if kind is str and len(value) <= _NUMBER_CHARS and "_" not in value:  # type: ignore[arg-type, operator]
        return _bounded(value)
    return NAN


def text_in(value: object) -> str | None:
    """A category; None where there is none."""
    return value[:_TEXT_CHARS] if type(value) is str else None


def words_in(value: object) -> set[str] | None:
    """The words of a list or set; None for what is neither."""
    if not isinstance(value, list | tuple | set | frozenset):
        return None
    found: Any = value
    if len(value) > CONTEXT_WORDS_MAX:
        if isinstance(value, set | frozenset):
            found = sorted(value, key=repr)
    elif set(map(type, value)) <= _TEXT:  # the common case first
        return {one[:_TEXT_CHARS] for one in value}
    return {
        one[:_TEXT_CHARS] if type(one) is str else str(one)
        for one in islice(found, CONTEXT_WORDS_MAX)
        if type(one) is str or (type(one) is int and abs(one) < 1 << 63)
    }


def time_in(value: object) -> float:
    """Milliseconds since the epoch of an ISO time (of UTC where it says no zone), else NaN."""
    if type(value) is not str or not _TIME.fullmatch(value):
        return NAN
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1_000
    except (ValueError, OverflowError):
        return NAN


def hour_of(at_ms: float) -> float:
    return at_ms // 3_600_000 % 24


def weekday_of(at_ms: float) -> float:
    """Monday is 0."""
    return (at_ms // 86_400_000 + 3) % 7


def value_at(context: object, path: Path) -> Any:
    """None where there is none."""
    found: Any = context
    for key in path:
        # The common case first: asking an abstract class takes five times as long.
        if type(found) is not dict and not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found


def fields_of(context: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """What is in a context, one level after the other, each level by name, so many at most."""
    level: list[tuple[Path, Mapping[str, Any]]] = [((), context)]
    left = CONTEXT_KEYS_MAX
    while level:
        deeper: list[tuple[Path, Mapping[str, Any]]] = []
        for path, mapping in level:
            for key in sorted(key for key in mapping if type(key) is str)[:left]:
                left -= 1
                value = mapping[key]
                inner = (*path, key)
                # The common case first: asking an abstract class takes five times as long.
                plain = type(value) in _PLAIN or not isinstance(value, Mapping)
                if plain or len(path) >= CONTEXT_DEPTH_MAX:
                    yield inner, value
                else:
                    deeper.append((inner, value))
        level = deeper


def shown(path: Path) -> str:
    """A name for people: one line, not endless."""
    name = ".".join(path)
    seen = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in name[:_TEXT_CHARS])
    return seen if len(name) <= _TEXT_CHARS else f"{seen}…"


def _bounded(value: Any) -> float:
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return NAN
    return max(-NUMBER_MAX, min(found, NUMBER_MAX)) if not math.isnan(found) else NAN
