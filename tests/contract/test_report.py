"""What the report is told by a real store, on every engine, and that a larger one costs no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock, to_ms
from memtend.drafting import Put
from memtend.model.record import Labels
from memtend.policies import load_policies
from memtend.report.expiring import STRETCHES
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store import sizes, sql_report
from memtend.store.sql import sqlite_statements
from tests.fixtures.markup import HOSTILE

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def settings(folder: Path) -> Settings:
    return Settings(backup_url=f"{folder}/backups", archive_url=f"{folder}/archive")


def fill(services: Services, count: int, ttl_ms: int = 0, name: str = "k") -> None:
    services.memory.put_many(
        Put(
            f"team/{n % 3}",
            f"{name}{n}",
            {"n": n},
            Labels(agent=f"agent-{n % 2}", kind="note" if n % 4 else HOSTILE[0]),
            ttl_ms=ttl_ms,
        )
        for n in range(count)
    )


def test_it_tells_what_there_is(store_url: str, clock: ManualClock, tmp_path: Path) -> None:
    with open_services(store_url, settings=settings(tmp_path), clock=clock) as services:
        fill(services, 40)
        fill(services, 8, ttl_ms=HOUR_MS, name="short")
        fill(services, 4, ttl_ms=HOUR_MS + 1, name="longer")
        fill(services, 3, ttl_ms=900 * DAY_MS, name="long")
        services.take_backup()
        services.drill()
        for _ in range(3):
            services.record_figures(services.health())
            clock.advance(DAY_MS / 24 / 10)
        facts, store_id = services.report_facts(), services.store.meta().store_id
    assert (facts.records, facts.store_id) == (55, store_id)
    assert (facts.kinds.looked_at, facts.kinds.of) == (55, 55)
    assert sum(one.records for one in facts.kinds.shares) == facts.records
    assert sum(one.bytes for one in facts.kinds.shares) == facts.bytes
    held = {one.name: one.bytes for one in facts.agents}
    for name, size in held.items():
        assert sum(one.bytes for one in facts.kinds.shares if one.agent == name) == size
    assert {one.kind for one in facts.kinds.shares} == {"note", HOSTILE[0]}
    due = {one.label: one.records for one in facts.expiry}
    assert len(due) == len(STRETCHES) + 2
    assert {label: n for label, n in due.items() if n} == {"1 h": 12, "later": 3}
    assert all(one.exact for one in facts.expiry)
    assert [one.records for one in facts.backups] == [55]
    [drill] = facts.drills
    assert drill.passed
    assert len(facts.growth) == len(facts.scores) == 3
    assert {one.value for one in facts.growth} == {facts.bytes}
    assert facts.scores[-1].value == facts.score
    assert facts.moves == ()
    assert facts.unread == ()


def test_a_deadline_is_in_one_stretch_only(clock: ManualClock) -> None:
    with open_services("sqlite://", clock=clock) as services:
        for n, ttl in enumerate((1, HOUR_MS, HOUR_MS + 1, DAY_MS, DAY_MS + 1)):
            services.memory.put("n", f"k{n}", n, ttl_ms=ttl)
        due = {one.label: one.records for one in services.report_facts().expiry}
        assert (due["over"], due["1 h"], due["1 d"], due["3 d"]) == (0, 2, 2, 1)
        clock.advance(1)
        due = {one.label: one.records for one in services.report_facts().expiry}
        assert (due["over"], due["1 h"], due["1 d"], due["3 d"]) == (1, 2, 2, 0)


def test_a_large_store_is_sampled(
    store_url: str, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a store a hundred times the sample: bounded reads, honest estimates."""
    monkeypatch.setattr(sizes, "REPORT_SAMPLE_ROWS", 100)
    monkeypatch.setattr(sizes, "REPORT_SAMPLE_WINDOWS", 10)
    monkeypatch.setattr(sizes, "REPORT_DUE_COUNTED_MAX", 50)
    with open_services(store_url, settings=settings(tmp_path), clock=clock) as services:
        fill(services, 600, ttl_ms=20 * DAY_MS)
        fill(services, 300, name="kept")
        fill(services, 20, ttl_ms=HOUR_MS, name="soon")
        seen = sizes.sample(services.store)
        facts = services.report_facts()
    assert seen.of == 920
    assert 80 <= len(seen.rows) <= 130
    due = {one.label: one for one in facts.expiry}
    assert (due["1 h"].records, due["1 h"].exact) == (20, True)
    assert not due["1 mo"].exact
    assert due["1 mo"].records == pytest.approx(600, rel=0.15)
    assert sum(one.records for one in facts.kinds.shares) == pytest.approx(920, abs=10)
    kinds: dict[str, int] = {}
    for one in facts.kinds.shares:
        kinds[one.kind] = kinds.get(one.kind, 0) + one.records
    assert kinds["note"] == pytest.approx(3 * kinds[HOSTILE[0]], rel=0.2)


@pytest.mark.parametrize("name", sql_report.STATEMENTS)
def test_no_statement_looks_at_everything(name: str, clock: ManualClock) -> None:
    """By SQLite's own plan: an index answers each, and what it finds is bounded."""
    with open_services("sqlite://", clock=clock) as services:
        text = sqlite_statements()[name]
        filled = text.replace("?", "5")
        plan = services.store.engine.script(f"EXPLAIN QUERY PLAN {filled}")
    steps = [str(row[-1]) for row in plan]
    assert any(step.startswith("SEARCH sibling") for step in steps), steps
    assert not [step for step in steps if step.startswith("SCAN sibling")], steps


def test_what_was_pruned_is_not_told_as_archived(clock: ManualClock, tmp_path: Path) -> None:
    with open_services(f"{tmp_path}/m.db", settings=settings(tmp_path), clock=clock) as services:
        long = "the same words over and over, in every record of this namespace " * 3
        for n in range(6):
            services.memory.put("notes", f"k{n}", {"text": long})
        clock.advance(DAY_MS)
        plan = services.plan_prune(["redundancy"])
        services.apply_prune(plan, approved=True)
        services.memory.get("notes", plan.to_delete()[0].key)
        facts = services.report_facts()
        assert [one.records for one in facts.prunes] == [5]
        assert facts.moves == ()
        [regret] = facts.regrets
        assert (regret.namespace, regret.pruned, regret.missed) == ("notes", 5, 1)


def test_an_archive_out_of_reach_spoils_nothing(clock: ManualClock, tmp_path: Path) -> None:
    with open_services(f"{tmp_path}/m.db", settings=settings(tmp_path), clock=clock) as services:
        text = " ".join(map(str, range(2_000)))
        services.memory.put("log", "k", text, labels=Labels(importance=0.1), ttl_ms=0)
        clock.advance(100 * DAY_MS)
        assert services.apply_archive(services.plan_archive()).written == 1
        assert [one.records for one in services.report_facts().moves] == [1]
        (tmp_path / "archive").rename(tmp_path / "elsewhere")
        written = services.write_report(f"{tmp_path}/r.html")
        assert "What could not be read" in Path(written.path).read_text()
        [unread] = services.report_facts().unread
        assert unread.part == "archive"


def test_a_report_is_there_whole_or_not_at_all(clock: ManualClock, tmp_path: Path) -> None:
    place = tmp_path / "below" / "report.html"
    with open_services(f"{tmp_path}/m.db", settings=settings(tmp_path), clock=clock) as services:
        before = services.store.meta()
        first = services.write_report(str(place))
        assert place.stat().st_mode & 0o777 == 0o600, "it names agents and namespaces"
        assert first.bytes == place.stat().st_size
        services.memory.put("n", "k", 1)
        assert services.write_report(str(place)).records == 1
        assert [one.name for one in place.parent.iterdir()] == ["report.html"]
        assert services.store.meta().seq == before.seq + 1, "the store is only read"


def test_an_alert_stands_since_it_last_opened(clock: ManualClock, tmp_path: Path) -> None:
    """As `memtend alerts` says; one that flaps was first found before."""
    (tmp_path / "policies.yaml").write_text("alerts:\n  agent_bytes: {warning: 1KiB}\n")
    with open_services("sqlite://", clock=clock) as services:
        services.memory.config.set_policies(load_policies(tmp_path / "policies.yaml"), "owner")
        for _ in range(4):
            services.memory.put("n", "k", list(range(2_000)), labels=Labels(agent="ada"))
            services.check_alerts()
            [alert] = services.alerts()
            services.memory.delete("n", "k")
            services.check_alerts()
            clock.advance(HOUR_MS)
        assert alert.opened_at > alert.first_at
        [told] = services.report_facts().alarms
        assert told.since_ms == to_ms(alert.opened_at)
