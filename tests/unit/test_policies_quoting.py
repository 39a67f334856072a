"""Foreign names become ours and come back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.errors import InvalidName
from memtend.model.names import check_name
from memtend.model.quoting import quote_name, quote_segment, unquote_name, unquote_segment

ANY = st.text(st.characters(codec=None), max_size=12)  # lone surrogates too: JSON can hold them


@given(ANY)
def test_quoting_comes_back(text: str) -> None:
    assert unquote_name(quote_name(text)) == text
    assert unquote_segment(quote_segment(text)) == text


@given(ANY, ANY)
def test_two_names_never_become_one(one: str, two: str) -> None:
    assert (quote_name(one) == quote_name(two)) == (one == two)


@given(ANY)
def test_quoted_names_are_names(text: str) -> None:
    if len(quote_name(text)) <= 512 and text.count("/") < 16:
        check_name(quote_name(text))


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a/b", "a/b"),
        ("q=a", "q=q=3Da"),
        ("", "q="),
        ("../x", "q=../x"),
        ("é b", "q==C3=A9=20b"),
        ("a//b", "a/q=/b"),
    ],
)
def test_examples(text: str, quoted: str) -> None:
    assert quote_name(text) == quoted


@pytest.mark.parametrize("bad", ["q==4", "q==c3", "q==FF", "q= "])
def test_what_was_never_quoted_is_refused(bad: str) -> None:
    with pytest.raises(InvalidName):
        unquote_name(bad)
