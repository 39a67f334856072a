"""Which deltas of a place are taken, and when a replica publishes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.codec.compress import Damaged
from memtend.crdt.causal import descends, join
from memtend.limits import PLACE_DELTA_BYTES_FREE, PLACE_DELTAS_MAX
from memtend.sync.choosing import has_news, too_long, wanted
from memtend.sync.head import Head, HeadName, PageRef, Published, parse_head

A, B, C = "a" * 32, "b" * 32, "c" * 32
VECTORS = st.dictionaries(st.sampled_from((A, B, C)), st.integers(1, 6))


def delta(since: dict[str, int], vv: dict[str, int], size: int = 10) -> Published:
    page = PageRef(sha256="0" * 64, size=size)
    return Published(since=since, vv=vv, full=not since, pages=(page,))


def head(*deltas: Published, replica: str = A, vv: dict[str, int] | None = None) -> Head:
    seen = vv or (deltas[-1].vv if deltas else {})
    return Head(
        replica=replica, store_id="5" * 32, epoch=0, number=1, vv=seen, floor={}, sent_ms=1,
        deltas=deltas,
    )  # fmt: skip


def chain(*vectors: dict[str, int]) -> Head:
    """A base, and deltas that each begin where the one before ended."""
    deltas, since = [], dict[str, int]()
    for vector in vectors:
        vv = join(since, vector)
        deltas.append(delta(since, vv))
        since = vv
    return head(*deltas)


@given(st.lists(VECTORS.filter(bool), min_size=1, max_size=6), VECTORS)
def test_what_is_taken_leads_to_all_that_was_published(
    vectors: list[dict[str, int]], seen: dict[str, int]
) -> None:
    """Each delta can be applied when its turn comes, and none is left out at the end."""
    published = chain(*vectors)
    now = dict(seen)
    for one in wanted(published, seen):
        assert descends(now, one.since)
        now = join(now, one.vv)
    assert descends(now, published.published)


def test_the_shortest_run_is_taken() -> None:
    published = chain({A: 1}, {A: 2}, {A: 3})
    assert [len(wanted(published, {A: n})) for n in range(5)] == [3, 2, 1, 0, 0]
    assert wanted(head(), {}) == ()
    assert wanted(head(delta({A: 2}, {A: 3})), {}) == ()


def test_own_events_are_news_and_those_of_others_only_where_these_are_gone() -> None:
    mine = chain({A: 1})
    theirs = head(delta({}, {B: 4}), replica=B)
    assert not has_news(A, {A: 1}, mine, ())
    assert has_news(A, {A: 2}, mine, ())
    assert has_news(A, {A: 1, B: 4}, mine, ())
    assert not has_news(A, {A: 1, B: 4}, mine, (theirs,))
    assert has_news(A, {A: 1, B: 5}, mine, (theirs,))
    # A head speaks for its own replica only: what it relays may not be there tomorrow.
    relays = head(delta({}, {B: 4, C: 9}), replica=B)
    assert has_news(A, {A: 1, B: 4, C: 9}, mine, (relays,))
    assert not has_news(A, {B: 4}, None, (theirs,))


def test_a_chain_is_begun_anew_when_it_costs_more_than_it_saves() -> None:
    base = PLACE_DELTA_BYTES_FREE * 4
    assert too_long(())
    assert not too_long((delta({}, {A: 1}, base),))
    assert not too_long((delta({}, {A: 1}, base), delta({A: 1}, {A: 2}, base // 2)))
    assert too_long((delta({}, {A: 1}, base), delta({A: 1}, {A: 2}, base // 2 + 1)))
    small = (delta({}, {A: 1}), *(delta({A: n}, {A: n + 1}) for n in range(1, PLACE_DELTAS_MAX)))
    assert not too_long(small)
    assert too_long((*small, delta({A: 99}, {A: 100})))


def test_a_head_reads_back_and_is_believed_under_its_own_name_only() -> None:
    one = chain({A: 1}, {A: 2, B: 7})
    name = HeadName(A, 1, "d" * 64)
    assert HeadName.parse(str(name)) == name
    assert parse_head(name, one.pack()) == one
    for wrong in (name._replace(replica=B), name._replace(number=2)):
        with pytest.raises(Damaged):
            parse_head(wrong, one.pack())


@given(st.binary(max_size=200), st.integers(0, 400))
def test_hostile_bytes_are_no_head(data: bytes, at: int) -> None:
    packed = chain({A: 1}).pack()
    cut = at % len(packed)
    for bad in (data, packed[:cut], packed[:cut] + data + packed[cut + 1 :] + b"x"):
        with pytest.raises(Damaged):
            parse_head(HeadName(A, 1, "d" * 64), bad)
