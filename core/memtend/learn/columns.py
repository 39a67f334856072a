"""Which fields of the contexts are features, and what they become.

What cannot carry over to another context is left out and told: identifiers, counters, what is the
same everywhere or hardly ever there. There are so many columns at most, whatever agents write.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from memtend.learn.features import Dropped, Encoder, Field
from memtend.learn.feedback import Floats
from memtend.learn.fields import Path, fields_of, number_in, shown, time_in, value_at, words_in
from memtend.limits_learning import (
    CATEGORIES_MAX,
    CONTEXT_DEPTH_MAX,
    CONTEXT_FIELDS_MAX,
    DROPPED_TOLD_MAX,
    FEATURE_CELLS_MAX,
    FEATURES_MAX,
)

_SHARE_MIN: Final = 0.005
_MANY: Final = 20
_UNIQUE: Final = 0.9
_ID_NAME: Final = re.compile(
    r"(^|[_.\-])(id|ids|uuid|guid|hash|sha\d*|digest|token|nonce|trace|span)$"
)
_CAMEL_ID: Final = re.compile(r"[a-z](Id|ID|Uuid|UUID|Hash)$")
_ID_TEXT: Final = re.compile(r"\d{10,}|(?=.*\d)[0-9a-fA-F-]{12,}|[0-9A-HJKMNP-TV-Z]{26}")
_EPOCHS: Final = ((1e9, 4e9, 1e3), (1e12, 4e12, 1.0), (1e15, 4e15, 1e-3), (1e18, 4e18, 1e-6))
_MOST: Final = 0.95


def planned(
    contexts: Sequence[Mapping[str, Any]], never: frozenset[str]
) -> tuple[list[Field], list[str], list[Dropped]]:
    """Fields with their columns, the columns' names, and what was left out."""
    counts: Counter[Path] = Counter()
    for context in contexts:
        found = [path for path, value in fields_of(context) if value is not None]
        if len(counts) < CONTEXT_FIELDS_MAX:
            counts.update(found)
        else:
            counts.update(path for path in found if path in counts)
    dropped: list[Dropped] = []
    kept: list[Field] = []
    least = _least(len(contexts))
    for path in sorted(counts, key=lambda path: (len(path), path)):
        if counts[path] < least:
            dropped.append(Dropped(shown(path), f"in {counts[path]} of {len(contexts)} contexts"))
        elif path[-1].lower() in never:
            dropped.append(Dropped(shown(path), "by its name known only when a task has ended"))
        else:
            values = [value_at(context, path) for context in contexts]
            field, why = _field(path, [value for value in values if value is not None])
            if field is None:
                dropped.append(Dropped(shown(path), why))
            else:
                kept.append(field)
    fields, names = _useful(kept, contexts, dropped)
    return fields, names, _bounded(dropped)


def _least(rows: int) -> int:
    return max(3, math.ceil(_SHARE_MIN * rows))


def _field(path: Path, values: list[Any]) -> tuple[Field | None, str]:
    """A field whose columns have no numbers yet (0 stands for "there is one"), or why not."""
    texts = [value for value in values if type(value) is str]
    lists = [words for value in values if (words := words_in(value)) is not None]
    numbers = [value for value in values if type(value) in {int, float, bool}]
    least = _least(len(values))
    field = Field(path, shown(path))
    if len(texts) >= _MOST * len(values) and _mostly(time_in(text) for text in texts):
        return field._replace(unit_ms=0.0, hour=0, weekday=0), ""
    why = f"nested more than {CONTEXT_DEPTH_MAX} deep, or nothing that can be compared"
    parsed = np.array([number_in(value) for value in (*numbers, *texts)], dtype=np.float64)
    in_text = parsed[len(numbers) :]
    if texts and _mostly(in_text):
        why = _why_no_text(path, texts)
        if why:
            return None, why
        texts = []
    else:
        parsed = parsed[: len(numbers)]
    if len(parsed) >= least:
        found, why = _number(field, np.array([number_in(v) for v in values]), parsed)
        if found is not None:
            field = found
    if len(texts) >= least:
        no = _why_no_text(path, texts)
        common = Counter(text[:120] for text in texts)
        frequent = sorted(text for text, n in _most_common(common) if n >= least)
        if no or not frequent:
            why = no or "no value is frequent"
        else:
            has_rare = len(common) > len(frequent)
            field = field._replace(texts=dict.fromkeys(frequent, 0), rare=0 if has_rare else None)
    if len(lists) >= least:
        common = Counter(word for words in lists for word in words)
        frequent = sorted(word for word, n in _most_common(common) if n >= least)
        field = field._replace(size=0, words=dict.fromkeys(frequent, 0))
    return (field, "") if field.columns() else (None, why)


def _number(field: Field, in_order: Floats, parsed: Floats) -> tuple[Field | None, str]:
    there = in_order[~np.isnan(in_order)]
    if not len(there):
        return None, "never a finite number"
    distinct = len(np.unique(there))
    is_unique = len(there) >= _MANY and distinct >= _UNIQUE * len(there)
    for low, high, unit_ms in _EPOCHS:
        if distinct > 1 and np.mean((there >= low) & (there < high)) >= _MOST:
            return field._replace(unit_ms=unit_ms, hour=0, weekday=0), ""
    if is_unique and np.mean(np.diff(there) > 0) >= 0.99:
        return None, "counts up from one context to the next"
    if is_unique and _is_id_name(field.path):
        return None, "an identifier, nearly unique"
    return field._replace(number=0), ""


def _why_no_text(path: Path, texts: list[str]) -> str:
    """Whether it names single things, which never come again."""
    distinct = set(texts)
    if len(texts) < _MANY or len(distinct) <= CATEGORIES_MAX / 2:
        return ""
    share = len(distinct) / len(texts)
    looks = np.mean([bool(_ID_TEXT.fullmatch(text[:64])) for text in sorted(distinct)[:1_000]])
    is_id = looks >= _UNIQUE or _is_id_name(path)
    parses = _mostly(number_in(text) for text in texts)
    if is_id and share >= 0.5:
        return f"an identifier: {len(distinct):,} in {len(texts):,}"
    if share >= 0.5 and not parses:
        return f"nearly unique: {len(distinct):,} in {len(texts):,}"
    return ""


def _is_id_name(path: Path) -> bool:
    return bool(_ID_NAME.search(path[-1].lower()) or _CAMEL_ID.search(path[-1]))


def _mostly(numbers: Any) -> bool:
    return bool(np.mean(~np.isnan(np.fromiter(numbers, dtype=np.float64))) >= _MOST)


def _most_common(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:CATEGORIES_MAX]


def _useful(
    fields: list[Field], contexts: Sequence[Mapping[str, Any]], dropped: list[Dropped]
) -> tuple[list[Field], list[str]]:
    """Numbers the columns that differ from context to context and from each other, and fit in."""
    scores: dict[tuple[int, int], float] = {}
    same: dict[bytes, str] = {}
    for number, field in enumerate(fields):
        labels = _labels(field)
        matrix = Encoder([_numbered(field, range(len(labels)), len(labels))], labels)
        columns = matrix.transform_many(contexts).T
        alike = [at for at, column in enumerate(columns) if len(np.unique(column)) < 2]
        if len(alike) == len(labels):
            dropped.append(Dropped(field.name, "the same in every context"))
        for at in sorted(set(range(len(labels))) - set(alike)):
            column = columns[at]
            is_mark = bool(np.isin(column, (0.0, 1.0)).all())
            twin = same.get(_digest(1 - column if is_mark else column)) or same.setdefault(
                _digest(column), labels[at]
            )
            if twin != labels[at]:
                dropped.append(Dropped(labels[at], f"says the same as {twin}"))
                continue
            there = np.count_nonzero(np.nan_to_num(column)) / len(column)
            scores[number, at] = min(there, 1 - there) if is_mark else 0.5 + there
    most = min(FEATURES_MAX, FEATURE_CELLS_MAX // max(1, len(contexts)))
    ranked = sorted(scores, key=lambda key: (-scores[key], key))
    for number, at in ranked[most:]:
        label = _labels(fields[number])[at]
        dropped.append(Dropped(label, f"beyond the {most} features there may be"))
    return _renumbered(fields, sorted(ranked[:most]))


def _renumbered(fields: list[Field], kept: list[tuple[int, int]]) -> tuple[list[Field], list[str]]:
    columns = {key: column for column, key in enumerate(kept)}
    found = []
    names = [_labels(fields[number])[at] for number, at in kept]
    for number in sorted({number for number, _ in kept}):
        size = len(_labels(fields[number]))
        at = [columns.get((number, slot)) for slot in range(size)]
        found.append(_numbered(fields[number], at, len(kept)))
    return found, names


_PLAIN: Final = {
    "number": "",
    "rare": ": another",
    "size": ": how many",
    "hour": ": hour",
    "weekday": ": weekday",
}


def _labels(field: Field) -> list[str]:
    """What its columns are called, in the order in which `_numbered` takes their places."""
    plain = [
        field.name + label for slot, label in _PLAIN.items() if getattr(field, slot) is not None
    ]
    texts = [f"{field.name} = {_short(text)}" for text in field.texts or ()]
    return [*plain, *texts, *(f"{field.name} has {_short(word)}" for word in field.words or ())]


def _numbered(field: Field, places: Sequence[int | None], spare: int) -> Field:
    """With its columns at `places`. A text without one goes to the spare column: it is known, so
    it is not another."""
    left = iter(places)
    plain: dict[str, Any] = {
        slot: next(left) for slot in _PLAIN if getattr(field, slot) is not None
    }
    texts = field.texts and {text: _or(next(left), spare) for text in field.texts}
    words = field.words and {word: at for word in field.words if (at := next(left)) is not None}
    return field._replace(**plain, texts=texts, words=words)


def _or(place: int | None, spare: int) -> int:
    return spare if place is None else place


def _short(text: str) -> str:
    return shown((text[:40],))


def _digest(column: Floats) -> bytes:
    return hashlib.blake2b(column.tobytes(), digest_size=16).digest()


def _bounded(dropped: list[Dropped]) -> list[Dropped]:
    told = sorted(set(dropped))[:DROPPED_TOLD_MAX]
    more = len(set(dropped)) - len(told)
    return [*told, Dropped("…", f"{more:,} more")] if more else told
