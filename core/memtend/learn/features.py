"""Contexts as rows of numbers, the same at every serving as when they were fitted.

    >>> seen = [{"size": n % 7, "lang": "py" if n % 2 else "go"} for n in range(40)]
    >>> encoder = Encoder.fit(seen)
    >>> encoder.names
    ('lang = go', 'size')
    >>> encoder.transform({"size": "3", "lang": "cobol", "new": 1}).tolist()
    [0.0, 3.0]

A number that is missing is NaN, a category that is missing or was never seen has none of its ones.
Nothing that a context holds makes `transform` raise, and what is not a feature costs nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from memtend.learn.feedback import Floats
from memtend.learn.fields import (
    NAN,
    NUMBER_MAX,
    Path,
    hour_of,
    number_in,
    text_in,
    time_in,
    value_at,
    weekday_of,
    words_in,
)
from memtend.learn.state import State

_NUMERIC: Final = frozenset({float, int, bool, type(None)})
_LISTS: Final = (list, tuple, set, frozenset)


class Dropped(NamedTuple):
    """A field that is no feature, and why."""

    name: str
    why: str


class Field(NamedTuple):
    """What one field of a context becomes. Numbers are columns; None: it becomes no such column.

    A text or word that is known but has no column of its own goes to the last, which is cut off.
    """

    path: Path
    name: str
    number: int | None = None
    texts: dict[str, int] | None = None
    rare: int | None = None
    words: dict[str, int] | None = None
    size: int | None = None
    hour: int | None = None
    weekday: int | None = None
    unit_ms: float | None = None
    """Of a time: 0 for text, else how many milliseconds its unit has."""

    def write(self, value: Any, row: Any) -> None:
        """`value` into the columns of one row."""
        if self.unit_ms is not None:
            self._write_time(value, row)
        elif isinstance(value, _LISTS):
            self._write_words(value, row)
        else:
            if self.number is not None:
                row[self.number] = number_in(value)
            if self.texts is not None:
                text = text_in(value)
                if text is not None:
                    at = self.texts.get(text, self.rare)
                    if at is not None:
                        row[at] = 1.0

    def columns(self) -> tuple[int, ...]:
        """All that there are."""
        plain = (self.number, self.size, self.hour, self.weekday)
        return (*(at for at in plain if at is not None), *self.marks())

    def marks(self) -> tuple[int, ...]:
        """Those that are 0 or 1, and 0 where nothing is known."""
        rare = () if self.rare is None else (self.rare,)
        return (*(self.texts or {}).values(), *(self.words or {}).values(), *rare)

    def _write_words(self, value: Any, row: Any) -> None:
        if self.words is None and self.size is None:
            return
        if self.size is not None:
            row[self.size] = float(len(value))
        if self.words:
            for word in words_in(value) or ():
                at = self.words.get(word)
                if at is not None:
                    row[at] = 1.0

    def _write_time(self, value: Any, row: Any) -> None:
        ms = number_in(value) * self.unit_ms if self.unit_ms else time_in(value)
        if self.hour is not None:
            row[self.hour] = hour_of(ms)
        if self.weekday is not None:
            row[self.weekday] = weekday_of(ms)


class Encoder:
    """Made by `fit`, kept by `state`. `names` says what the columns are, `groups` of which field
    (an index into `fields`) each is, `dropped` what is no feature."""

    def __init__(
        self, fields: Sequence[Field], names: Sequence[str], dropped: Sequence[Dropped] = ()
    ) -> None:
        self.fields = tuple(fields)
        self.names = tuple(names)
        self.dropped = tuple(dropped)
        self.groups = np.zeros(len(self.names), dtype=np.int64)
        blank = np.full(len(self.names) + 1, NAN)
        for number, field in enumerate(self.fields):
            own = [at for at in field.columns() if at < len(self.names)]
            self.groups[own] = number
            blank[list(field.marks())] = 0.0
        self._blank = blank
        self._row = blank.tolist()

    @classmethod
    def fit(
        cls, contexts: Sequence[Mapping[str, Any]], *, never: frozenset[str] = frozenset()
    ) -> Encoder:
        """From contexts in the order of time. Fields named in `never` are no features."""
        from memtend.learn.columns import planned  # noqa: PLC0415 — only who fits needs it

        fields, names, dropped = planned(contexts, never)
        return cls(fields, names, dropped)

    def transform(self, context: Mapping[str, Any]) -> Floats:
        """One row, (columns,)."""
        row = self._row.copy()
        for field in self.fields:
            value = value_at(context, field.path)
            if value is not None:
                field.write(value, row)
        row.pop()
        return np.array(row, dtype=np.float64)

    def transform_many(self, contexts: Sequence[Mapping[str, Any]]) -> Floats:
        """(contexts, columns): the same numbers as one by one."""
        found = np.repeat(self._blank[None], len(contexts), axis=0)
        around: dict[Path, list[Any]] = {}
        for field in self.fields:
            _write_all(field, _values_at(contexts, field.path, around), found)
        return np.ascontiguousarray(found[:, :-1])

    def state(self) -> State:
        return State(
            {
                "fields": [_bare(field) for field in self.fields],
                "names": list(self.names),
                "dropped": [list(one) for one in self.dropped],
            },
            {},
        )

    @classmethod
    def of(cls, state: State) -> Encoder:
        """Raises `KeyError` or `TypeError` for what `state` has not made."""
        meta = state.meta
        fields = [Field(**{**one, "path": tuple(one["path"])}) for one in meta["fields"]]
        return cls(fields, meta["names"], [Dropped(*one) for one in meta["dropped"]])


def _bare(field: Field) -> dict[str, Any]:
    told = {name: value for name, value in field._asdict().items() if value is not None}
    return {**told, "path": list(field.path)}


def _values_at(
    contexts: Sequence[Mapping[str, Any]], path: Path, around: dict[Path, list[Any]]
) -> list[Any]:
    """Of each context; `around` keeps what fields lie in, which are many in few."""
    above = path[:-1]
    if not above:
        return [value_at(context, path) for context in contexts]
    if above not in around:
        around[above] = _values_at(contexts, above, around)
    outer, key = around[above], path[-1]
    return [one.get(key) if type(one) is dict else value_at(one, (key,)) for one in outer]


def _write_all(field: Field, values: list[Any], found: Floats) -> None:
    kinds = set(map(type, values))
    if field.unit_ms is None and field.number is not None and kinds <= _NUMERIC:
        try:
            column = np.array(values, dtype=np.float64)
        except OverflowError:
            pass
        else:
            found[:, field.number] = np.clip(column, -NUMBER_MAX, NUMBER_MAX)
            return
    if field.unit_ms is None and field.texts is not None and field.number is None:
        spare = found.shape[1] - 1
        rare = spare if field.rare is None else field.rare
        column_of = field.texts.get
        columns = [
            spare if (text := text_in(value)) is None else column_of(text, rare) for value in values
        ]
        found[np.arange(len(values)), columns] = 1.0
        if not kinds.intersection(_LISTS):
            return
    if field.unit_ms is None and field.number is None and field.texts is None:
        _write_lists(field, values, found)
        return
    for row, value in zip(found, values, strict=True):
        if value is not None:
            field.write(value, row)


def _write_lists(field: Field, values: list[Any], found: Floats) -> None:
    """As `Field.write`, where only lists say something."""
    lists = [(row, value) for row, value in enumerate(values) if isinstance(value, _LISTS)]
    if not lists:
        return
    if field.size is not None:
        found[[row for row, _ in lists], field.size] = [len(value) for _, value in lists]
    if field.words:
        column_of = field.words.get
        marks = [
            (row, at)
            for row, value in lists
            for word in words_in(value) or ()
            if (at := column_of(word)) is not None
        ]
        if marks:
            found[tuple(zip(*marks, strict=True))] = 1.0
