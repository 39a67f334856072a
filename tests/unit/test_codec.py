"""Canonical JSON, compression and envelopes: exact both ways, and closed to anything else."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from memtend.codec import canonical
from memtend.codec.compress import Codec, Damaged, compress, decompress
from memtend.codec.envelope import (
    Body,
    codec_of,
    content_of,
    flags_of,
    is_sound,
    prefix_of,
    row_hash,
    type_of,
    unpack,
)
from memtend.limits import INTEGER_ABS_MAX, VALUE_BYTES_MAX

numbers = st.integers(-INTEGER_ABS_MAX, INTEGER_ABS_MAX) | st.floats(
    allow_nan=False, allow_infinity=False
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
bodies = st.builds(
    Body,
    replica=st.binary(min_size=16, max_size=16).map(bytes.hex),
    n=st.integers(1, 2**53),
    ts=st.integers(0, 2**62),
    type=st.integers(0, 2),
    created_ms=st.integers(0, 2**48),
    size=st.integers(0, 2**24),
    ttl_ms=st.none() | st.integers(1, 2**48),
    kind=texts,
    agent=st.none() | texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    confidence=st.none() | st.floats(0, 1),
    success_count=st.none() | st.integers(0, 2**53),
    failure_count=st.none() | st.integers(0, 2**53),
    importance=st.floats(0, 1),
    dictionary=st.none() | st.integers(1, 9),
    extra=st.none() | st.binary(max_size=9),
)


@given(values)
def test_a_value_comes_back(value: Any) -> None:
    text = canonical.encode(value)
    assert canonical.decode(text) == value
    assert json.loads(text) == value


@given(st.dictionaries(texts, values, max_size=6))
def test_one_value_has_one_text(value: dict[str, Any]) -> None:
    """Whatever order its keys were written in."""
    backwards = dict(reversed(value.items()))
    assert canonical.encode(value) == canonical.encode(backwards)
    assert content_of(canonical.encode(value)) == content_of(canonical.encode(backwards))


@given(st.binary(max_size=2_000), st.integers(1, 5))
def test_compression_comes_back(text: bytes, level: int) -> None:
    dictionary = zstandard.ZstdCompressionDict(b"some shared text of memories" * 9)
    for codec, data, shared in (
        (Codec.RAW, text, None),
        (Codec.GZIP, gzip.compress(text), None),
        (Codec.ZSTD, compress(text, level), None),
        (Codec.ZSTD_DICT, compress(text, level, dictionary), dictionary),
    ):
        assert decompress(codec, data, len(text), shared) == text
        for size in (len(text) + 1, len(text) - 1):
            with pytest.raises(Damaged):
                decompress(codec, data, size, shared)


@given(st.integers(0, 20), st.binary(max_size=300), st.integers(-1, VALUE_BYTES_MAX + 1))
def test_any_bytes_are_a_value_or_damage(codec: int, data: bytes, size: int) -> None:
    with suppress(Damaged):
        assert len(decompress(codec, data, size)) == size


@given(bodies)
def test_a_body_comes_back(body: Body) -> None:
    assert unpack(body.pack()) == body
    assert body.dot == (body.replica, body.n)


@given(st.binary(max_size=100) | bodies.map(lambda body: body.pack()[:-1]))
def test_any_bytes_are_a_body_or_damage(data: bytes) -> None:
    with suppress(Damaged):
        assert isinstance(unpack(data), Body)


@given(st.integers(0, 15), st.integers(0, 15), st.booleans())
def test_flags_say_what_they_were_made_of(codec: int, kind: int, quarantined: bool) -> None:
    flags = flags_of(codec, kind, quarantined=quarantined)
    assert (codec_of(flags), type_of(flags), bool(flags & 256)) == (codec, kind, quarantined)


rows = st.tuples(
    st.sampled_from([prefix_of("a"), prefix_of("a/b")]),
    st.sampled_from([b"k", b"k\0f", b"kk"]),
    st.integers(-(2**63), 2**63 - 1),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=8).map(lambda tail: b"\xdc" + tail),
    st.binary(max_size=8),
)


@given(rows, rows)
def test_the_hash_covers_every_part(one: Any, other: Any) -> None:
    assert is_sound(*[*one, row_hash(*one)])
    if one[:4] != other[:4]:
        parts = (*other[:4], *one[4:], row_hash(*one))
        assert not is_sound(*parts)
    if one[4] + one[5] != other[4] + other[5]:
        parts = (*one[:4], *other[4:], row_hash(*one))
        assert not is_sound(*parts)


@pytest.mark.parametrize("at", [2, 3, 4, 5])
def test_a_part_of_another_type_is_not_sound(at: int) -> None:
    row: list[Any] = [prefix_of("a"), b"k", 0, 5, b"body", b"value"]
    row.append(row_hash(*row))
    assert is_sound(*row)
    row[at] = "text"
    assert not is_sound(*row)
