"""Labels out of foreign items: only what the item says. What is absent or absurd stays unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from memtend.limits import INTEGER_ABS_MAX, LABEL_CHARS_MAX, TAG_CHARS_MAX, TAGS_MAX

_OBJECTS: Final = (dict, Mapping)  # asked in this order: almost all are the first
_NUMBERS: Final = (int, float)


class Counts(NamedTuple):
    success: int | None = None
    failure: int | None = None


def part(item: Any, *names: str) -> Any:
    """The value at a path of keys, or None."""
    for name in names:
        if item is None:
            return None
        item = item.get(name) if isinstance(item, _OBJECTS) else None
    return item


def first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def is_text(value: Any, chars_max: int) -> bool:
    """Text of 1 to `chars_max` characters without NUL or half of a surrogate pair."""
    if not isinstance(value, str) or not 0 < len(value) <= chars_max:
        return False
    if value.isascii():
        return "\0" not in value
    return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in value)


def label(value: Any) -> str | None:
    return value if is_text(value, LABEL_CHARS_MAX) else None


def share(value: Any) -> float | None:
    """A number in 0..1."""
    if type(value) is float:
        return value if 0 <= value <= 1 else None
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    return float(value) if 0 <= value <= 1 else None


def whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= INTEGER_ABS_MAX else None


def tags(value: Any) -> tuple[str, ...]:
    """Those that fit; the item itself keeps all of them."""
    if not isinstance(value, list):
        return ()
    fit = [tag for tag in value if is_text(tag, TAG_CHARS_MAX)]
    return tuple(dict.fromkeys(fit))[:TAGS_MAX]


def counts_of_rate(rate: Any, executions: Any) -> Counts:
    known_rate, known_count = share(rate), whole(executions)
    if known_rate is None or known_count is None:
        return Counts()
    success = round(known_rate * known_count)
    return Counts(success, known_count - success)


def counts_of_verdict(good: Any, times: Any = None) -> Counts:
    """A verdict counts once, or as often as it was verified."""
    if not isinstance(good, bool):
        return Counts()
    return Counts(max(1, whole(times) or 0), 0) if good else Counts(0, 1)
