"""A search: every condition given must hold. Pure; the store only narrows what is looked at."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, Field

from memtend.limits import SCAN_MAX, TAG_CHARS_MAX
from memtend.model.record import Record


class Described(Protocol):
    """What labels and a stored row's body both say of a value."""

    @property
    def kind(self) -> str: ...
    @property
    def agent(self) -> str | None: ...
    @property
    def session(self) -> str | None: ...
    @property
    def writer(self) -> str | None: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def importance(self) -> float: ...
    @property
    def confidence(self) -> float | None: ...
    @property
    def success_count(self) -> int | None: ...
    @property
    def failure_count(self) -> int | None: ...


class Cold(StrEnum):
    """What a search does with archived records. Their labels are always at hand."""

    READ = "read"
    LABELS = "labels"
    SKIP = "skip"


class Query(BaseModel, frozen=True, extra="forbid"):
    """Conditions on records. Ranges are inclusive; an unknown value is in no range.

    `namespace` is a pattern and covers everything below it. `fields` maps dotted paths within the
    value to what must stand there. `text` holds words that must all occur, in any case.

    `cold` concerns archived records: `read` takes the values of those found from the archive,
    `labels` finds them without asking it and leaves their values None, `skip` leaves them out.
    Conditions on the value (`fields`, `text`) have to read it unless they are skipped.
    """

    namespace: str = "**"
    tag: str | None = Field(default=None, max_length=TAG_CHARS_MAX)
    kind: str | None = None
    agent: str | None = None
    session: str | None = None
    writer: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict)
    text: str | None = Field(default=None, max_length=1_000)
    confidence_min: float | None = Field(default=None, ge=0, le=1)
    confidence_max: float | None = Field(default=None, ge=0, le=1)
    importance_min: float | None = Field(default=None, ge=0, le=1)
    success_min: float | None = Field(default=None, ge=0, le=1)
    success_max: float | None = Field(default=None, ge=0, le=1)
    cold: Cold = Cold.READ
    limit: int = Field(default=100, ge=1, le=SCAN_MAX)

    def may_match(self, labels: Described) -> bool:
        """The conditions that need no value; cheap, so that most records are never built."""
        return (
            _same(self.kind, labels.kind)
            and _same(self.agent, labels.agent)
            and _same(self.session, labels.session)
            and _same(self.writer, labels.writer)
        )

    @property
    def asks_value(self) -> bool:
        """Whether a condition needs the value itself."""
        return bool(self.fields or self.text)

    def matches(self, record: Record, text: str) -> bool:
        """Whether all conditions hold; `text` is the value as canonical JSON, for the words."""
        return self.fits_labels(record.labels) and self.fits_value(record.value, text)

    def fits_value(self, value: Any, text: str) -> bool:
        """The conditions that need the value."""
        fits = all(_at(value, path) == want for path, want in self.fields.items())
        return fits and _has_words(self.text, text)

    def fits_labels(self, labels: Described) -> bool:
        """The conditions that need nothing but labels and counts."""
        return (
            self.may_match(labels)
            and (self.tag is None or self.tag in labels.tags)
            and _within(labels.confidence, self.confidence_min, self.confidence_max)
            and _within(labels.importance, self.importance_min, None)
            and _within(success_rate(labels), self.success_min, self.success_max)
        )


def success_rate(labels: Described) -> float | None:
    """Successes as a share of all attempts, 0..1; None where nothing was counted."""
    good, bad = labels.success_count, labels.failure_count
    if good is None and bad is None:
        return None
    total = (good or 0) + (bad or 0)
    return (good or 0) / total if total else None


def _same(wanted: str | None, found: str | None) -> bool:
    return wanted is None or wanted == found


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _ABSENT
    return value


def _has_words(wanted: str | None, text: str) -> bool:
    if not wanted:
        return True
    folded = text.casefold()
    return all(word in folded for word in wanted.casefold().split())


_ABSENT = object()
