"""A served form as one npz file, which numpy reads too: arrays, and the JSON beside them as bytes.

Read without scikit-learn, in milliseconds, and never executed: there are only numbers in it.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memtend.errors import ModelRefused
from memtend.learn.boxes import boxed, unboxed
from memtend.learn.npy import array_bytes, read_array
from memtend.learn.state import State

_META: Final = "meta.npy"


def write_state(state: State) -> bytes:
    """Equal states, equal bytes."""
    text = json.dumps(state.meta, sort_keys=True, separators=(",", ":"), allow_nan=False)
    entries = {f"arrays/{name}.npy": array_bytes(array) for name, array in state.arrays.items()}
    meta = np.frombuffer(text.encode(), dtype=np.uint8)
    return boxed({**entries, _META: array_bytes(meta)})


def read_state(name: str, data: bytes) -> State:
    """Raises `ModelRefused`."""
    entries = unboxed(name, data)
    found = {entry: read_array(f"{name}/{entry}", content) for entry, content in entries.items()}
    meta = found.pop(_META, None)
    if meta is None or meta.dtype != np.uint8:
        raise ModelRefused(name=name, why="it does not say what it is")
    try:
        told = json.loads(meta.tobytes())
    except (ValueError, RecursionError) as error:
        raise ModelRefused(name=name, why="what it says of itself is no JSON") from error
    if not isinstance(told, dict) or not all(entry.startswith("arrays/") for entry in found):
        raise ModelRefused(name=name, why="it does not say what it is")
    arrays = {entry[len("arrays/") : -len(".npy")]: array for entry, array in found.items()}
    _check_trees(name, arrays)
    return State(told, arrays)


def _check_trees(name: str, arrays: dict[str, NDArray[Any]]) -> None:
    """The nodes of flat trees lead to nodes."""
    for key, children in arrays.items():
        prefix, _, last = key.rpartition("/")
        if last != "children":
            continue
        features, roots, depth = (arrays.get(f"{prefix}/{part}".lstrip("/")) for part in _PARTS)
        nodes = len(children) // 2
        fits = (
            children.ndim == 1
            and features is not None
            and roots is not None
            and depth is not None
            and features.shape == (nodes,)
            and nodes > 0
            and all(
                part.dtype.kind == "i" and part.min(initial=0) >= 0 and part.max(initial=0) < nodes
                for part in (children, roots)
            )
            and depth.dtype.kind == "i"
            and depth.shape == (1,)
            and 0 <= int(depth[0]) < nodes
            and features.dtype.kind == "i"
            and features.min(initial=0) >= 0
        )
        if not fits:
            raise ModelRefused(name=name, why="a tree leads to what is not there")


_PARTS: Final = ("features", "roots", "depth")
