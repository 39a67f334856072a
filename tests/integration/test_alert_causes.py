"""What opens alerts besides a check, and what makes them go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import ClockAlarmed, DeletesTooMuch
from memtend.limits import SWEEP_MARGIN_MS
from memtend.model.alert import AlertLevel
from memtend.model.record import Labels
from memtend.model.subject import Subject
from memtend.services import Services, open_services
from memtend.settings import Settings

NAME = "ada-9f31c7"


@pytest.fixture
def services(tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    settings = Settings(backup_url=f"{tmp_path}/backups", plans_url=f"{tmp_path}/plans")
    with open_services(f"{tmp_path}/store.db", settings=settings, clock=clock) as opened:
        yield opened
        assert opened.verify_store().ok


def standing(services: Services) -> list[tuple[str, str]]:
    return [(one.rule, one.level.value) for one in services.alerts()]


def test_a_refused_sweep_is_an_alert_until_one_is_carried_out(
    services: Services, clock: ManualClock
) -> None:
    services.memory.put_many(Put("n", f"k{n}", n, ttl_ms=1_000) for n in range(1_001))
    clock.advance(1_000 + SWEEP_MARGIN_MS)
    with pytest.raises(DeletesTooMuch):
        services.apply_sweep(services.plan_sweep())
    [alert] = services.alerts()
    assert (alert.rule, alert.level) == ("sweep.refused", AlertLevel.ERROR)
    assert "would delete" in alert.fact
    assert alert.hint
    with pytest.raises(DeletesTooMuch):
        services.apply_sweep(services.plan_sweep())
    assert services.alerts()[0].seen == 2
    services.memory.put_many(Put("n", f"l{n}", n) for n in range(4_000))
    services.apply_sweep(services.plan_sweep())
    assert standing(services) == []


def test_a_clock_that_is_off_is_one_at_the_sweep_too(
    services: Services, clock: ManualClock
) -> None:
    services.memory.put("n", "k", 1)
    clock.jump(-10_000_000)
    with pytest.raises(ClockAlarmed):
        services.apply_sweep(services.plan_sweep())
    assert standing(services) == [("sweep.refused", "error")]


@pytest.mark.parametrize(
    ("subject", "left"),
    [
        (Subject.of_agent(NAME), {"other"}),
        (Subject.of_namespace(f"notes/{NAME}/**"), {"other", "agent.memory"}),
    ],
)
def test_what_is_erased_is_named_by_no_alert(
    services: Services, subject: Subject, left: set[str]
) -> None:
    """Whatever names it goes, with what was cut and may have named it, and what names records."""
    warn = AlertLevel.WARNING
    services.memory.put(f"notes/{NAME}/x", "k", "a value", labels=Labels(agent=NAME))
    services.raise_alert("agent.memory", warn, "it takes 90 MiB", scope=f"agent {NAME}", tellers=())
    services.raise_alert("quota", warn, f"notes/{NAME} 81%", tellers=())
    services.raise_alert("long", warn, "x" * 490 + f" {NAME * 9}", tellers=())
    services.raise_alert("health.integrity", warn, "sibling 3 somewhere/k is damaged", tellers=())
    services.raise_alert("other", warn, f"{NAME}2 is somebody else", tellers=())
    services.silence_alerts(f"quota:notes/{NAME}/", 1_000)
    services.silence_alerts("other", 1_000)
    report = services.apply_erase(services.plan_erase(subject))
    assert {one.rule for one in services.alerts()} == left
    assert [one.pattern for one in services.silences()] == ["other"]
    assert report.evidence.tables == {}
