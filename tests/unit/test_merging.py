"""What one record says in the place of several that say the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from memtend.alike.merging import Reads, merged
from memtend.codec.envelope import Body
from memtend.limits import TAGS_MAX

UNREAD = Reads()
counts = st.none() | st.integers(0, 1_000)


def body(**said: Any) -> Body:
    plain = Body(replica="0" * 32, n=1, ts=1, type=0, created_ms=100, size=9, ttl_ms=None, kind="k")
    return plain._replace(**said)


bodies = st.builds(
    body,
    n=st.integers(1, 50),
    created_ms=st.integers(0, 1_000),
    tags=st.lists(st.sampled_from("abcdef"), unique=True).map(tuple),
    importance=st.floats(0, 1),
    confidence=st.none() | st.floats(0, 1),
    success_count=counts,
    failure_count=counts,
    pinned=st.booleans(),
)
reads = st.builds(Reads, st.integers(0, 100), st.none() | st.integers(0, 1_000))
extras = st.lists(st.tuples(bodies, reads), max_size=4)


def test_what_was_counted_is_added_and_what_nobody_counted_stays_unknown() -> None:
    one, two = body(success_count=3), body(success_count=4)
    found, _ = merged(one, UNREAD, [(two, UNREAD)])
    assert (found.success_count, found.failure_count) == (7, None)


def test_tags_are_joined_the_keepers_first() -> None:
    found, _ = merged(body(tags=("b", "a")), UNREAD, [(body(tags=("c", "b")), UNREAD)])
    assert found.tags == ("b", "a", "c")


def test_a_record_has_no_more_tags_than_it_may() -> None:
    many = [tuple(f"{letter}{n}" for n in range(TAGS_MAX)) for letter in "ab"]
    found, _ = merged(body(tags=many[0]), UNREAD, [(body(tags=many[1]), UNREAD)])
    assert found.tags == many[0]


def test_the_latest_read_is_kept_and_reads_are_added() -> None:
    _, found = merged(body(), Reads(2, 50), [(body(), Reads(3, 90)), (body(), UNREAD)])
    assert found == Reads(5, 90)
    assert merged(body(), UNREAD, [(body(), UNREAD)])[1] == UNREAD


def test_confidence_is_the_keepers_and_else_the_highest() -> None:
    sure, unsure = (body(confidence=0.9), UNREAD), (body(confidence=0.2), UNREAD)
    assert merged(body(confidence=0.5), UNREAD, [sure])[0].confidence == 0.5
    assert merged(body(), UNREAD, [unsure, sure])[0].confidence == 0.9


def test_a_pin_and_the_highest_importance_and_the_first_time_stay() -> None:
    other = body(pinned=True, importance=0.8, created_ms=5)
    found, _ = merged(body(), UNREAD, [(other, UNREAD)])
    assert (found.pinned, found.importance, found.created_ms) == (True, 0.8, 5)


@given(bodies, reads, extras)
def test_who_it_is_and_what_it_says_are_the_keepers(
    keeper: Body, read: Reads, others: list[tuple[Body, Reads]]
) -> None:
    found, _ = merged(keeper, read, others)
    assert found.dot == keeper.dot
    assert (found.agent, found.writer, found.trust, found.extra) == (
        keeper.agent, keeper.writer, keeper.trust, keeper.extra,
    )  # fmt: skip


@given(bodies, reads, extras)
def test_merging_with_nothing_more_changes_nothing(
    keeper: Body, read: Reads, others: list[tuple[Body, Reads]]
) -> None:
    once = merged(keeper, read, others)
    assert merged(*once, []) == once


@given(bodies, reads, extras, extras)
def test_all_at_once_is_one_after_the_other(
    keeper: Body, read: Reads, some: list[tuple[Body, Reads]], more: list[tuple[Body, Reads]]
) -> None:
    """Where the keeper says its confidence: else the highest known so far becomes its word."""
    keeper = keeper._replace(confidence=0.5)
    assert merged(*merged(keeper, read, some), more) == merged(keeper, read, some + more)
