"""The served form of something fitted: arrays and JSON, from which it answers without scikit-learn.

A part of several parts keeps theirs below their names: `{"forest/threshold": …}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


class State(NamedTuple):
    """`meta` is JSON; `arrays` are numbers, never objects."""

    meta: dict[str, Any]
    arrays: Arrays


def nested(parts: Mapping[str, State], meta: Mapping[str, Any] | None = None) -> State:
    """One state of several, each below its name."""
    arrays: Arrays = {}
    for name, one in parts.items():
        arrays |= below(name, one.arrays)
    return State({**(meta or {}), "parts": {name: one.meta for name, one in parts.items()}}, arrays)


def part(state: State, name: str) -> State:
    """What `nested` had put below a name; raises `KeyError` where there is none."""
    return State(state.meta["parts"][name], from_below(name, state.arrays))


def below(name: str, arrays: Arrays) -> Arrays:
    """As a part among others keeps them."""
    return {f"{name}/{key}": array for key, array in arrays.items()}


def from_below(name: str, arrays: Arrays) -> Arrays:
    """What `below` had put among others."""
    prefix = f"{name}/"
    own = ((key, array) for key, array in arrays.items() if key.startswith(prefix))
    return {key.removeprefix(prefix): array for key, array in own}


def equal(one: State, other: State) -> bool:
    """To the bit, except that NaN equals NaN."""
    return (
        one.meta == other.meta
        and one.arrays.keys() == other.arrays.keys()
        and all(
            value.dtype == other.arrays[key].dtype
            and np.array_equal(value, other.arrays[key], equal_nan=value.dtype.kind == "f")
            for key, value in one.arrays.items()
        )
    )
