"""The served form of something fitted: arrays and JSON, from which it answers without scikit-learn.

A part of several parts keeps theirs below their names: `{"forest/threshold": …}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class State(NamedTuple):
    """`meta` is JSON; `arrays` are numbers, never objects."""

    meta: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def nested(parts: Mapping[str, State], meta: Mapping[str, Any] | None = None) -> State:
    """One state of several, each below its name."""
    arrays = {
        f"{name}/{key}": value for name, part in parts.items() for key, value in part.arrays.items()
    }
    return State(
        {**(meta or {}), "parts": {name: part.meta for name, part in parts.items()}}, arrays
    )


def part(state: State, name: str) -> State:
    """What `nested` had put below a name; raises `KeyError` where there is none."""
    prefix = f"{name}/"
    arrays = {
        key.removeprefix(prefix): value
        for key, value in state.arrays.items()
        if key.startswith(prefix)
    }
    return State(state.meta["parts"][name], arrays)


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
