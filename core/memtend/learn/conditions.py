"""What can be asked of a free-form context: "files above 12", "skills has search".

Only what the earlier outcomes show decides where a number is cut and which names are asked for, so
that the later ones can judge it. What is nearly unique to each outcome, such as an id, is no
condition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from memtend.learn.comparing import Bools
from memtend.learn.feedback import Floats, Ints
from memtend.learn.situations import NEVER
from memtend.limits_learning import CONTEXT_DEPTH_MAX, FEATURES_MAX

_NAMES_MAX: Final = 8
_CUTS: Final = (1 / 3, 2 / 3)
_SHARE_MIN: Final = 0.5
"""A number that fewer than half of the outcomes have is not cut."""
_CHARS_MAX: Final = 64
Flat = dict[str, Any]


class Condition(NamedTuple):
    """`feature` is what it asks about; two conditions on one feature overlap."""

    text: str
    feature: str
    holds: Bools


def flattened(context: Mapping[str, Any], agents: int = 0) -> Flat:
    """Numbers, names and sets of names by dotted path; anything else is left out, and so is what is
    only known when a task has ended.

    How many agents took part is a feature, unless the context has its own figure.
    """
    found: Flat = {}
    _flatten(context, "", 1, found)
    if agents:
        found.setdefault("agents", float(agents))
    return found


def numbers(flat: Sequence[Flat]) -> dict[str, Floats]:
    """The numeric features; NaN where one is missing."""
    names = Counter(name for one in flat for name, value in one.items() if _is_number(value))
    enough = max(2, _SHARE_MIN * len(flat))
    return {
        name: np.array([_number(one.get(name)) for one in flat], dtype=np.float64)
        for name, count in sorted(names.items())
        if count >= enough
    }


def labels(flat: Sequence[Flat]) -> dict[str, list[str | None]]:
    """The features that hold one name each, such as a language; None where one is missing."""
    names = Counter(name for one in flat for name, value in one.items() if isinstance(value, str))
    return {
        name: [value if isinstance(value := one.get(name), str) else None for one in flat]
        for name in sorted(names)
    }


def sets(flat: Sequence[Flat]) -> dict[str, list[frozenset[str]]]:
    """The features that hold sets of names; empty where one is missing."""
    names = {name for one in flat for name, value in one.items() if isinstance(value, frozenset)}
    return {name: [_set(one.get(name)) for one in flat] for name in sorted(names)}


def conditions(flat: Sequence[Flat], early: Bools, rows_min: int) -> Iterator[Condition]:
    """Those that hold for at least `rows_min` of the early rows, and for as many not."""
    first = np.flatnonzero(early)
    for condition in _asked(flat, first):
        holding = int(condition.holds[first].sum())
        if rows_min <= holding <= len(first) - rows_min:
            yield condition


def _asked(flat: Sequence[Flat], first: Ints) -> Iterator[Condition]:
    for name, values in numbers(flat).items():
        known = values[first][~np.isnan(values[first])]
        cuts = {_rounded(float(np.quantile(known, at))) for at in _CUTS} if len(known) else set()
        for cut in sorted(cuts):
            shown = f"{cut:,.10g}"
            yield Condition(f"{name} above {shown}", name, values > cut)
            yield Condition(f"{name} at most {shown}", name, values <= cut)
    for name, told in labels(flat).items():
        common = Counter(told[row] for row in first if told[row] is not None)
        if len(common) > len(first) / 2:
            continue  # an id
        for value, _ in common.most_common(_NAMES_MAX):
            yield Condition(f"{name} is {value}", name, _where(value == one for one in told))
    for name, held in sets(flat).items():
        items = Counter(item for row in first for item in held[row])
        for value, _ in items.most_common(_NAMES_MAX):
            yield Condition(f"{name} has {value}", name, _where(value in one for one in held))


def _where(holds: Iterable[bool]) -> Bools:
    return np.fromiter(holds, dtype=bool)


def _flatten(context: Mapping[str, Any], path: str, depth: int, found: Flat) -> None:
    for key, value in context.items():
        if key in NEVER:
            continue
        name = f"{path}{key}"
        if len(found) >= FEATURES_MAX:
            return
        if isinstance(value, Mapping):
            if depth < CONTEXT_DEPTH_MAX:
                _flatten(value, f"{name}.", depth + 1, found)
        elif isinstance(value, bool):
            found[name] = "yes" if value else "no"
        elif isinstance(value, str):
            found[name] = value[:_CHARS_MAX]
        elif _is_number(value):
            found[name] = float(value)
        elif isinstance(value, list | tuple | set | frozenset):
            found[name] = frozenset(one[:_CHARS_MAX] for one in value if isinstance(one, str))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _set(value: object) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset()


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def _rounded(value: float) -> float:
    """Three digits: nobody reads more, and what is told is what was tested."""
    return float(f"{value:.3g}")
