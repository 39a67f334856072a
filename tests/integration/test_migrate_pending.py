"""Knowing what is pending without looking at everything, and what starting does about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from memtend.clock import ManualClock
from memtend.health.report import Level
from memtend.limits import MAINTENANCE_LEASE_MS
from memtend.migrate import pending
from memtend.migrate.report import MigrationReport, Pending
from memtend.model.names import MAINTENANCE
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.store import recasting
from memtend.store.lease_heart import holding
from tests.fixtures.aging import NOW_MS, NS, item, keep, settings_in, version_at


@contextmanager
def opened(folder: Path, **more: Any) -> Iterator[Services]:
    url, clock = f"sqlite:///{folder}/store.db", ManualClock(NOW_MS)
    with open_services(url, settings=settings_in(folder, **more), clock=clock) as services:
        yield services


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of all rows that were opened, in order."""
    seqs: list[int] = []

    def pages(*given: Any) -> Iterator[list[recasting.Aged]]:
        for page in recasting.pages(*given):
            seqs.extend(aged.seq for aged in page)
            yield page

    monkeypatch.setattr(pending, "pages", pages)
    return seqs


def test_a_second_look_reads_what_was_written_since(tmp_path: Path, looked: list[int]) -> None:
    with opened(tmp_path) as services:
        keep(services.memory, *range(5))
        assert services.pending_migrations(full=True).total == 5
    with opened(tmp_path) as services:
        looked.clear()
        keep(services.memory, 7, 8)
        found = services.pending_migrations()
        assert (found.counts, found.exact) == ({"pattern 1.0.0": 7}, True)
        assert len(looked) == 2


def test_what_is_gone_is_not_counted(tmp_path: Path) -> None:
    with opened(tmp_path) as services:
        keep(services.memory, *range(5))
        services.pending_migrations(full=True)
        services.memory.delete(NS, "p00000")
        services.memory.put(NS, "p00001", {"no": "item of the family any more"})
        keep(services.memory, 2, version="1.1.0")
        found = services.pending_migrations()
        assert found.counts == {"pattern 1.0.0": 2, "pattern 1.1.0": 1}
        assert found.exact


def test_where_many_wait_it_is_an_upper_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looked: list[int]
) -> None:
    monkeypatch.setattr(pending, "MIGRATION_SEQS_MAX", 3)
    with opened(tmp_path) as services:
        keep(services.memory, *range(6))
        services.pending_migrations(full=True)
        services.memory.delete(NS, "p00000")
        found = services.pending_migrations()
        assert (found.total, found.exact) == (6, False)
        assert "at most" in found.sentence()
        for number in range(1, 6):
            services.memory.delete(NS, f"p{number:05d}")
        assert services.pending_migrations() == Pending(
            family="aml", wanted="2.0.0", seq=services.store.meta().seq
        )


def test_a_restored_store_is_looked_at_anew(tmp_path: Path) -> None:
    with opened(tmp_path) as services:
        keep(services.memory, *range(3))
        services.take_backup()
        services.apply_migration(services.plan_migration(), rehearsal=False)
        assert not services.pending_migrations(full=True)
        services.apply_restore(services.plan_restore(manifest="1"))
        assert services.pending_migrations().total == 3


def test_health_says_it_without_alarm(tmp_path: Path) -> None:
    with opened(tmp_path) as services:
        keep(services.memory, 1)
        [check] = [one for one in services.health().checks if one.name == "versions"]
        assert (check.level, "pattern 1.0.0" in check.fact) == (Level.OK, True)
        services.migrate_at_start()
        assert version_at(services.memory, 1) == "1.0.0"
    with opened(tmp_path, migrate="off") as services:
        assert not [one for one in services.health().checks if one.name == "versions"]
        assert services.migrate_at_start() is None


def test_starting_migrates_only_if_it_was_told_to(tmp_path: Path) -> None:
    with opened(tmp_path, migrate="auto") as services:
        keep(services.memory, *range(3))
        report = services.migrate_at_start()
        assert isinstance(report, MigrationReport)
        assert (report.written, report.rehearsed) == (3, True)
        again = services.migrate_at_start()
        assert isinstance(again, Pending)
        assert again.sentence() == "every value is of the newest version, aml 2.0.0"


def test_what_cannot_be_migrated_does_not_start_it_again_and_again(tmp_path: Path) -> None:
    with opened(tmp_path, migrate="auto") as services:
        bad = item(1) | {"version": "9.9.9"}
        services.memory.put(NS, "bad", bad, labels=Labels(kind="pattern"))
        found = services.migrate_at_start()
        assert isinstance(found, Pending)
        assert (found.total, found.unreadable) == (0, 1)


def test_several_that_start_at_once_do_not_refuse_to_start(tmp_path: Path) -> None:
    with opened(tmp_path, migrate="auto") as services:
        keep(services.memory, *range(3))
        with holding(services.store, MAINTENANCE, "another program", MAINTENANCE_LEASE_MS):
            found = services.migrate_at_start()
        assert isinstance(found, Pending)
        assert found.total == 3
        assert isinstance(services.migrate_at_start(), MigrationReport)
