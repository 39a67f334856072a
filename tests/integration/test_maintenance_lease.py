"""Two workers never tend one store at once, however long the work takes, and whoever is in the way
is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memtend.archive.moving import renewed
from memtend.errors import LeaseHeld, StaleLease
from memtend.limits import MAINTENANCE_LEASE_MS
from memtend.memory import Memory
from memtend.model.lease import Held
from memtend.model.names import MAINTENANCE
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store import lease_desk

ROOT = Path(__file__).resolve().parents[2]
TTL_MS = 3_000
SHORT_MS = 500
WORKER = """
import sys
from memtend.errors import StaleLease
from memtend.serving import base
from memtend.services import open_services
base.MAINTENANCE_LEASE_MS = int(sys.argv[2])
with open_services(sys.argv[1]) as services, services._maintaining("sweep") as lease:
    print("holds", flush=True)
    for _ in sys.stdin:
        try:
            with services.store.change("sweep", lease=lease) as (change, _):
                change.note("sweep", "worked")
            print("worked", flush=True)
        except StaleLease:
            print("refused", flush=True)
"""


class Worker:
    """A process that maintains a store, as slowly as it is told to."""

    def __init__(self, url: str, ttl_ms: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, url, str(ttl_ms)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._said() == "holds"

    def work(self) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._said()

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self) -> int:
        self._process.communicate(timeout=60)
        return self._process.returncode

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture
def url(lasting_url: str) -> str:
    Memory.open(lasting_url).close()
    return lasting_url


def maintenance(services: Services) -> list[Held]:
    return [one for one in lease_desk.held(services.store) if one.resource == MAINTENANCE]


def test_a_worker_keeps_others_out_for_longer_than_its_lease(url: str) -> None:
    worker = Worker(url, TTL_MS)
    with open_services(url) as services:
        [before] = maintenance(services)
        [now] = [before]
        while now.at < before.leases[0].expires_at:  # long after the first lease would have ended
            with pytest.raises(LeaseHeld, match=r"'sweep by .*:\d+ \w+' for another .* until"):
                services.apply_sweep(services.plan_sweep())
            time.sleep(0.05)
            [now] = maintenance(services)
        assert worker.work() == "worked"
        assert worker.end() == 0
        services.apply_sweep(services.plan_sweep())


def test_a_worker_that_was_stopped_for_too_long_changes_nothing_more(url: str) -> None:
    worker = Worker(url, SHORT_MS)
    worker.send(signal.SIGSTOP)
    try:
        with open_services(url) as services:
            while maintenance(services):
                time.sleep(0.05)
            with services._maintaining("erase") as lease:
                worker.send(signal.SIGCONT)
                assert worker.work() == "refused"
                with services.store.change("erase", lease=lease):
                    pass
            services.apply_sweep(services.plan_sweep())
            assert worker.work() == "refused"  # its time does not come back
    finally:
        worker.send(signal.SIGCONT)
    assert worker.end() == 0


def test_an_operator_takes_the_lease_from_a_hung_worker(url: str) -> None:
    worker = Worker(url, MAINTENANCE_LEASE_MS)
    with open_services(url) as services:
        [held] = maintenance(services)
        assert f":{os.getpid()}" not in held.leases[0].holder
        assert lease_desk.force_release(services.store, MAINTENANCE, "operator") == 1
        assert worker.work() == "refused"
        services.apply_sweep(services.plan_sweep())
    assert worker.end() == 0


def test_archiving_stops_before_it_touches_an_object(store_url: str, tmp_path: Path) -> None:
    """What no transaction guards, deleting objects above all, is done only after a renewal."""
    with Memory.open(store_url) as memory:
        services = Services(memory, Settings(archive_url=str(tmp_path / "archive")))
        with services._maintaining("archive compact") as lease:
            assert renewed(memory.store, lease).fence == lease.fence
            lease_desk.force_release(memory.store, MAINTENANCE, "operator")
            with pytest.raises(StaleLease):
                renewed(memory.store, lease)
