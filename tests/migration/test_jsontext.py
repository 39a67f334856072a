"""The fast parser says what the exact one says, whatever the text, or leaves it to that one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memtend.codec.canonical import encode
from memtend.limits_foreign import PROOF_BYTES_MAX
from memtend.migrate import jsontext
from memtend.migrate.jsontext import DoubledKeys, TooDeep, as_text, parse
from memtend.model.unreadable import Unreadable

NUMBERS = st.one_of(
    st.integers().map(str),
    st.integers(2**62, 2**66).map(str),
    st.integers(-(2**66), -(2**62)).map(str),
    st.floats().map(json.dumps),
    st.sampled_from(["-0", "-0.0", "1e400", "-1e400", "1E5", "1e16", "9007199254740993", "01"]),
)
CHARACTERS = st.one_of(
    st.characters(codec=None, exclude_characters='"\\').map(lambda c: json.dumps(c)[1:-1]),
    st.sampled_from([":", "\\u003a", "\\u003A", "\\ud800", "\\ud83d\\ude00", "\\\\", "e+", "\\n"]),
)
STRINGS = st.lists(CHARACTERS, max_size=5).map(lambda parts: f'"{"".join(parts)}"')
SPACE = st.sampled_from(["", " ", "\n", "\t "])


def joined(opening: str, parts: list[str], closing: str, space: str) -> str:
    return opening + f",{space}".join(parts) + space + closing


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Keys are few, so that many are doubled."""
    keys = st.sampled_from(['"a"', '"a:"', '"\\u0061"', '"b"', '"b\\u003a"'])
    pairs = st.lists(st.tuples(keys, SPACE, inner).map(":".join), max_size=4)
    return st.builds(joined, st.just("{"), pairs, st.just("}"), SPACE)


TEXTS = st.recursive(
    NUMBERS | STRINGS | st.sampled_from(["null", "true", "false", "NaN", "-Infinity", ""]),
    lambda inner: (
        objects(inner)
        | st.builds(joined, st.just("["), st.lists(inner, max_size=4), st.just("]"), SPACE)
    ),
    max_leaves=20,
)
BYTES = st.one_of(
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    TEXTS.map(lambda text: b"\xef\xbb\xbf" + text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=12),
)


def exactly(data: bytes) -> Any:
    try:
        return jsontext._exact(data)
    except Unreadable:
        return Unreadable


def shown(value: Any) -> str:
    """Values in words that tell NaN, -0.0, types and doubled keys apart."""
    if isinstance(value, dict):
        doubled = "doubled" * isinstance(value, DoubledKeys)
        return f"{doubled}{{{[(key, shown(item)) for key, item in value.items()]}}}"
    return str([shown(item) for item in value]) if isinstance(value, list) else repr(value)


def has_doubled_keys(value: Any) -> bool:
    return "doubled" in shown(value)


@given(BYTES)
@example(b'{"a":1,"a":"\\u003a"}')
@example(b'[{"a":"x","b":{"a":1,"a":2}}]')
@example(b"[18446744073709551616,-9223372036854775809]")
@example(b'["e+19", 1]')
@settings(max_examples=400)
def test_the_fast_parser_agrees_with_the_exact_one(data: bytes) -> None:
    exact = exactly(data)
    try:
        found = parse(data)
    except Unreadable:
        assert exact is Unreadable
        return
    assert shown(found.value) == shown(exact)
    assert not (found.plain and has_doubled_keys(exact))


def test_the_usual_text_is_read_fast() -> None:
    """Else all of this would be for nothing."""
    usual = {"at": "2026-09-05T07:10:59+00:00", "a": [1, 2.5, None, "é: :"], "b": {"c": 2**53}}
    assert parse(json.dumps([usual, usual], indent=2).encode()).plain
    assert not parse(b'{"a": 1, "a": 1}').plain


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("depth", [100, 253, 254, 255, 600])
def test_what_both_can_read_is_the_same(depth: int) -> None:
    text = nested(depth).encode()
    assert parse(text).value == json.loads(text)


@pytest.mark.parametrize("depth", [2_000, 100_000])
def test_an_item_that_is_nested_too_deeply_does_not_take_the_others(depth: int) -> None:
    deep = f'{{"id": "x", "deep": {nested(depth)}}}'
    text = f'\ufeff[{{"id": "a, ]"}}, {deep} , {{"id": "\\"["}}]'
    first, second, third = parse(text.encode()).value
    assert (first, third) == ({"id": "a, ]"}, {"id": '"['})
    assert second == TooDeep(deep.encode())


@pytest.mark.parametrize(
    "text",
    [
        nested(2_000)[:-1],
        f'{{"a": {nested(2_000)}}}',
        f"[{nested(2_000)}, ]",
        f"[{nested(2_000)}, x]",
        f"{nested(2_000)}, {nested(2_000)}",
    ],
)
def test_too_deep_is_no_excuse_for_what_is_no_list(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text.encode())


def test_what_was_parsed_can_be_written_for_the_quarantine() -> None:
    assert as_text({"x": float("nan"), "y": "\ud800"}, b"") == b'{"x": NaN, "y": "\\ud800"}'
    assert as_text([TooDeep(b"[")], b"whole") == b"whole"


def test_a_short_list_comes_with_the_canonical_text_of_each_item() -> None:
    found = parse(b'[{"b": 1, "a": null}, [1.50]]')
    assert found.texts == [encode(item) for item in found.value]


def test_an_integer_no_record_can_keep_takes_only_the_texts_away() -> None:
    found = parse(b'[{"id": "a", "n": 1152921504606846976}, {"id": "b"}]')
    assert found == ([{"id": "a", "n": 2**60}, {"id": "b"}], True, None)


def test_a_long_list_is_proved_without_a_second_copy_of_it() -> None:
    item = b'{"id": "%b"}' % (b"x" * 1_000)
    data = b"[" + b",".join([item] * (PROOF_BYTES_MAX // len(item) + 1)) + b"]"
    found = parse(data)
    assert (found.plain, found.texts) == (True, None)
    assert not parse(data[:-1] + b',{"id": 1, "id": 2}]').plain
