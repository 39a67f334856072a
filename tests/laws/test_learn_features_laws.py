"""Whatever agents write into a context, it becomes a row of finite numbers and NaN, and the same
one always."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.learn.features import Encoder
from memtend.learn.state import State

WORDS = st.sampled_from(["a", "b", "size", "id", "7", "2026-11-21T10:00:00Z", "", "x" * 300, "é\n"])
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8)
    | st.just(10**400)
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)
CONTEXTS = st.dictionaries(WORDS, VALUES, max_size=6)
SEEN = st.lists(CONTEXTS, max_size=8)


def turned(value: Any) -> Any:
    """The same with its keys the other way round."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(one) for one in value] if isinstance(value, list) else value


@settings(max_examples=20, deadline=None)
@given(SEEN, SEEN)
def test_nothing_unseen_raises_and_one_by_one_is_as_many_at_once(
    seen: list[dict[str, Any]], asked: list[dict[str, Any]]
) -> None:
    encoder = Encoder.fit(seen * 3)
    rows = encoder.transform_many(asked)
    assert rows.shape == (len(asked), len(encoder.names))
    assert not np.isinf(rows.astype(np.float32)).any()
    for row, context in zip(rows, asked, strict=True):
        assert np.array_equal(row, encoder.transform(context), equal_nan=True)


@settings(max_examples=12, deadline=None)
@given(SEEN, SEEN)
def test_the_order_of_keys_says_nothing_and_the_state_gives_all_back(
    seen: list[dict[str, Any]], asked: list[dict[str, Any]]
) -> None:
    encoder, other = Encoder.fit(seen * 3), Encoder.fit(turned(seen) * 3)
    assert encoder.state().meta == other.state().meta
    rows = encoder.transform_many(asked)
    assert np.array_equal(rows, encoder.transform_many(turned(asked)), equal_nan=True)
    back = Encoder.of(State(json.loads(json.dumps(encoder.state().meta)), {}))
    assert back.state().meta == encoder.state().meta
    assert np.array_equal(back.transform_many(asked), rows, equal_nan=True)
