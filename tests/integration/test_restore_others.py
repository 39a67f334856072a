"""Other processes read and write while a restore swaps the store under them.

They keep their connections. Every value that they read was written by somebody as a whole, and a
write that returned is in the store from then on, or in the one that is kept when the swap came
after it. Nobody fails with anything but a busy store.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memtend.services import open_services
from memtend.settings import Settings
from memtend.store.snapshot import snapshot
from memtend.store.swapping import opened_kept

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import sys, time
from memtend.errors import StoreBusy
from memtend.memory import Memory
url, name, stop = sys.argv[1:4]
written = 0
with Memory.open(url, create=False) as memory:
    while not __import__("os").path.exists(stop):
        for n in range(20):
            try:
                value = memory.get("shared", f"k{n}")
            except StoreBusy:
                continue
            assert value in ("old", "new") or value["by"] in ("w0", "w1"), value
        try:
            memory.put(f"mine/{name}", f"k{written}", {"by": name, "n": written})
            memory.put("shared", f"k{written % 20}", {"by": name, "n": written})
        except StoreBusy:
            continue
        print(written, memory.store.own_replica(), flush=True)
        written += 1
"""
WORK_S = 60.0


@pytest.mark.parametrize("restores", [3])
def test_others_go_on(lasting_url: str, tmp_path: Path, restores: int) -> None:
    settings = Settings(backup_url=f"{tmp_path}/backups")
    stop = tmp_path / "stop"
    with open_services(lasting_url, settings=settings) as services:
        for n in range(20):
            services.memory.put("shared", f"k{n}", "old")
        services.take_backup()
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, lasting_url, f"w{n}", str(stop)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            for n in range(2)
        ]  # fmt: skip
        try:
            _wait_for_writes(services.memory, workers)
            for _ in range(restores):
                services.apply_restore(services.plan_restore())
                _wait_for_writes(services.memory, workers)
        finally:
            stop.touch()
            told = [worker.communicate(timeout=WORK_S) for worker in workers]
        assert [worker.returncode for worker in workers] == [0, 0], told
        report = services.verify_store()
        assert report.ok, report.findings
        last = services.store.own_replica()
        with snapshot(services.store) as view:
            held = {(row.namespace, row.key) for row in view.rows()}
        for kept in services.kept_stores():
            with opened_kept(services.store, kept) as old, snapshot(old) as view:
                held |= {(row.namespace, row.key) for row in view.rows()}
        for name, (out, _) in zip(("w0", "w1"), told, strict=True):
            lines = [line.split() for line in out.splitlines()]
            lost = [n for n, _ in lines if (f"mine/{name}", f"k{n}") not in held]
            assert lost == []
            assert lines[-1][1] == last


def _wait_for_writes(memory: object, workers: list[subprocess.Popen[str]]) -> None:
    """Until each worker has written something into the store as it is now."""
    deadline = time.monotonic() + WORK_S
    while time.monotonic() < deadline:
        if any(worker.poll() is not None for worker in workers):
            return
        if all(memory.scan(f"mine/w{n}") for n in range(len(workers))):  # type: ignore[attr-defined]
            return
        time.sleep(0.05)
    raise AssertionError(f"a worker wrote nothing for {WORK_S} s")
