"""Canonical JSON: one value, one text (sorted keys, no spaces, UTF-8).

Hashes, comparison of siblings and backups all rest on it. What JSON cannot say exactly is refused
rather than bent: NaN, infinities, integers of 2^53 or more, keys that are not text, deep nesting.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

import orjson
import ormsgpack

from memtend.errors import InvalidValue, LimitExceeded
from memtend.limits import VALUE_BYTES_MAX, VALUE_DEPTH_MAX

_OPTIONS: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)

_NOT_FINITE: Final = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")
"""What a float without a finite value begins with; text may look the same."""


def encode(value: Any, name: str = "value") -> bytes:
    """Canonical JSON of `value`; raises `InvalidValue` or `LimitExceeded`."""
    try:
        text = orjson.dumps(value, option=_OPTIONS)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise InvalidValue(name=name, why=str(error)) from error
    # orjson writes NaN as null and nests to 254; both are rare enough to look for afterwards.
    if b"null" in text:
        refuse_not_finite(value, name)
    return admitted(text, value, name)


def written(value: Any) -> bytes:
    """Canonical JSON of what a JSON parser has made, which knows no NaN: not checked any further.

    Raises `TypeError` where `encode` would raise `InvalidValue`.
    """
    return orjson.dumps(value, option=_OPTIONS)


def admitted(text: bytes, value: Any, name: str = "value") -> bytes:
    """`text`, which is `value` as it is written; raises `LimitExceeded` as `encode` does."""
    if text.count(b"[") + text.count(b"{") > VALUE_DEPTH_MAX:
        _refuse_deep(value, name)
    if len(text) > VALUE_BYTES_MAX:
        raise LimitExceeded(what="size", name=name, actual=len(text), limit=VALUE_BYTES_MAX)
    return text


decode: Final = orjson.loads
"""The value of a JSON text. Raises `orjson.JSONDecodeError`, a `ValueError`."""


def _may_be_not_finite(value: Any) -> bool:
    """MessagePack keeps the bits of such a number: a tenth of the time of looking at each value."""
    try:
        return _NOT_FINITE.search(ormsgpack.packb(value)) is not None
    except (TypeError, ValueError):  # deeper or larger than it can say
        return True


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def refuse_not_finite(value: Any, name: str) -> None:
    """Raises `InvalidValue` where a number is none: orjson would write null for it."""
    waiting = [value] if _may_be_not_finite(value) else []
    while waiting:
        item = waiting.pop()
        if isinstance(item, float) and not math.isfinite(item):
            raise InvalidValue(name=name, why=f"{item} is not a JSON number")
        waiting.extend(_children(item))


def _refuse_deep(value: Any, name: str) -> None:
    level, depth = [value], 0
    while level:
        depth += any(isinstance(item, dict | list | tuple) for item in level)
        if depth > VALUE_DEPTH_MAX:
            raise LimitExceeded(what="depth", name=name, actual=depth, limit=VALUE_DEPTH_MAX)
        level = [child for item in level for child in _children(item)]
