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

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from typing import Any, Final, NamedTuple

from memtend.limits import INTEGER_ABS_MAX
from memtend.model.timestamps import ms_of
from memtend.upcast.aml_2_0 import NEW_NAMES
from memtend.upcast.family import AML
from memtend.upcast.labelling import first, part, share, whole

NOT_AGAIN: Final = (b'epeat":false',)  # `wouldRepeat` and `would_repeat`
NOT_IN_USE: Final = (b'"worked":false', b'"active":false')
"""What stands in each value of which the outcome is negative, or that is not in use any more."""
_NOTHING: Final[Mapping[str, Any]] = {}


class Outcome(NamedTuple):
    """How a decision turned out. `measured` holds every number of its success metrics."""

    would_repeat: bool | None
    measured: Mapping[str, float]
    lessons: tuple[str, ...]


class Measured(NamedTuple):
    """What a pattern states of its use, read at once: who asks for one of them asks for several."""

    executions: int | None = None
    success_rate: float | None = None
    confidence: float | None = None
    saved_ms: float | None = None


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

    @property
    def measured(self) -> Measured:
        return Measured(self.executions, self.success_rate, self.confidence, self.saved_ms)

    @property
    def would_repeat(self) -> bool | None:
        return self.outcome.would_repeat if self.outcome else None

    def may_say(self, _words: tuple[bytes, ...]) -> bool:
        """As `Said.may_say`; here all is read already, and there is nothing to spare."""
        return True


def facts_of(kind: str, value: Any, zone: tzinfo = UTC) -> Facts | None:
    """None for what is no item of a family. `zone` is where times without one were written."""
    if AML.version_of(kind, value) is None:
        return None
    said = Said(kind, lambda _: value, None, zone)
    return Facts(*(getattr(said, name) for name in Facts._fields))


class Said:
    """The same facts, each read when it is asked for: of a whole store, most are never asked for.

    `load` makes the value of what was `stored`. What cannot be read, or is no item, says nothing.
    """

    __slots__ = ("_item", "_kind", "_load", "_names", "_stored", "_version", "_zone")

    def __init__(
        self, kind: str, load: Callable[[Any], Any], stored: Any, zone: tzinfo = UTC
    ) -> None:
        self._kind, self._load, self._stored, self._zone = kind, load, stored, zone
        self._version: str | None = None

    @property
    def version(self) -> str:
        if self._version is None:
            self._read()
        return self._version or ""

    @property
    def active(self) -> bool:
        return self._part.get("active") is not False

    @property
    def created_ms(self) -> int | None:
        created = ms_of(self._lived("created"), self._zone)
        return ms_of(self._item.get("timestamp"), self._zone) if created is None else created

    @property
    def last_used_ms(self) -> int | None:
        return ms_of(self._lived("lastUsed"), self._zone)

    @property
    def confidence(self) -> float | None:
        return self.measured.confidence

    @property
    def success_rate(self) -> float | None:
        return self.measured.success_rate

    @property
    def executions(self) -> int | None:
        return self.measured.executions

    @property
    def saved_ms(self) -> float | None:
        return self.measured.saved_ms

    @property
    def measured(self) -> Measured:
        metrics, names = self._group("metrics"), self._names
        return tuple.__new__(Measured, (
            whole(_either(metrics, names["executionCount"])),
            share(_either(metrics, names["successRate"])),
            share(_either(self._group("evolution"), names["confidenceScore"])),
            _number(_either(metrics, names["avgTimeSavedMs"])),
        ))  # fmt: skip

    @property
    def worked(self) -> bool | None:
        return _verdict(part(self._part, "effectiveness", "worked"))

    @property
    def outcome(self) -> Outcome | None:
        return _outcome(self._part.get("outcome"))

    @property
    def would_repeat(self) -> bool | None:
        """The outcome's, without the rest of it."""
        return _again(self._part.get("outcome"))

    def may_say(self, words: tuple[bytes, ...]) -> bool:
        """Whether one of these is in the value, as far as it can be told without reading it.

        False is certain. Values are stored in one spelling, without a space.
        """
        stored = self._stored
        if type(stored) is not bytes:
            return True
        for word in words:  # noqa: SIM110 (`any` takes several times as long)
            if word in stored:
                return True
        return False

    @property
    def _part(self) -> Mapping[str, Any]:
        if self._version is None:
            self._read()
        return self._item

    def _lived(self, name: str) -> Any:
        return _either(self._group("evolution"), self._names[name])

    def _group(self, name: str) -> Mapping[str, Any]:
        if self._version is None:
            self._read()
        fields = _either(self._item, self._names[name])
        return fields if type(fields) is dict or isinstance(fields, Mapping) else _NOTHING

    def _read(self) -> None:
        value: Any = None
        version: str | None = None
        try:
            value = self._load(self._stored)
            version = AML.version_of(self._kind, value)
        except ValueError:  # damaged, or of a version that is not known
            version = None
        self._version = version or ""
        self._item: Mapping[str, Any] = value if version else _NOTHING
        self._names = _NAMES[version or AML.newest]


def _either(fields: Mapping[str, Any], names: tuple[str, str]) -> Any:
    """What is said under the name of the item's version, else under the other name."""
    found = fields.get(names[0])
    return fields.get(names[1]) if found is None else found


def _outcome(stated: Any) -> Outcome | None:
    if not isinstance(stated, Mapping):
        return None
    measured = first(stated.get("successMetrics"), stated.get("success_metrics"))
    lessons = first(stated.get("lessonsLearned"), stated.get("lessons_learned"))
    return Outcome(
        _again(stated),
        _measured(measured),
        tuple(one for one in lessons if isinstance(one, str)) if isinstance(lessons, list) else (),
    )


def _again(stated: Any) -> bool | None:
    if not isinstance(stated, Mapping):
        return None
    return _verdict(_either(stated, ("wouldRepeat", "would_repeat")))


def _measured(stated: Any) -> dict[str, float]:
    """Numbers by name; those that an agent named itself lie one deeper, and make room."""
    if not isinstance(stated, Mapping):
        return {}
    own = first(stated.get("customMetrics"), stated.get("custom_metrics"))
    named = {**own, **stated} if isinstance(own, Mapping) else stated
    numbers = ((name, _number(value)) for name, value in named.items())
    return {name: number for name, number in numbers if number is not None}


def _number(stated: Any) -> float | None:
    if isinstance(stated, bool) or not isinstance(stated, int | float):
        return None
    return float(stated) if abs(stated) <= INTEGER_ABS_MAX else None


def _verdict(stated: Any) -> bool | None:
    return stated if isinstance(stated, bool) else None


_RENAMED_AT: Final = AML.versions.index("2.0.0")
_NAMES: Final = {
    version: {
        old: (old, new) if number < _RENAMED_AT else (new, old) for old, new in NEW_NAMES.items()
    }
    for number, version in enumerate(AML.versions)
}
"""For each version, the names of a field in the order in which they count."""
