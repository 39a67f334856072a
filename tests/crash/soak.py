"""Driver: eight writers, two readers, a sweeper and a backup on one store, writers being killed.

usage: soak SECONDS REPORT

Every 0.7 s one writer is killed with SIGKILL and replaced. Each writer keeps a list of what was
acknowledged to it, with the time it took. The figures go into REPORT as JSON; only what must never
happen is for the test to judge.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from memtend.clock import SystemClock
from memtend.drafting import Put
from memtend.errors import MemtendError, StoreBusy
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.crash.shim import fast_folder
from tests.crash.steps import LONG, TAGGED, backups_of, prepare, store_url

WRITERS = 8
KILL_EVERY_S = 0.7
EXPIRED_S_AGO = 120

Work = Callable[[Services, Path, float, str], None]


def write(services: Services, notes: Path, end: float, name: str) -> None:
    """Puts until the end, each noted when it was acknowledged; one in six is born expired."""
    dice = random.Random(name)
    descriptor = os.open(notes, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    for i in range(10**9):
        if time.time() > end:
            return
        key, expired = f"{name}-{i}", i % 6 == 5
        past_ms = services.clock.now_ms() - EXPIRED_S_AGO * 1_000
        began = time.perf_counter()
        services.memory.put_many(
            [Put(f"soak/{i % 3}", key, LONG[: dice.randrange(1_500)], TAGGED,
                 expires_at_ms=past_ms if expired else None)]
        )  # fmt: skip
        took_us = round((time.perf_counter() - began) * 1e6)
        os.write(descriptor, f"soak/{i % 3} {key} {int(expired)} {took_us}\n".encode())


def read(services: Services, notes: Path, end: float, name: str) -> None:
    after, rounds = "", 0
    while time.time() < end:
        page = services.memory.scan(f"soak/{rounds % 3}", after=after, limit=200)
        after = page[-1][0] if page else ""
        for key, _ in page[:20]:
            services.memory.get(f"soak/{rounds % 3}", key)
        rounds += not page
    notes.write_text(f"{rounds}")


def sweep(services: Services, notes: Path, end: float, name: str) -> None:
    deleted = 0
    while time.time() < end:
        deleted += services.apply_sweep(services.plan_sweep()).deleted
        time.sleep(0.2)
    notes.write_text(f"{deleted}")


def back_up(services: Services, notes: Path, end: float, name: str) -> None:
    taken = 0
    while time.time() < end:
        services.take_backup(backups_of(services))
        taken += 1
        time.sleep(0.5)
    notes.write_text(f"{taken}")


class Soak:
    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        self.end = time.time() + seconds
        self.dice = random.Random(1)
        self.started = 0
        self.kills = 0
        self.children: dict[int, Work] = {}

    def start(self, work: Work) -> int:
        self.started += 1
        name = f"{work.__name__}-{self.started}"
        child = os.fork()
        if child == 0:
            self._work(work, name)
        self.children[child] = work
        return child

    def _work(self, work: Work, name: str) -> None:
        """In a child: open, work to the end, note an error by its name."""
        code = 1
        try:
            with open_services(store_url(self.folder), settings=Settings()) as services:
                work(services, self.folder / f"{name}.notes", self.end, name)
            code = 0
        except MemtendError as error:
            (self.folder / f"{name}.error").write_text(f"{type(error).__name__}: {error}")
            code = StoreBusy.code if isinstance(error, StoreBusy) else 2
        finally:
            os._exit(code)

    def run(self) -> Counter[str]:
        """Let them all work; returns how the children that nobody killed have ended."""
        for work in (*[write] * WRITERS, read, read, sweep, back_up):
            self.start(work)
        while time.time() < self.end - 1:
            time.sleep(KILL_EVERY_S)
            writers = [child for child, work in self.children.items() if work is write]
            child = self.dice.choice(sorted(writers))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            del self.children[child]
            self.kills += 1
            self.start(write)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in self.children]
        return Counter("busy" if code == StoreBusy.code else f"exit {code}" for code in codes)

    def figures(self) -> dict[str, Any]:
        endings = self.run()
        notes = sorted(self.folder.glob("write-*.notes"))
        acked = [line.split() for file in notes for line in file.read_text().splitlines()]
        took_ms = sorted(int(line[3]) / 1_000 for line in acked)
        with open_services(store_url(self.folder), settings=Settings()) as services:
            held = {
                (namespace, key)
                for namespace in services.store.namespaces.load()
                for key in all_keys(services, namespace)
            }
            report = services.verify_store()
            backups = services.verify_backup(backups_of(services))
        kept = {(line[0], line[1]) for line in acked if line[2] == "0"}
        ended = {(line[0], line[1]) for line in acked if line[2] == "1"}
        return {
            "seconds": self.seconds,
            "acknowledged": len(acked),
            "per_second": round(len(acked) / self.seconds),
            "killed": self.kills,
            "lost": len(kept - held),
            "seen_though_expired": len(ended & held),
            "endings": endings,
            "errors": [file.read_text() for file in self.folder.glob("*.error")],
            "damage": report.damage_count,
            "rows": report.rows,
            "backups_whole": backups.ok,
            "swept": self._sum("sweep"),
            "backups": self._sum("back_up"),
            "read_rounds": self._sum("read"),
            "put_p50_ms": at_share(took_ms, 0.5),
            "put_p99_ms": at_share(took_ms, 0.99),
            "put_max_ms": at_share(took_ms, 1),
            "load": round(os.getloadavg()[0], 1),
        }

    def _sum(self, work: str) -> int:
        return sum(int(file.read_text()) for file in self.folder.glob(f"{work}-*.notes"))


def all_keys(services: Services, namespace: str) -> list[str]:
    keys: list[str] = []
    while page := services.memory.scan(namespace, after=keys[-1] if keys else "", limit=10_000):
        keys += [key for key, _ in page]
    return keys


def at_share(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


if __name__ == "__main__":
    with ExitStack() as cleanup:
        home = fast_folder("soak") if len(sys.argv) < 4 else Path(sys.argv[3])
        cleanup.callback(shutil.rmtree, home)
        (home / "warm").mkdir()
        prepare(home / "warm")
        (home / "store").mkdir()
        with open_services(store_url(home / "store"), settings=Settings(), clock=SystemClock()):
            pass
        found = Soak(home / "store", float(sys.argv[1])).figures()
        Path(sys.argv[2]).write_text(json.dumps(found, indent=2))
        print(json.dumps(found))
