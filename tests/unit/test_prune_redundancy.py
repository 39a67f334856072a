"""Records that say the same: which goes, into which, and when it waits."""

from __future__ import annotations

import pytest

from memtend.model.candidate import Alike, Candidate
from memtend.model.prunepolicy import PrunePolicy
from memtend.prune.plan import PrunePlan
from tests.fixtures.candidates import NOW_MS, PLAIN, ago, plan, rules


def record(seq: int, **more: object) -> Candidate:
    return PLAIN._replace(seq=seq, key=f"k{seq}")._replace(**more)  # type: ignore[arg-type]


def like(seq: int, keeper: int, similarity: float = 1) -> Alike:
    return Alike(seq, keeper, f"a/b/k{keeper}", similarity)


def planned(records: list[Candidate], *alike: Alike, near_from: float | None = None) -> PrunePlan:
    return plan(records, PrunePolicy(near_duplicates_from=near_from), alike=alike)


def test_extras_go_into_the_one_that_stays() -> None:
    made = planned([record(1), record(2), record(3)], like(2, 1), like(3, 1))
    assert [(one.seq, one.merge_into, one.rule) for one in made.decisions] == [
        (2, 1, "redundancy.exact"),
        (3, 1, "redundancy.exact"),
    ]
    assert made.decisions[0].reason == "says the same as a/b/k1"


@pytest.mark.parametrize(
    ("similarity", "near_from", "rule"),
    [
        (1, None, "redundancy.exact"),
        (0.999, None, None),
        (0.98, 0.98, "redundancy.near"),
        (0.979, 0.98, None),
    ],
)
def test_near_ones_go_only_where_the_policy_says_so(
    similarity: float, near_from: float | None, rule: str | None
) -> None:
    made = planned([record(1), record(2)], like(2, 1, similarity), near_from=near_from)
    assert rules(made.decisions) == ({2: rule} if rule else {})
    assert bool(made.notes) == (rule is None)


def test_exact_ones_stay_where_the_policy_says_so() -> None:
    policy = PrunePolicy(exact_duplicates=False)
    assert plan([record(1), record(2)], policy, alike=[like(2, 1)]).decisions == ()


def test_nothing_else_is_decided_on_the_one_that_stays() -> None:
    failed = {"success_count": 0, "failure_count": 9}
    made = planned([record(1, **failed), record(2, **failed), record(3, **failed)], like(2, 1))
    assert rules(made.decisions) == {2: "redundancy.exact", 3: "performance.low-success"}
    assert made.shielded == {"takes-over-duplicates": 1}


def test_space_leaves_the_one_that_stays() -> None:
    made = plan([record(1), record(2), record(3)], PrunePolicy(store_bytes=1), alike=[like(2, 1)])
    assert rules(made.decisions) == {2: "redundancy.exact", 3: "space.lowest-value"}


def test_a_chain_is_followed_one_step_a_plan() -> None:
    """What takes over a duplicate stays for now, whatever it is a duplicate of itself."""
    records = [record(1), record(2), record(3)]
    made = planned(records, like(3, 2, 0.99), like(2, 1, 0.99), near_from=0.9)
    assert [(one.seq, one.merge_into) for one in made.decisions] == [(3, 2)]
    circle = planned(records[:2], like(1, 2), like(2, 1))
    assert circle.decisions == ()


@pytest.mark.parametrize(
    "keeper",
    [
        (),
        (record(1, held="quarantined"),),
        (record(1, expires_ms=NOW_MS),),
        (record(1, expires_ms=ago(-1)),),
    ],
)
def test_nothing_goes_into_what_is_not_there_or_ends_sooner(keeper: tuple[Candidate, ...]) -> None:
    made = planned([*keeper, record(2)], like(2, 1))
    assert made.decisions == ()
    assert made.notes == ("duplicates of what is gone or ends sooner, so they stay: 1",)


def test_what_ends_no_later_goes() -> None:
    both = [record(1, expires_ms=ago(-9)), record(2, expires_ms=ago(-9))]
    assert rules(planned(both, like(2, 1)).decisions) == {2: "redundancy.exact"}


def test_a_shielded_extra_stays() -> None:
    made = planned([record(1), record(2, pinned=True)], like(2, 1))
    assert made.decisions == ()
    assert made.shielded == {"pinned": 1}


def test_without_the_strategy_nobody_asks_what_is_alike() -> None:
    assert plan([record(1), record(2)], strategies=["time"], alike=[like(2, 1)]).decisions == ()
