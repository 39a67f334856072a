"""Laws of pruning, over records and policies of every kind."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.limits import ARCHIVE_VALUE_BYTES_MIN
from memtend.model.candidate import Alike, Candidate
from memtend.model.plan import Action
from memtend.model.prunepolicy import BUILT_IN, DAY_MS, PrunePolicy
from memtend.prune.plan import PrunePlan
from memtend.prune.value import weighted
from memtend.upcast.facts import Facts, Outcome
from tests.fixtures.candidates import NOW_MS, plan

KINDS = ("pattern", "solution", "decision", "note")
SHARES = st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.79, 0.8, 0.85, 0.9, 1.0])
MAYBE = st.none() | SHARES
COUNTS = st.none() | st.integers(0, 12)
TIMES = st.integers(0, 400).map(lambda days: NOW_MS - days * DAY_MS)
OUTCOMES = st.builds(Outcome, st.none() | st.booleans(), st.just({}), st.just(()))
FACTS = st.builds(
    Facts, st.just("1.0.0"), st.booleans(), st.none() | TIMES, st.none() | TIMES, MAYBE, MAYBE,
    COUNTS, st.none() | st.floats(-1e9, 1e9), st.none() | st.booleans(), st.none() | OUTCOMES,
)  # fmt: skip
ONES = st.builds(
    Candidate, seq=st.just(0), namespace=st.sampled_from(["a", "b/c", "messages/x"]),
    key=st.just("k"), kind=st.sampled_from(KINDS), agent=st.sampled_from([None, "a", "b"]),
    importance=SHARES, confidence=MAYBE, success_count=COUNTS, failure_count=COUNTS,
    pinned=st.booleans(), created_ms=TIMES, written_ms=TIMES, read_ms=st.none() | TIMES,
    expires_ms=st.none() | st.integers(-2, 90).map(lambda days: NOW_MS + days * DAY_MS),
    accesses=st.integers(0, 200), size_bytes=st.integers(1, 5_000), archived=st.booleans(),
    facts=st.none() | FACTS, held=st.sampled_from([None, None, None, "sibling"]),
)  # fmt: skip


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Candidate], PrunePolicy, list[Alike]]:
    """Records numbered from 1, a policy under which much goes, and stars of what is alike."""
    ones = draw(st.lists(ONES, max_size=25))
    records = [one._replace(seq=n, key=f"k{n}") for n, one in enumerate(ones, start=1)]
    profile = draw(st.sampled_from(sorted(BUILT_IN)))
    limits = {
        "agent_bytes": draw(st.integers(1, 30_000)),
        "store_bytes": draw(st.integers(1, 60_000)),
    }
    policy = PrunePolicy().named(profile).model_copy(update=limits)
    keeper = draw(st.integers(1, 25))
    extras = draw(st.sets(st.integers(1, 25), max_size=5)) - {keeper}
    return records, policy, [Alike(seq, keeper, "a/k", draw(SHARES)) for seq in sorted(extras)]


def applied(records: list[Candidate], made: PrunePlan) -> list[Candidate]:
    """What is left of the records once the plan is carried out."""
    gone = {one.seq: one.action for one in made.decisions}
    left = [one for one in records if gone.get(one.seq) is not Action.DELETE]
    return [
        one._replace(archived=True, size_bytes=min(one.size_bytes, ARCHIVE_VALUE_BYTES_MIN))
        if one.seq in gone
        else one
        for one in left
    ]


@given(scenes())
def test_nothing_shielded_is_ever_named(
    scene: tuple[list[Candidate], PrunePolicy, list[Alike]],
) -> None:
    records, policy, alike = scene
    by_seq = {one.seq: one for one in records}
    for decision in plan(records, policy, alike=alike).decisions:
        one = by_seq[decision.seq]
        assert not one.pinned
        assert one.held is None
        assert one.importance < policy.importance_from
        assert NOW_MS - one.written_ms >= policy.settle_ms
        assert not one.namespace.startswith("messages")
        read = one.read_ms is not None and NOW_MS - one.read_ms < policy.reinforced_ms
        assert not (read and one.accesses >= policy.reinforced_reads)
        assert one.expires_ms is None or one.expires_ms > NOW_MS
        value = weighted(policy)(one)
        assert decision.strategy != "space" or value is None or value <= policy.preserve_above


@given(scenes())
def test_nothing_is_planned_for_what_an_applied_plan_leaves(
    scene: tuple[list[Candidate], PrunePolicy, list[Alike]],
) -> None:
    records, policy, alike = scene
    made = plan(records, policy, alike=alike)
    left = applied(records, made)
    there = {one.seq for one in left}
    again = plan(left, policy, alike=[one for one in alike if one.seq in there])
    # A keeper was left alone because of its duplicates; once they are gone it is like any other.
    later = {one.keeper for one in alike}
    # What was only archived goes too where space is still wanting.
    later |= {one.seq for one in made.decisions if one.action is Action.ARCHIVE}
    assert {one.seq for one in again.decisions} <= later


@given(scenes(), st.sampled_from(["a", "b"]))
def test_space_is_monotone_in_value(
    scene: tuple[list[Candidate], PrunePolicy, list[Alike]], agent: str
) -> None:
    """If a record goes for an agent's space, so does each lesser one of it that may go."""
    records, policy, _ = scene
    own = [one._replace(agent=agent) for one in records]
    alone = policy.model_copy(update={"strategies": ("space",), "store_bytes": None})
    value_of = weighted(alone)
    gone = {one.seq for one in plan(own, alone).decisions}
    everything = alone.model_copy(update={"agent_bytes": 1, "low_water": 0.001})
    allowed = {one.seq for one in plan(own, everything, held_bytes=10**9).decisions}
    known = {one.seq: value for one in own if (value := value_of(one)) is not None}
    worst_gone = max((known[seq] for seq in gone & known.keys()), default=-1.0)
    assert [s for s in allowed & known.keys() - gone if known[s] < worst_gone] == []


@given(scenes(), st.randoms(use_true_random=False))
def test_the_order_in_which_records_come_does_not_matter(
    scene: tuple[list[Candidate], PrunePolicy, list[Alike]], random: object
) -> None:
    records, policy, alike = scene
    shuffled = list(records)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (plan(rows, policy, alike=alike) for rows in (records, shuffled))
    assert sorted(one.decisions, key=lambda d: d.seq) == sorted(
        other.decisions, key=lambda d: d.seq
    )
    assert (one.shielded, one.target_bytes) == (other.shielded, other.target_bytes)


@given(ONES, st.integers(1, 50))
def test_being_read_more_never_lowers_a_value(record: Candidate, reads: int) -> None:
    value_of = weighted(PrunePolicy())
    less, more = value_of(record), value_of(record._replace(accesses=record.accesses + reads))
    assert (less is None) == (more is None)
    assert less is None or more is None or less <= more
    assert less is None or 0 <= less <= 1


@given(scenes())
@settings(max_examples=20)
def test_off_takes_nothing(scene: tuple[list[Candidate], PrunePolicy, list[Alike]]) -> None:
    records, _, alike = scene
    assert plan(records, PrunePolicy().named("off"), alike=alike).decisions == ()
