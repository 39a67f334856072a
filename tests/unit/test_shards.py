"""Shards hold every namespace exactly once, and the largest is as small as can be."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from memtend.model.shard import Shard, shards_of

NAMES = st.text("ab/é\U0001f980", min_size=1, max_size=4)
COUNTS = st.dictionaries(NAMES, st.integers(0, 20), max_size=8)


@given(COUNTS, st.integers(-1, 5), NAMES)
def test_every_namespace_lies_in_one_shard(counts: dict[str, int], most: int, new: str) -> None:
    shards = shards_of(counts, most)
    assert 1 <= len(shards) <= max(most, 1)
    for name in (*counts, new, ""):  # those that are made meanwhile, too
        assert sum(shard.holds(name) for shard in shards) == 1
    for shard in shards:
        assert shard.rows == sum(n for name, n in counts.items() if shard.holds(name))
    assert shards_of(counts, most) == shards


@given(COUNTS, st.integers(1, 4))
def test_no_other_cut_has_a_smaller_largest_shard(counts: dict[str, int], most: int) -> None:
    sizes = [rows for _, rows in sorted(counts.items())]
    cuts = (
        (0, *places, len(sizes))
        for parts in range(min(most, len(sizes) or 1))
        for places in combinations(range(1, len(sizes)), parts)
    )
    best = min(max(sum(sizes[a:b]) for a, b in pairwise(cut)) for cut in cuts)
    assert max(shard.rows for shard in shards_of(counts, most)) == best


def test_a_store_of_one_namespace_is_one_shard() -> None:
    assert shards_of({"only": 7}, 4) == (Shard("", None, 7),)
    assert shards_of({}, 4) == (Shard(),)
