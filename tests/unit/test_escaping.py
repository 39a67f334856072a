"""What memory says is shown in a page letter by letter, and is never a part of the page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from memtend_tasks.escaping import Markdown, code, escaped, paragraphs, prose, visible
from memtend_tasks.figures import table
from tests.fixtures.markup import HOSTILE

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
SHOWN = {"text", "code_inline"}
"""All that memory text may become."""

TEXTS = st.text(max_size=60) | st.text("\\`*_[]()<>|&#!-~$:/@www. \n", max_size=40)


def inlines(markdown: str) -> list[list[Token]]:
    return [token.children or [] for token in RENDERER.parse(markdown) if token.type == "inline"]


def words(text: str) -> str:
    return " ".join(visible(text).split())


@given(TEXTS | st.sampled_from(HOSTILE))
def test_a_cell_shows_exactly_what_it_is_given(text: str) -> None:
    """One cell, plain text and code in it, and the same letters."""
    found = inlines(table(("text", "beside"), [(text, "beside")]))
    assert len(found) == 4
    tokens = found[2]
    assert {token.type for token in tokens} <= SHOWN
    assert words("".join(token.content for token in tokens)) == words(text[:200])


@given(TEXTS | st.sampled_from(HOSTILE))
def test_a_sentence_holds_nothing_but_text_code_and_bold(text: str) -> None:
    tokens = [token for tokens in inlines(prose(text)) for token in tokens]
    assert {token.type for token in tokens} <= {*SHOWN, "strong_open", "strong_close"}
    assert {token.type for token in RENDERER.parse(prose(text))} <= {
        "paragraph_open", "inline", "paragraph_close",
    }  # fmt: skip


@given(TEXTS)
def test_code_is_code_whatever_is_in_it(text: str) -> None:
    [tokens] = inlines(f"x {code(text)} y")
    kinds = [token.type for token in tokens]
    assert kinds in (["text", "code_inline", "text"], ["text"])


def test_what_this_program_says_stays_as_it_is() -> None:
    assert prose("**3 records** go: run `memtend sweep --apply`.") == (
        "**3 records** go: run `memtend sweep --apply`."
    )
    page = paragraphs([Markdown("## Title"), "", "a < b"])
    assert page == "## Title\n\na &lt; b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("task/42/plan_b", "task/42/plan_b"),
        ("agent/*/patterns", "agent/\\*/patterns"),
        ("www.evil.example", "`www.evil.example`"),
        ("ada@example.org", "`ada@example.org`"),
        ("in s3://bucket/x now", "in `s3://bucket/x` now"),
        ("a\u202eb", "a\\\\u202eb"),
        ("1.2.0", "1.2.0"),
    ],
)
def test_names_are_as_readable_as_they_were(text: str, shown: str) -> None:
    assert escaped(text) == shown
