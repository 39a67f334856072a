"""What an item says about itself, whichever version and dialect it is written in.

    >>> from memtend.upcast.facts import facts_of
    >>> old = {"id": "d1", "decision": {}, "outcome": {"wouldRepeat": False}}
    >>> new = {"id": "d1", "decision": {}, "outcome": {"would_repeat": False}, "version": "2.0.0"}
    >>> facts_of("decision", old).outcome == facts_of("decision", new).outcome
    True

What an item does not say is None: never a half, and never zero. An item says the same in every
version, so that what is decided by it does not depend on whether it was migrated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any, Final, NamedTuple

from memtend.limits import INTEGER_ABS_MAX
from memtend.model.timestamps import NotATime, parse_moment
from memtend.upcast.aml_2_0 import NEW_NAMES
from memtend.upcast.family import AML
from memtend.upcast.labelling import first, part, share, whole


class Outcome(NamedTuple):
    """How a decision turned out. `measured` holds every number of its success metrics."""

    would_repeat: bool | None
    measured: Mapping[str, float]
    lessons: tuple[str, ...]


class Facts(NamedTuple):
    """Times are milliseconds since 1970. `worked` is what a solution says of itself. An item that
    does not say whether it is active is: those of 1.0.0 had no word for it."""

    version: str
    active: bool
    created_ms: int | None = None
    last_used_ms: int | None = None
    confidence: float | None = None
    success_rate: float | None = None
    executions: int | None = None
    saved_ms: float | None = None
    worked: bool | None = None
    outcome: Outcome | None = None


def facts_of(kind: str, value: Any, zone: tzinfo = UTC) -> Facts | None:
    """None for what is no item of a family. `zone` is where times without one were written."""
    version = AML.version_of(kind, value)
    if version is None:
        return None
    older = AML.versions.index(version) < _RENAMED_AT
    metrics = _either(value, "metrics", older)
    evolution = _either(value, "evolution", older)
    created = _moment(_either(evolution, "created", older), zone)
    return Facts(
        version=version,
        active=value.get("active") is not False,
        created_ms=_moment(value.get("timestamp"), zone) if created is None else created,
        last_used_ms=_moment(_either(evolution, "lastUsed", older), zone),
        confidence=share(_either(evolution, "confidenceScore", older)),
        success_rate=share(_either(metrics, "successRate", older)),
        executions=whole(_either(metrics, "executionCount", older)),
        saved_ms=_number(_either(metrics, "avgTimeSavedMs", older)),
        worked=_verdict(part(value, "effectiveness", "worked")),
        outcome=_outcome(value.get("outcome")),
    )


def _either(fields: Any, old: str, older: bool) -> Any:
    """What is said under the name of the item's version, else under the other name."""
    if not isinstance(fields, Mapping):
        return None
    stated = (fields.get(old), fields.get(NEW_NAMES[old]))
    return first(*(stated if older else reversed(stated)))


def _outcome(stated: Any) -> Outcome | None:
    if not isinstance(stated, Mapping):
        return None
    measured = first(stated.get("successMetrics"), stated.get("success_metrics"))
    lessons = first(stated.get("lessonsLearned"), stated.get("lessons_learned"))
    return Outcome(
        _verdict(first(stated.get("wouldRepeat"), stated.get("would_repeat"))),
        _measured(measured),
        tuple(one for one in lessons if isinstance(one, str)) if isinstance(lessons, list) else (),
    )


def _measured(stated: Any) -> dict[str, float]:
    """Numbers by name; those that an agent named itself lie one deeper, and make room."""
    if not isinstance(stated, Mapping):
        return {}
    own = first(stated.get("customMetrics"), stated.get("custom_metrics"))
    named = {**own, **stated} if isinstance(own, Mapping) else stated
    numbers = ((name, _number(value)) for name, value in named.items())
    return {name: number for name, number in numbers if number is not None}


def _moment(stated: Any, zone: tzinfo) -> int | None:
    try:
        return None if stated is None else parse_moment(stated, zone).ms
    except NotATime:
        return None


def _number(stated: Any) -> float | None:
    if isinstance(stated, bool) or not isinstance(stated, int | float):
        return None
    return float(stated) if abs(stated) <= INTEGER_ABS_MAX else None


def _verdict(stated: Any) -> bool | None:
    return stated if isinstance(stated, bool) else None


_RENAMED_AT: Final = AML.versions.index("2.0.0")
