"""Laws of the sample of accesses: who is in, what a halving keeps, how much there can be."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.clock import ManualClock
from memtend.limits_learning import ACCESS_STEP_MS
from memtend.memory import Memory
from memtend.store.accessed import accesses_of
from memtend.store.behind import write_behind
from memtend.store.sampled import HALVINGS_MAX, Sample, below, digest_from, digest_of, hash_of

NAMES = st.text(st.characters(min_codepoint=43, max_codepoint=122), min_size=1, max_size=9)
PLACES = st.tuples(NAMES, NAMES)
KEYS = [f"k{n}" for n in range(12)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "get", "flush"]),
        st.sampled_from(KEYS),
        st.integers(0, 3 * ACCESS_STEP_MS),
    ),
    max_size=60,
)


@given(PLACES, st.integers(0, HALVINGS_MAX - 1))
def test_halving_keeps_the_lower_half(place: tuple[str, str], halvings: int) -> None:
    inside = hash_of(place) < below(halvings)
    assert (hash_of(place) < below(halvings + 1)) == (
        inside and hash_of(place) < below(halvings) / 2
    )
    assert Sample(halvings + 1).rate == Sample(halvings).rate / 2 == below(halvings + 1) / 2**64
    # What the database drops is what nobody notes any more; at no halving nobody is dropped.
    assert (digest_of(place) >= digest_from(below(halvings))) == (not inside)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 30))
def test_histories_of_keys_are_whole_or_absent(
    steps: list[tuple[str, str, int]], rows_max: int
) -> None:
    clock = ManualClock()
    with Memory.open("sqlite://", clock=clock) as memory:
        store = memory.store
        store.accesses.rows_max = rows_max
        for key in KEYS:
            memory.put("ns", key, 0)
        wanted = defaultdict(list, {(key, "put"): [clock.now_ms()] for key in KEYS})
        for what, key, later_ms in steps:
            clock.advance(later_ms)
            if what == "flush":
                write_behind(store)
                clock.advance(ACCESS_STEP_MS)  # what is written is not looked at again
                continue
            _ = memory.put("ns", key, 1) if what == "put" else memory.get("ns", key)
            times = wanted[key, what]
            if not times or clock.now_ms() - times[-1] >= ACCESS_STEP_MS:
                times.append(clock.now_ms())
        memory.flush()
        with store.engine.snapshot() as reader:
            sample = Sample.now(reader)
        found = accesses_of(store)
        inside = {key: digest_of(("ns", key)) for key in KEYS}
        inside = {key: d for key, d in inside.items() if d < digest_from(below(sample.halvings))}
        rows = sorted(zip(found.digest, found.what, found.at_ms, strict=True))
        assert rows == sorted(
            (inside[key], int(what == "put"), at_ms)
            for (key, what), times in wanted.items()
            for at_ms in times
            if key in inside
        )
        assert len(found) <= rows_max
        assert sample.rows >= len(found)
        assert found.rate == sample.rate
