"""The checks of the store itself, of what is done with it, and of others, each at its edge; what
could be saved; the score."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.health.checks import CHECKS, check_health
from memtend.health.facts import Crowded, OpFacts, RegretFacts, RowsFacts, SavingFacts
from memtend.health.report import Check, Level, Opportunity
from memtend.health.score import score_of, weighed
from memtend.limits import BALLAST_FILES, DRILL_AGE_MAX_MS, MIB, PEER_AHEAD_MS_MAX
from memtend.limits_upkeep import (
    FREE_BYTES_MIN,
    LEASE_QUEUE_WARN,
    LOG_WARN_MS,
    LOG_WARN_ROWS,
    QUERIES_MIN,
    QUERY_P95_WARN_MS,
    REGRET_PRUNED_MIN,
    SAVING_BYTES_MIN,
    WAL_WARN_BYTES,
)
from tests.unit.test_health import WELL

OK, WARNING, CRITICAL = Level.OK, Level.WARNING, Level.CRITICAL


def slow(**more: Any) -> tuple[OpFacts, ...]:
    given = {"op": "search", "tier": "hot", "count": QUERIES_MIN, "p50_ms": 1.0,
             "p95_ms": QUERY_P95_WARN_MS + 0.1}  # fmt: skip
    return (OpFacts.model_validate(given | more),)


def rows(**more: Any) -> RowsFacts:
    return RowsFacts.model_validate({"looked": 5, "damaged": 0} | more)


def quota(used: int) -> tuple[Crowded, ...]:
    return (Crowded(what="agent ada", used=used, limit=100),)


def missed(pruned: int, count: int) -> tuple[RegretFacts, ...]:
    return (RegretFacts(rule="time.unused", pruned=pruned, missed=count),)


@pytest.mark.parametrize(
    ("changed", "name", "level"),
    [
        ({"unread": ("leases (gone)",)}, "reading", CRITICAL),
        ({"structure": ()}, "structure", OK),
        ({"structure": ("table tag is missing",)}, "structure", CRITICAL),
        ({"structure": None}, "structure", None),
        ({"lost_file_bytes": 1}, "file", CRITICAL),
        ({"lost_file_bytes": 0}, "file", None),
        ({"backup_asked": False}, "backup", None),
        ({"backup_asked": False, "backup_known": False}, "backups", OK),
        ({"rows": rows()}, "integrity", OK),
        ({"rows": rows(damaged=1)}, "integrity", CRITICAL),
        ({"rows": rows(), "tables": ("lease: row",)}, "integrity", CRITICAL),
        ({"rows": rows(), "engine_found": ("page 3",)}, "integrity", CRITICAL),
        ({"rows": rows(), "engine_found": ()}, "integrity", OK),
        ({"rows": rows(missing_dictionaries=(3,))}, "dictionaries", CRITICAL),
        ({"audit": "the chain is broken"}, "audit", CRITICAL),
        ({"audit": ""}, "audit", OK),
        ({"audit": None}, "audit", None),
        ({"backlog": None}, "expiry", None),
        ({"conflicts": None}, "conflicts", None),
        ({"key_is_open": True}, "audit", WARNING),
        ({"ahead_ms": PEER_AHEAD_MS_MAX}, "clock", OK),
        ({"ahead_ms": PEER_AHEAD_MS_MAX + 1}, "clock", CRITICAL),
        ({"pressure": quota(99)}, "quota", WARNING),
        ({"pressure": quota(100)}, "quota", CRITICAL),
        ({"bounds": quota(79)}, "limits", OK),
        ({"bounds": quota(80)}, "limits", WARNING),
        ({"bounds": quota(100)}, "limits", CRITICAL),
        ({"slow": slow()}, "performance", WARNING),
        ({"slow": slow(p95_ms=QUERY_P95_WARN_MS)}, "performance", OK),
        ({"slow": slow(count=QUERIES_MIN - 1)}, "performance", None),
        ({"slow": slow(tier="cold")}, "performance", None),
        ({"slow": slow(op="put_many")}, "performance", None),
        ({"statistics": "they mislead"}, "statistics", WARNING),
        ({"statistics": ""}, "statistics", OK),
        ({"statistics": None}, "statistics", None),
        ({"wal_bytes": WAL_WARN_BYTES - 1}, "wal", None),
        ({"wal_bytes": WAL_WARN_BYTES}, "wal", WARNING),
        ({"ballast": (BALLAST_FILES, BALLAST_FILES)}, "ballast", None),
        ({"ballast": (BALLAST_FILES - 1, BALLAST_FILES)}, "ballast", WARNING),
        ({"log_age_ms": LOG_WARN_MS}, "changelog", None),
        ({"log_age_ms": LOG_WARN_MS + 1}, "changelog", WARNING),
        ({"log_rows": LOG_WARN_ROWS - 1}, "changelog", None),
        ({"log_rows": LOG_WARN_ROWS}, "changelog", WARNING),
        ({"waiters": LEASE_QUEUE_WARN - 1, "waited_for": "x"}, "leases", None),
        ({"waiters": LEASE_QUEUE_WARN, "waited_for": "x"}, "leases", WARNING),
        ({"waiters": 800, "waited_for": "x"}, "leases", CRITICAL),
        ({"policy_troubles": ("nothing guards",)}, "policies", WARNING),
        ({"regret": missed(100, 4)}, "regret", OK),
        ({"regret": missed(100, 5)}, "regret", WARNING),
        ({"regret": missed(REGRET_PRUNED_MIN - 1, 19)}, "regret", None),
        ({"alerts": {"error": 2}}, "alerts", OK),
        ({"target_trouble": "gone"}, "target", CRITICAL),
        ({"chain_length": 3}, "chain", OK),
        ({"chain_trouble": "a part is missing"}, "chain", CRITICAL),
        ({"archived": 5}, "archive", OK),
        ({"archived": 5, "archive_trouble": "it is gone"}, "archive", CRITICAL),
        ({"archived": 0}, "archive", None),
        ({"models": 2}, "models", OK),
        ({"models": 2, "model_trouble": "serve.npz is not there"}, "models", WARNING),
        ({"models": 0}, "models", None),
        ({"drill_passed": False}, "drill", CRITICAL),
        ({"drill_age_ms": DRILL_AGE_MAX_MS}, "drill", OK),
        ({"drill_age_ms": DRILL_AGE_MAX_MS + 1}, "drill", WARNING),
        ({"backed_up_ms": DRILL_AGE_MAX_MS}, "drill", OK),
        ({"backed_up_ms": DRILL_AGE_MAX_MS + 1}, "drill", WARNING),
    ],
)
def test_each_check_at_its_edge(changed: dict[str, Any], name: str, level: Level | None) -> None:
    report = check_health(WELL.model_copy(update=changed))
    told = [check for check in report.checks if check.name == name]
    assert [check.level for check in told] == ([] if level is None else [level])
    assert report.level is (level or OK)
    for check in told:
        assert bool(check.penalty) is (level is not OK)
        assert check.hint or level is OK


def test_every_check_is_of_one_name() -> None:
    """So that an alert, a chart and a hint speak of the same thing."""
    names = [judge.__name__ for judge in CHECKS]
    assert len(set(names)) == len(names) >= 25


checks = st.lists(
    st.builds(
        Check, name=st.sampled_from([judge.__name__ for judge in CHECKS]),
        level=st.sampled_from(Level), fact=st.just("f"),
    )
)  # fmt: skip


@given(checks, checks)
def test_a_score_only_falls_with_more_complaints(some: list[Check], more: list[Check]) -> None:
    """And is 100 exactly where nothing is wrong."""
    fewer, all_ = map(weighed, some), [weighed(one) for one in (*some, *more)]
    assert 0 <= score_of(all_) <= score_of(fewer) <= 100
    assert (score_of(all_) == 100) is all(one.level is OK for one in all_)


@given(st.sampled_from([judge.__name__ for judge in CHECKS]))
def test_what_is_critical_weighs_more_than_a_warning(name: str) -> None:
    light, heavy = (weighed(Check(name=name, level=one, fact="f")) for one in (WARNING, CRITICAL))
    assert 0 < light.penalty < heavy.penalty


def test_nothing_gets_better_by_getting_worse() -> None:
    """What cannot be looked at any more costs what was found before, or more."""
    backed_up = {"backup_asked": True, "backup_age_ms": 1, "drill_passed": False}
    scores = [
        check_health(WELL.model_copy(update=backed_up | more)).score
        for more in ({"chain_trouble": "x"}, {"target_trouble": "x"}, {"backup_age_ms": None})
    ]
    assert scores == sorted(scores, reverse=True)
    damaged = RowsFacts(looked=1, damaged=1, found=("x",))
    hidden = WELL.model_copy(update={"rows": None, "unread": ("rows (x)",)})
    assert (
        check_health(hidden).score < check_health(WELL.model_copy(update={"rows": damaged})).score
    )


def saved(**more: Any) -> tuple[Opportunity, ...]:
    facts = {"file_bytes": 10 * MIB, **more}
    return check_health(WELL.model_copy(update=facts)).opportunities


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("sweep_bytes", "sweep"), ("archive_bytes", "archive"), ("prune_bytes", "prune"),
        ("duplicate_bytes", "duplicates"), ("compress_bytes", "compress"),
    ],
)  # fmt: skip
def test_only_what_is_worth_a_word_is_told(field: str, name: str) -> None:
    assert saved(savings=SavingFacts(**{field: SAVING_BYTES_MIN - 1})) == ()
    [told] = saved(savings=SavingFacts(**{field: SAVING_BYTES_MIN}))
    assert (told.name, told.saves_bytes) == (name, SAVING_BYTES_MIN)
    assert saved(savings=SavingFacts(**{field: SAVING_BYTES_MIN}), file_bytes=100 * MIB) == ()


def test_free_pages_that_do_not_go_by_themselves_take_a_rewrite() -> None:
    for free_bytes, gives_back, step in (
        (FREE_BYTES_MIN, True, "space"), (MIB, False, "rewrite"), (3 * MIB, True, "rewrite"),
    ):  # fmt: skip
        [told] = saved(savings=SavingFacts(free_bytes=free_bytes, gives_back=gives_back))
        assert told.command == f"memtend optimize --step {step} --apply"
        assert (told.name, told.saves_bytes) == ("vacuum", free_bytes)
    assert saved(savings=SavingFacts(free_bytes=MIB)) == ()  # neither step would do it


def test_the_largest_saving_comes_first_and_none_costs_points() -> None:
    savings = SavingFacts(
        sweep_bytes=MIB, archive_bytes=3 * MIB, free_bytes=2 * MIB, gives_back=False
    )
    assert [one.name for one in saved(savings=savings)] == ["archive", "vacuum", "sweep"]
    assert check_health(WELL.model_copy(update={"savings": savings})).score == 100


def test_waiting_for_the_archive_is_a_saving_in_time() -> None:
    usual = slow(op="get", count=1_000, p50_ms=0.5, p95_ms=1.0)
    cold = slow(op="get", tier="cold", count=100, p50_ms=20.5, p95_ms=30.0)
    [told] = saved(slow=usual + cold)
    assert (told.name, told.saves_ms, told.saves_bytes) == ("recall", 2_000.0, None)
    assert saved(slow=cold) == ()
