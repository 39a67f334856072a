"""Looks at the rows: every one comes to its turn, damage stays known, a full look goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.health.report import Check, HealthReport
from memtend.memory import Memory
from memtend.model.policy import Compression, Policy
from memtend.model.record import Labels
from memtend.services import Services
from memtend.settings import Settings
from memtend.store import conflicted, sampling
from memtend.store.snapshot import snapshot
from memtend.store.sql import sqlite_statements
from memtend.store.sql_health import PEEKED, STATEMENTS
from memtend.store.structure import INDEXES, expected, problems
from memtend.store.tables import metadata
from tests.fixtures.stores import beside, run_sql, set_policies

NS = "a/b"


@pytest.fixture
def services(damageable: Memory) -> Services:
    return Services(damageable, Settings())


@pytest.fixture
def sqlite(clock: ManualClock) -> Iterator[Services]:
    with Memory.open("sqlite://", clock=clock) as memory:
        yield Services(memory, Settings())


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few records take many looks."""
    monkeypatch.setattr(sampling, "HEALTH_SAMPLE_ROWS", 4)
    monkeypatch.setattr(sampling, "_STEPS", 2)


def fill(services: Services, count: int) -> None:
    labels = Labels(kind="fact", tags=("t",))
    services.memory.put_many([Put(NS, f"k{n:03d}", {"n": n}, labels) for n in range(count)])


def named(report: HealthReport, name: str) -> Check:
    return next(check for check in report.checks if check.name == name)


def test_what_should_be_there_is_what_the_models_say(services: Services) -> None:
    tables = {name: tuple(c.name for c in t.columns) for name, t in metadata.tables.items()}
    assert expected() == tables
    indexes = {str(index.name) for t in metadata.tables.values() for index in t.indexes}
    assert set(INDEXES) == indexes
    assert problems(services.store.engine) == ()


@pytest.mark.usefixtures("small_steps")
def test_every_row_comes_to_its_turn_and_the_way_begins_again(services: Services) -> None:
    fill(services, 10)
    looks = [sampling.look(services.store) for _ in range(6)]
    assert [(one.rows, one.ended) for one in looks] == [(4, False), (4, False), (2, True)] * 2
    assert looks[-1].passed.whole_rows == 10
    assert sampling.remembered(services.store) == looks[-1].passed


@pytest.mark.usefixtures("small_steps")
def test_damage_stays_known_until_it_is_gone(services: Services) -> None:
    fill(services, 10)
    run_sql(services.memory, "UPDATE sibling SET kind = 'x' WHERE key = 'k009'")
    levels = [str(named(services.health(), "integrity").level) for _ in range(5)]
    assert levels == ["ok", "ok", "critical", "critical", "critical"]
    services.memory.delete(NS, "k009")
    assert named(services.health(), "integrity").level == "ok"


@pytest.mark.usefixtures("small_steps")
def test_a_full_look_that_is_cut_off_goes_on(sqlite: Services) -> None:
    fill(sqlite, 20)
    sampling.look(sqlite.store)  # a sample under way is no part of it
    assert sampling.look(sqlite.store, in_full=True).passed.rows == 8
    report = sqlite.health(full=True)
    assert "looked at now: 12" in named(report, "integrity").fact
    assert sampling.remembered(sqlite.store).whole_rows == 20
    assert "looked at now: 20" in named(sqlite.health(full=True), "integrity").fact


@pytest.mark.usefixtures("small_steps")
def test_a_full_look_ends_where_nothing_can_be_written(tmp_path: Path, clock: ManualClock) -> None:
    """As on a full disk, or while a writer does not let go."""
    with Memory.open(f"sqlite:///{tmp_path}/s.db", clock=clock) as memory:
        services = Services(memory, Settings())
        fill(services, 30)
        memory.store.engine.hurry(1)
        url = memory.store.url
        with Memory.open(url, clock=clock) as other, other.store.engine.write():
            assert "looked at now: 30" in named(services.health(full=True), "integrity").fact
        assert sampling.remembered(memory.store) == sampling.Pass()


def test_a_note_of_the_way_that_cannot_be_read_is_begun_anew(sqlite: Services) -> None:
    fill(sqlite, 3)
    sampling.look(sqlite.store)
    for text in ("nonsense", "[]", '{"after": 3, "unknown": 1}', '{"after": "3"}'):
        run_sql(sqlite.memory, f"UPDATE setting SET value = '{text}' WHERE name = 'health'")
        assert sampling.remembered(sqlite.store) == sampling.Pass()


def test_where_a_look_was_is_no_part_of_a_backup(services: Services) -> None:
    """After a restore the rows are others, and a look begins anew."""
    fill(services, 5)
    with snapshot(services.store) as view:
        before = list(view.side())
    services.health()
    with snapshot(services.store) as view:
        assert list(view.side()) == before


def test_long_rows_make_a_short_look(sqlite: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "HEALTH_SAMPLE_BYTES", 1_000)
    fill(sqlite, 4)
    sqlite.memory.put(NS, "long", "".join(chr(97 + n * n % 26) for n in range(900)))
    rows = [sampling.look(sqlite.store).rows for _ in range(2)]
    assert rows == [4, 1]


def test_a_look_changes_nothing_that_is_backed_up(services: Services) -> None:
    """It is no event: an unchanged store stays unchanged, however often it is looked at."""
    fill(services, 5)
    before = services.store.meta()
    services.health()
    assert services.store.meta() == before


def test_a_crowd_among_many_is_found_at_its_newest_end(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above some size only the newest changes are looked at, and the report says so."""
    fill(services, 10)
    for n in range(3):
        beside(services.memory, NS, "crowd", n)
        services.memory.increment(NS, "counter", 1)
    facts = [named(services.health(), "conflicts").fact]
    monkeypatch.setattr(conflicted, "HEALTH_CROWD_ROWS", 5)
    facts.append(named(services.health(), "conflicts").fact)
    told = "1 keys have conflicting values, up to 3 of one"
    assert facts == [told, f"at least {told}"]


def test_what_could_be_saved_is_estimated_well(sqlite: Services) -> None:
    """Half of the records are long, and stored as text although they could be compressed."""
    plain = Compression(enabled=False)
    set_policies(sqlite.memory, Policy(pattern="**", compression=plain))
    long = [f"{n} " * 600 for n in range(1_000)]
    puts = [Put(NS, f"l{n}", text) for n, text in enumerate(long)]
    puts += [Put(NS, f"s{n}", {"text": f"{n % 250} says the same as others " * 3})
             for n in range(1_000)]  # fmt: skip
    sqlite.memory.put_many(puts)
    set_policies(sqlite.memory, Policy(pattern="**"))
    found = {one.name: one for one in sqlite.health().opportunities}
    before = sum(len(text) for text in long)
    assert 0.8 * before < (found["compress"].saves_bytes or 0) < 1.1 * before
    assert found["compress"].command == "memtend optimize --step compression --apply"


def test_what_is_promised_of_duplicates_is_what_pruning_does(
    sqlite: Services, clock: ManualClock
) -> None:
    set_policies(sqlite.memory, Policy(pattern="**", compression=Compression(enabled=False)))
    text = "said before " * 200
    sqlite.memory.put_many([Put(NS, f"k{n}", text) for n in range(200)])
    assert sqlite.health().opportunities == ()  # just written: it stays for now
    clock.advance(2 * 24 * 3_600_000)
    [told] = sqlite.health().opportunities
    plan = sqlite.plan_prune({"redundancy"})
    assert told.fact.startswith(f"at least {len(plan.decisions)} records")
    assert told.saves_bytes == sum(one.size_bytes for one in plan.decisions)


def test_the_default_place_of_a_target_is_not_asked(services: Services, tmp_path: Path) -> None:
    assert not [c for c in services.health().checks if c.name in ("backup", "chain", "target")]
    unasked = named(services.health(), "backups")
    assert (unasked.level, unasked.penalty) == ("ok", 0)
    assert "--target" in unasked.hint
    assert named(services.health(str(tmp_path / "b")), "backup").level == "critical"


LARGE = r"SCAN (s|o|t|a|l|sibling|tag|log|access)\b"
COUNTED = ("row_count", "log_count", "expired_count")
"""Counts: one is part of a look in full, the others end at a bound."""


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - set(COUNTED)))
def test_no_statement_of_a_look_reads_a_whole_table(sqlite: Services, name: str) -> None:
    text = sqlite_statements()[name].replace("?", "1")
    plan = "\n".join(row[3] for row in run_sql(sqlite.memory, f"EXPLAIN QUERY PLAN {text}"))
    bounded = name == "log_oldest"  # in the order of its index, until the first
    assert bounded or not re.search(LARGE, plan), plan


@pytest.mark.parametrize("name", [f"peek_{table}" for table in PEEKED])
def test_the_beginning_of_a_small_table_is_not_sorted_for(sqlite: Services, name: str) -> None:
    text = sqlite_statements()[name].replace("?", "1")
    plan = "\n".join(row[3] for row in run_sql(sqlite.memory, f"EXPLAIN QUERY PLAN {text}"))
    few = name in ("peek_lease_ticket", "peek_lease_grant", "peek_access_grant")
    assert few or "TEMP B-TREE" not in plan, plan
