"""Every check of the health report at its boundary: one tick before, and on it."""

from __future__ import annotations

from typing import Any

import pytest

from memtend.clock import to_datetime
from memtend.health.checks import check_health
from memtend.health.facts import Crowded, HealthFacts, PeerFacts
from memtend.health.report import Level
from memtend.limits import (
    BACKLOG_WARN_ROWS,
    BACKUP_AGE_WARN_MS,
    CONFLICT_KEYS_WARN,
    DISK_FREE_WARN_BYTES,
    MESSAGE_AGE_WARN_MS,
    PEER_SILENT_WARN_MS,
    PEERS_NAMED_MAX,
    SIBLINGS_MAX,
)

WELL = HealthFacts(
    at=to_datetime(1_750_000_000_000),
    records=10,
    bytes=1_000,
    file_bytes=4_096,
    backlog=0,
    clock_alarm_ms=None,
    pressure=(),
    disk_free_bytes=DISK_FREE_WARN_BYTES,
    backup_asked=True,
    backup_age_ms=0,
    backup_rows=10,
)


def test_a_healthy_store_has_no_complaint() -> None:
    report = check_health(WELL)
    assert report.healthy
    assert {check.level for check in report.checks} == {Level.OK}


@pytest.mark.parametrize(
    ("changed", "name", "level"),
    [
        ({"clock_alarm_ms": 5_001}, "clock", Level.CRITICAL),
        ({"clock_alarm_ms": -5_001}, "clock", Level.CRITICAL),
        ({"backlog": BACKLOG_WARN_ROWS - 1}, "expiry", Level.OK),
        ({"backlog": BACKLOG_WARN_ROWS}, "expiry", Level.WARNING),
        ({"pressure": (Crowded(what="agent ada", used=81, limit=100),)}, "quota", Level.WARNING),
        ({"messages_waiting": 9, "messages_age_ms": MESSAGE_AGE_WARN_MS}, "messages", Level.OK),
        (
            {"messages_waiting": 9, "messages_age_ms": MESSAGE_AGE_WARN_MS + 1},
            "messages",
            Level.WARNING,
        ),
        ({"messages_dead": 1}, "messages", Level.WARNING),
        ({"messages_waiting": 9, "inbox_fullest": 0.8}, "messages", Level.WARNING),
        ({"conflicts": 3, "siblings_most": 2}, "conflicts", Level.OK),
        ({"conflicts": CONFLICT_KEYS_WARN, "siblings_most": 2}, "conflicts", Level.WARNING),
        ({"conflicts": 1, "siblings_most": SIBLINGS_MAX}, "conflicts", Level.WARNING),
        ({"conflicts": 1, "siblings_most": SIBLINGS_MAX + 1}, "conflicts", Level.CRITICAL),
        ({"backup_age_ms": None}, "backup", Level.CRITICAL),
        ({"backup_age_ms": BACKUP_AGE_WARN_MS}, "backup", Level.OK),
        ({"backup_age_ms": BACKUP_AGE_WARN_MS + 1}, "backup", Level.WARNING),
        ({"backup_rows": None}, "backup", Level.OK),
        ({"disk_free_bytes": DISK_FREE_WARN_BYTES - 1}, "disk", Level.CRITICAL),
    ],
)
def test_each_check_at_its_boundary(changed: dict[str, Any], name: str, level: Level) -> None:
    report = check_health(WELL.model_copy(update=changed))
    [check] = [check for check in report.checks if check.name == name]
    assert check.level is level
    assert report.level is level
    assert bool(check.hint) is (level is not Level.OK)


def test_what_was_not_asked_or_is_not_known_is_not_judged() -> None:
    unknown = {"backup_asked": False, "disk_free_bytes": None, "engine_notes": ("an old engine",)}
    report = check_health(WELL.model_copy(update=unknown))
    names = [check.name for check in report.checks]
    assert names == ["clock", "expiry", "quota", "conflicts", "engine"]
    assert report.healthy


def peer(**changed: Any) -> PeerFacts:
    given = {"name": "ada", "silent_ms": 0, "retired": False, "backlog": 3}
    return PeerFacts.model_validate(given | changed)


@pytest.mark.parametrize(
    ("changed", "fact"),
    [
        ({}, ""),
        ({"silent_ms": PEER_SILENT_WARN_MS}, ""),
        ({"silent_ms": PEER_SILENT_WARN_MS + 1}, "silent for over a day: ada (3 events behind)"),
        ({"silent_ms": None}, "never synced: ada (3 events behind)"),
        ({"retired": True}, "retired: ada (3 events behind)"),
    ],
)
def test_a_peer_that_is_not_heard_is_named(changed: dict[str, Any], fact: str) -> None:
    peers = (peer(name="bob"), peer(**changed))
    report = check_health(WELL.model_copy(update={"peers": peers}))
    [check] = [check for check in report.checks if check.name == "peers"]
    assert check.level is (Level.WARNING if fact else Level.OK)
    assert check.fact == (fact or "2 peers, the farthest 3 events behind")


def test_many_peers_are_counted_rather_than_named() -> None:
    peers = tuple(peer(name=f"p{n}", retired=True) for n in range(PEERS_NAMED_MAX + 2))
    report = check_health(WELL.model_copy(update={"peers": peers}))
    [check] = [check for check in report.checks if check.name == "peers"]
    assert check.fact.endswith("p4 (3 events behind) and 2 more")
