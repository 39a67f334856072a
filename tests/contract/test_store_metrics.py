"""Latencies, figures and their history, on each engine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import StoreDamaged
from memtend.limits_upkeep import (
    LATENCY_KEEP_HOURS,
    METRIC_FULL_MS,
    METRIC_NAMES_KEPT,
)
from memtend.memory import Memory
from memtend.metrics.figure import value_of
from memtend.model.policy import Policy
from memtend.model.record import Labels
from memtend.model.subject import Subject
from memtend.services import Services
from memtend.settings import Settings
from memtend.store import figured
from memtend.store.behind import write_behind
from memtend.store.latencies import HOUR_MS
from tests.fixtures.archives import NS, archive_everything, fill
from tests.fixtures.stores import blob, run_sql, set_policies

DAY_MS = 24 * HOUR_MS


@pytest.fixture
def services(memory: Memory, tmp_path: Path) -> Services:
    return Services(
        memory, Settings(backup_url=str(tmp_path / "backups"), plans_url=str(tmp_path / "plans"))
    )


def counts(services: Services) -> dict[tuple[str, str], int]:
    services.memory.flush()
    return {(one.op, one.tier): one.operations for one in services.latencies()}


# latencies


def test_counts_of_processes_add_up_and_old_hours_go(
    services: Services, clock: ManualClock
) -> None:
    latencies = services.store.latencies
    for _ in range(2):
        latencies.note("get", 0, 1_000)
        write_behind(services.store)
    assert counts(services) == {("get", "hot"): 2}
    clock.advance(25 * HOUR_MS)
    assert services.latencies() == ()
    assert services.latencies(hours=26)[0].operations == 2
    clock.advance(LATENCY_KEEP_HOURS * HOUR_MS)
    latencies.note("get", 0, 1_000)
    write_behind(services.store)
    assert run_sql(services.memory, "SELECT sum(count) FROM latency") == [(1,)]


def test_an_archived_value_is_cold_and_its_block_is_cached(
    services: Services, clock: ManualClock, tmp_path: Path
) -> None:
    archiving = Services(services.memory, Settings(archive_url=str(tmp_path / "archive")))
    fill(archiving, 3)
    archive_everything(archiving)
    clock.advance(DAY_MS)
    for key in ("k000", "k001"):
        services.memory.read(NS, key)
    found = counts(services)
    assert found["thaw", "cold"] == found["read", "cold"] == 2
    assert value_of(services.figures(), "memtend_cache_hit_share", cache="archive") == 0.5


# figures


def test_figures_of_an_empty_store_are_noughts_and_not_unknown(services: Services) -> None:
    found = services.figures()
    assert value_of(found, "memtend_records") == 0
    assert value_of(found, "memtend_expired_waiting") == 0
    assert value_of(found, "memtend_backup_age_s") is None
    assert value_of(found, "memtend_compression_ratio") is None
    server = value_of(found, "memtend_cache_hit_share", cache="server")
    assert (server is not None) == (services.store.engine.kind == "postgresql")
    assert server is None or 0 < server <= 1


def test_figures_say_what_is_there(services: Services, clock: ManualClock) -> None:
    memory = services.memory
    for n in range(20):
        labels = Labels(kind="pattern" if n % 4 else "note", agent="ada")
        memory.put(f"ns/{n % 2}", f"k{n}", "text " * 400, labels=labels, ttl_ms=(n + 1) * HOUR_MS)
    clock.advance(5 * HOUR_MS)
    found = services.figures()
    assert value_of(found, "memtend_records") == 20
    assert value_of(found, "memtend_kind_records", kind="pattern") == 15
    assert value_of(found, "memtend_agent_records", agent="ada") == 20
    assert value_of(found, "memtend_namespace_records", namespace="ns/1") == 10
    assert value_of(found, "memtend_expired_waiting") == 5
    assert value_of(found, "memtend_expiring_day") == 15
    assert (value_of(found, "memtend_compression_ratio") or 0) > 5
    stats = memory.stats()
    assert value_of(found, "memtend_agent_bytes", agent="ada") == stats.bytes
    kinds = sum(one.value for one in found if one.name == "memtend_kind_bytes")
    assert kinds == stats.bytes


def test_a_backup_leaves_its_age_size_and_speed(services: Services, clock: ManualClock) -> None:
    services.memory.put("a", "k", "text " * 100)
    clock_before = clock.now_ms()
    report = services.take_backup()
    clock.advance(90_000)
    found = services.figures()
    assert value_of(found, "memtend_backup_age_s") == pytest.approx(90, abs=1)
    assert value_of(found, "memtend_backup_bytes") == report.stored_bytes
    assert clock_before <= clock.now_ms()
    elsewhere = services.figures("nowhere")
    assert value_of(elsewhere, "memtend_backup_age_s") is None


def test_a_sample_of_a_large_store_is_near_the_truth(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records written anew leave gaps in the change sequence, and the sample does not mind them."""
    from memtend.store import measured  # noqa: PLC0415

    memory = services.memory
    puts = Counter[str]()
    for n in range(600):
        kind = "note" if n < 300 else "pattern"
        memory.put("a", f"k{n if n < 300 else 300 + n % 150}", n, labels=Labels(kind=kind))
        puts[kind] += 1
    monkeypatch.setattr(measured, "METRIC_SAMPLE_ROWS", 225)
    monkeypatch.setattr(measured, "METRIC_SAMPLE_STRETCHES", 45)
    kinds = measured.sample(services.store).kinds
    assert kinds["note"][0] == pytest.approx(300, rel=0.1)
    assert kinds["pattern"][0] == pytest.approx(150, rel=0.2)


# history


def test_figures_are_kept_and_thinned(services: Services, clock: ManualClock) -> None:
    services.memory.put("a", "k", 1)
    began = clock.now_ms()
    for _ in range(24):
        assert services.record_figures() > 10
        clock.advance(HOUR_MS)
    assert len(services.figure_history("memtend_records")["memtend_records"]) == 24
    clock.advance(30 * DAY_MS)
    services.record_figures()
    history = services.figure_history("memtend_records")["memtend_records"]
    assert len(history) in (2, 3)  # one a day of the month before, and today's
    assert history[0][1] == 1.0
    assert services.figure_history("memtend_records", since_ms=clock.now_ms()) == {
        "memtend_records": history[-1:]
    }
    assert began < history[0][0]


def test_the_last_judgement_is_told_until_it_is_old(services: Services, clock: ManualClock) -> None:
    report = services.health()
    services.record_figures(report)
    found = services.figures()
    assert value_of(found, "memtend_health_score") == report.score
    levels = {one.label("level"): one.value for one in found if one.name == "memtend_health_checks"}
    assert sum(levels.values()) == len(report.checks)
    clock.advance(METRIC_FULL_MS + 1)
    assert value_of(services.figures(), "memtend_health_score") is None


def test_nothing_is_old_under_a_clock_alarm(services: Services, clock: ManualClock) -> None:
    for _ in range(3):
        services.record_figures()
        clock.advance(60_000)
    clock.advance(METRIC_FULL_MS + HOUR_MS)
    clock.jump(HOUR_MS)
    services.record_figures()
    assert len(services.figure_history("memtend_records")["memtend_records"]) == 4


def test_what_a_clock_that_was_ahead_has_left_is_not_of_today(
    services: Services, clock: ManualClock
) -> None:
    """A program that starts while the wall clock is wrong believes it."""
    report, latencies = services.health(), services.store.latencies
    for jumped_ms in (0, 9_000 * DAY_MS, -9_000 * DAY_MS + 60_000):
        clock.jump(jumped_ms)
        clock.accept()
        score = 7 if jumped_ms > 0 else report.score
        services.record_figures(report.model_copy(update={"score": score}))
        latencies.note("get", 0, 1_000)
        write_behind(services.store)
    assert value_of(services.figures(), "memtend_health_score") == report.score
    assert [one.operations for one in services.latencies() if one.op == "get"] == [1]
    latencies.note("get", 0, 1_000)
    write_behind(services.store)
    assert [one.operations for one in services.latencies(hours=10**6) if one.op == "get"] == [2]


def test_recording_twice_at_once_is_recording_once(services: Services) -> None:
    assert services.record_figures() == services.record_figures()
    assert [len(points) for points in services.figure_history("memtend_bytes").values()] == [1]


def test_of_names_only_the_largest_are_kept(services: Services) -> None:
    for n in range(METRIC_NAMES_KEPT + 5):
        services.memory.put(f"ns/{n:02}", "k", "x" * (10 * n))
    services.record_figures()
    kept = services.figure_history("memtend_namespace_bytes")
    assert len(kept) == METRIC_NAMES_KEPT
    assert 'memtend_namespace_bytes{namespace="ns/00"}' not in kept


def test_a_damaged_point_is_left_out_and_found(damageable: Memory) -> None:
    figured.record(damageable.store, 1_000, [("memtend_records", 5.0)])
    figured.record(damageable.store, 2_000, [("memtend_records", 6.0)])
    run_sql(damageable, "UPDATE metric SET value = 7 WHERE at_ms = 1000")
    assert figured.points(damageable.store, "memtend_records") == [(2_000, 6.0)]


def test_damage_is_told_and_no_figure_is_made_of_it(damageable: Memory) -> None:
    damageable.put("a", "k", 1)
    damageable.put("a", "l", 1)
    services = Services(damageable, Settings())
    run_sql(damageable, f"UPDATE sibling SET body = {blob(damageable, b'')} WHERE key = 'k'")
    assert value_of(services.figures(), "memtend_kind_records", kind="note") == 1
    damageable.store.latencies.note("put", 0, 1_000)
    damageable.flush()
    run_sql(damageable, "UPDATE latency SET bucket = -bucket")
    for ask in (services.figures, services.record_figures):
        with pytest.raises(StoreDamaged):
            ask()
    report = services.check_alerts(tellers=[])
    assert {"figures.unread", "health.reading"} <= {one.rule for one in report.standing}


def test_what_was_erased_leaves_the_history(services: Services, clock: ManualClock) -> None:
    set_policies(services.memory, Policy(pattern="**"))
    for agent in ("ada", "grace"):
        services.memory.put(f"of/{agent}", "k", 1, labels=Labels(agent=agent))
    services.record_figures()
    clock.advance(METRIC_FULL_MS)
    plan = services.plan_erase(Subject.of_agent("ada"))
    report = services.apply_erase(plan)
    assert report.evidence.tables == {}
    named = {name for name in services.figure_history() if "ada" in name or "grace" in name}
    assert named == {
        f'memtend_{what}_{unit}{{{what}="{name}"}}'
        for what, name in (("agent", "grace"), ("namespace", "of/grace"))
        for unit in ("records", "bytes")
    }
