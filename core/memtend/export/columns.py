"""The columns of a Parquet export: names, types, and what of a record fills each.

Every file has the common ones; patterns, solutions and decisions of AML trees have more, read from
the newest version of the item, whatever version is stored. What an item does not say, or says in
another type, is null.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson
import ormsgpack

from memtend.codec.lines import TYPES
from memtend.crdt.hlc import millis
from memtend.export.reading import Exported
from memtend.model.timestamps import NotATime, parse_moment
from memtend.model.unreadable import Unreadable
from memtend.upcast.family import AML
from memtend.upcast.labelling import part

COMMON: Final = {
    "namespace": "text",
    "key": "text",
    "field": "text",
    "type": "text",
    "kind": "text",
    "agent": "text",
    "session": "text",
    "writer": "text",
    "trust": "text",
    "tags": "texts",
    "importance": "number",
    "confidence": "number",
    "success_count": "whole",
    "failure_count": "whole",
    "pinned": "truth",
    "created_at": "time",
    "updated_at": "time",
    "expires_at": "time",
    "access_count": "whole",
    "accessed_at": "time",
    "conflicts": "whole",
    "size_bytes": "whole",
    "value": "text",
    "extra": "text",
}
"""Types by name; times are milliseconds in UTC, `value` and `extra` JSON."""

Path = tuple[str, ...]

OF_KIND: Final[dict[str, dict[str, tuple[str, Path]]]] = {
    "pattern": {
        "pattern_type": ("text", ("pattern", "type")),
        "technique": ("text", ("pattern", "approach", "technique")),
        "success_rate": ("number", ("performance", "success_rate")),
        "execution_count": ("whole", ("performance", "execution_count")),
        "avg_time_saved_ms": ("number", ("performance", "avg_time_saved_ms")),
        "error_prevention_count": ("whole", ("performance", "error_prevention_count")),
        "refinement_count": ("whole", ("lifecycle", "refinement_count")),
        "last_used_at": ("time", ("lifecycle", "last_used_at")),
        "active": ("truth", ("active",)),
    },
    "solution": {
        "error_type": ("text", ("problem", "errorType")),
        "worked": ("truth", ("effectiveness", "worked")),
        "time_to_fix_minutes": ("number", ("effectiveness", "timeToFixMinutes")),
        "prevented_recurrence": ("truth", ("effectiveness", "preventedRecurrence")),
        "related_errors_fixed": ("whole", ("effectiveness", "relatedErrorsFixed")),
        "verified_count": ("whole", ("verifiedCount",)),
        "active": ("truth", ("active",)),
    },
    "decision": {
        "decision_type": ("text", ("decision", "type")),
        "question": ("text", ("decision", "question")),
        "chosen_option": ("text", ("decision", "chosenOption")),
        "would_repeat": ("truth", ("outcome", "wouldRepeat")),
        "active": ("truth", ("active",)),
    },
}
"""For each kind: the type of a column, and where in the item it is."""


def columns_of(kind: str) -> dict[str, str]:
    """Names and types of the columns in the file of a kind."""
    more = OF_KIND.get(kind)
    if more is None:
        return COMMON
    return COMMON | {"version": "text"} | {name: said for name, (said, _) in more.items()}


def cells_of(one: Exported, kind: str) -> list[Any]:
    """One record as the columns of the file of `kind` say."""
    top, access = one.top, one.access
    cells: list[Any] = [
        one.namespace, one.key, one.field or None, TYPES.get(one.type, "value"), top.kind,
        top.agent, top.session, top.writer, top.trust, top.tags, top.importance, top.confidence,
        top.success_count, top.failure_count, top.pinned, one.created_ms, millis(top.ts),
        one.expires_ms, access.reads if access else 0, access.at_ms if access else None,
        len(one.older), len(one.text), one.text.decode(),
        _json(ormsgpack.unpackb(top.extra)) if top.extra else None,
    ]  # fmt: skip
    if kind in OF_KIND:
        cells += _more(kind, orjson.loads(one.text))
    return cells


def _more(kind: str, value: Any) -> list[Any]:
    columns = OF_KIND[kind]
    try:
        found = AML.version_of(kind, value)
        item = AML.up(kind, value).value if found else None
    except Unreadable:
        found = item = None
    if item is None:
        return [None] * (len(columns) + 1)
    return [found, *(_TYPES[said](_at(item, path)) for said, path in columns.values())]


def _at(item: Any, path: Path) -> Any:
    if path == ("outcome", "wouldRepeat"):  # the one field that has two dialects
        other = part(item, "outcome", "would_repeat")
        return other if other is not None else part(item, *path)
    return part(item, *path)


def _json(value: Any) -> str:
    return orjson.dumps(value, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return value.encode("utf-8", "backslashreplace").decode()


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _time(value: Any) -> int | None:
    try:
        return parse_moment(value).ms
    except NotATime:
        return None


_TYPES: Final[dict[str, Callable[[Any], Any]]] = {
    "text": _text,
    "number": _number,
    "whole": _whole,
    "truth": _truth,
    "time": _time,
}
