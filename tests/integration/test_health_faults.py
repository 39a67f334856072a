"""Every planted fault is found by the check that is about it; a healthy store has none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.health.report import HealthReport, Level
from memtend.memory import Memory
from memtend.messaging import Messages
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store import leases
from memtend.store.meta import crc_of
from memtend.store.peers import Peer, save_peer
from tests.fixtures.archives import archive_everything
from tests.fixtures.faults import FAULTS, HOUR_MS, IN_FULL, NS, Plant, Planted


@contextmanager
def opened(url: str, clock: ManualClock, folder: Path) -> Iterator[Services]:
    settings = Settings(backup_url=f"{folder}/backups", archive_url=f"{folder}/archive")
    with open_services(url, settings=settings, clock=clock) as services:
        yield services


@contextmanager
def living(url: str, clock: ManualClock, folder: Path) -> Iterator[Services]:
    """A store in daily use: with records of all sorts, two backups, a drill, an archive, peers."""
    with opened(url, clock, folder) as services:
        memory, store = services.memory, services.store
        memory.put("cold", "k", " ".join(str(n * 7_919) for n in range(90)))
        archive_everything(services)
        for n in range(12):
            labels = Labels(kind="fact", agent="ada", tags=("t", "u"))
            memory.put(NS, f"k{n}", {"n": n}, labels=labels)
        memory.put(NS, "large", "text " * 1_000)
        memory.put(NS, "short", 1, ttl_ms=60 * 24 * HOUR_MS)
        memory.increment(NS, "n", 5)
        memory.add(NS, "s", "element")
        memory.config.grant("scout", "**", "admin", "operator")
        leases.release(store, leases.acquire(store, "work", "me", 1_000))
        Messages(memory, "ada").send("bob", "hello")
        with store.engine.write() as tx:
            tx.run("save_setting", ("note", "n", crc_of(("note", "n"))))
        now_ms = clock.now_ms()
        save_peer(store, Peer("e" * 32, "near", met_ms=now_ms, heard_ms=now_ms))
        services.take_backup()
        memory.put(NS, "later", 1)
        services.take_backup()
        services.drill(scratch=str(folder))
        memory.flush()
        yield services


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Such a store, made once: where it lies, and a copy of it that no test touches."""
    top = tmp_path_factory.mktemp("faults")
    place, copy = top / "living", top / "kept"
    place.mkdir()
    with living(f"sqlite:///{place}/store.db", ManualClock(), place):
        pass
    shutil.copytree(place, copy)
    return place, copy


@pytest.fixture
def living_folder(kept: tuple[Path, Path]) -> Path:
    """The store as it was made, at the place where it was made."""
    place, copy = kept
    shutil.rmtree(place)
    shutil.copytree(copy, place)
    return place


def judged(services: Services, *, full: bool = False) -> HealthReport:
    return services.health(services.settings.backup_url, full=full)


@pytest.mark.parametrize("full", [False, True])
def test_a_healthy_store_has_nothing_found(
    store_url: str, clock: ManualClock, tmp_path: Path, full: bool
) -> None:
    with living(store_url, clock, tmp_path) as services:
        report = judged(services, full=full)
        wrong = [check for check in report.checks if check.level is not Level.OK]
        assert wrong == []
        assert (report.score, report.healthy, report.opportunities) == (100, True, ())
        assert services.verify_store().ok


@pytest.mark.parametrize("name", FAULTS)
def test_every_planted_fault_is_found(name: str, living_folder: Path) -> None:
    _find(*FAULTS[name], living_folder, full=False)


@pytest.mark.parametrize("name", IN_FULL)
def test_a_look_in_full_finds_what_no_sample_can(name: str, living_folder: Path) -> None:
    _find(*IN_FULL[name], living_folder, full=True)


def _find(plant: Plant, check: str, folder: Path, *, full: bool) -> None:
    clock = ManualClock(seed=1)  # the copy is a replica of its own
    with opened(f"sqlite:///{folder}/store.db", clock, folder) as services:
        plant(Planted(services, clock, folder))
        report = judged(services, full=full)
    told = [one for one in report.checks if one.level is not Level.OK]
    assert check in {one.name for one in told}, report.checks
    assert all(one.hint and one.penalty for one in told)
    assert report.score == max(0, 100 - sum(one.penalty for one in told)) < 100
    assert not report.healthy


def test_faults_of_a_server_are_found(
    postgres_url: str, clock: ManualClock, tmp_path: Path
) -> None:
    """Those that are asked for in another way than on SQLite."""
    with living(postgres_url, clock, tmp_path) as services:
        planted = Planted(services, clock, tmp_path)
        for name, check in (("missing index", "structure"), ("wrong column", "integrity"),
                            ("lost tag", "integrity"), ("missing table", "structure"),
                            ("audit cut off", "audit")):  # fmt: skip
            FAULTS[name][0](planted)
            told = {one.name for one in judged(services).checks if one.level is not Level.OK}
            assert check in told


def test_a_store_from_the_future_is_a_wrong_clock(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    for hours, level in ((1, Level.OK), (0, Level.CRITICAL)):
        with Memory.open(url, clock=ManualClock(1_750_000_000_000 + hours * HOUR_MS)) as memory:
            memory.put(NS, f"k{hours}", 1)
            [check] = [one for one in Services(memory, Settings()).health().checks
                       if one.name == "clock"]  # fmt: skip
            assert check.level is level
