"""A drill proves that the newest backup restores, and says so in health; damage fails it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.health.report import Check, Level
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.fixtures.stores import beside

HOUR_MS = 3_600_000


@pytest.fixture
def services(store_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Services]:
    settings = Settings(backup_url=f"{tmp_path}/backups")
    with open_services(store_url, settings=settings, clock=clock) as opened:
        memory = opened.memory
        for n in range(30):
            memory.put("a/b", f"k{n}", {"n": n}, labels=Labels(tags=("t",)))
        memory.put("a/b", "large", ["text " * 900])
        memory.put("a/b", "short", 1, ttl_ms=1_000)
        beside(memory, "a/b", "k3", "beside")
        memory.increment("counts", "seen", 3)
        memory.add("sets", "s", "red")
        opened.take_backup()
        memory.put("a/b", "k1", "later")
        memory.delete("a/b", "k2")
        opened.take_backup()
        yield opened


def check(services: Services) -> Check:
    report = services.health(services.settings.backup_url)
    return next(check for check in report.checks if check.name == "drill")


def test_a_good_drill(services: Services, clock: ManualClock, tmp_path: Path) -> None:
    """Everything is tried, nothing is left behind, and the evidence is kept."""
    clock.advance(HOUR_MS)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    files = {p: p.read_bytes() for p in (tmp_path / "backups").rglob("*") if p.is_file()}
    report = services.drill(scratch=str(scratch))
    assert report.ok, report.checks
    assert [c.name for c in report.checks] == ["restore", "schema", "verify", "reads", "corruption"]
    assert report.reads == 29  # all but siblings, counter, set element and what has expired
    assert report.rpo_seconds == HOUR_MS / 1_000
    assert list(scratch.iterdir()) == []
    assert {p: p.read_bytes() for p in files} == files
    evidence = services.drill_evidence()
    assert evidence is not None
    assert evidence.last == report
    assert services.verify_store().ok


def test_health_looks_for_good_drills(services: Services, clock: ManualClock) -> None:
    assert check(services).level is Level.OK
    clock.advance(25 * HOUR_MS)
    assert check(services).level is Level.WARNING
    services.drill()
    assert check(services).level is Level.OK
    clock.advance(25 * HOUR_MS)
    assert check(services).level is Level.WARNING


def test_damage_fails_the_drill(services: Services, tmp_path: Path) -> None:
    """The report says what is wrong; the last good drill stays known."""
    good = services.drill()
    plan = services.plan_restore()
    objects = sorted(
        (tmp_path / "backups" / "objects").rglob("*/*"), key=lambda p: p.stat().st_size
    )
    victim = objects[-1]
    data = victim.read_bytes()
    victim.chmod(0o600)
    victim.write_bytes(data[:-1] + bytes([data[-1] ^ 4]))
    report = services.drill()
    assert not report.ok
    assert [c.ok for c in report.checks if c.name == "restore"] == [False]
    assert check(services).level is Level.CRITICAL
    evidence = services.drill_evidence()
    assert evidence is not None
    assert (evidence.last, evidence.good_at) == (report, good.started_at)
    assert plan.manifest == report.manifest


def test_evidence_survives_a_restore(services: Services) -> None:
    """It is about the backups, and not part of any state."""
    report = services.drill()
    services.apply_restore(services.plan_restore())
    evidence = services.drill_evidence()
    assert evidence is not None
    assert evidence.last == report
