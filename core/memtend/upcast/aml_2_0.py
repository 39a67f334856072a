"""AML 2.0.0: `metrics` is called `performance` and `evolution` `lifecycle`, names are snake_case,
and fields that the format does not know lie below `extra`.

The program that wrote 2.0.0 first dropped `variations` and unknown fields; here both stay. Absent
metrics stay absent. Names change places with each other, so that an item with both an old and a
new name keeps both and comes back the same.
"""

from __future__ import annotations

from typing import Any, Final

from memtend.upcast.casting import PLAIN, TRY, Step, Went

_EVERY: Final = frozenset(("id", "agent", "timestamp", "tags", "active", "metadata"))
_KNOWN: Final = {
    "pattern": _EVERY | {"pattern", "metrics", "evolution", "variations"},
    "solution": _EVERY | {"problem", "solution", "effectiveness", "verifiedCount"},
    "decision": _EVERY | {"decision", "outcome", "reviewedAt"},
}
"""The fields of 1.2.0; those that only the TypeScript runtime wrote are among them."""

_PARTS: Final = {"metrics": "performance", "evolution": "lifecycle"}
_INNER: Final = {
    "successRate": "success_rate",
    "executionCount": "execution_count",
    "avgTimeSavedMs": "avg_time_saved_ms",
    "errorPreventionCount": "error_prevention_count",
    "created": "created_at",
    "lastUsed": "last_used_at",
    "refinements": "refinement_count",
    "confidenceScore": "confidence",
}
_NAMES: Final = _INNER | {new: old for old, new in _INNER.items()}
NEW_NAMES: Final = _PARTS | _INNER
"""What each renamed field is called from here on."""


def _up(kind: str, item: dict[str, Any]) -> Went:
    known = _KNOWN[kind]
    if not item.keys() <= known:
        names = [name for name in item if name not in known and not _is_stated(name, item[name])]
        if names:
            item["extra"] = {name: item.pop(name) for name in names}
    if kind == "pattern":
        for old, new in _PARTS.items():
            _rename(item, old, new)
    return TRY if isinstance(item.get("version"), str) else PLAIN


def _down(kind: str, item: dict[str, Any]) -> tuple[str, ...]:
    if isinstance(item.get("version"), str):
        del item["version"]
    if kind == "pattern":
        for old, new in _PARTS.items():
            _rename(item, new, old)
    if isinstance(extra := item.get("extra"), dict) and extra:
        _spread(extra, _KNOWN[kind], item)
    return ()


def _rename(item: dict[str, Any], old: str, new: str) -> None:
    if old in item:
        part = item.pop(old)
        if isinstance(part, dict):
            part = {_NAMES.get(name, name): value for name, value in part.items()}
        if new in item:
            item[old] = item[new]
        item[new] = part


def _spread(extra: dict[str, Any], known: frozenset[str], item: dict[str, Any]) -> None:
    """Unknown fields go back to the top, as far as nothing there means something else by them."""
    del item["extra"]
    left: dict[str, Any] = {}
    for name, value in extra.items():
        stays = name in known or name in item or _is_stated(name, value)
        (left if stays else item)[name] = value
    if left:
        if "extra" in item:
            left["extra"] = item["extra"]
        item["extra"] = left


def _is_stated(name: str, value: Any) -> bool:
    return name == "version" and isinstance(value, str)


STEP: Final = Step("2.0.0", _up, _down)
