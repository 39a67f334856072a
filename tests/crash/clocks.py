"""Driver: the wall clock of a running process jumps, and comes back, while two stores sync.

usage, under the shim: clocks
"""

from __future__ import annotations

import json
import shutil
import time
from typing import Any

from memtend.clock import SystemClock
from memtend.crdt.hlc import millis
from memtend.drafting import Put
from memtend.errors import ClockAlarmed
from memtend.health.report import Level
from memtend.limits import CLOCK_LOOK_MS, SWEEP_MARGIN_MS
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.sync import apply, outgoing, vector
from tests.crash.shim import Shim, fast_folder
from tests.crash.steps import DAY_MS, HOUR_MS, store_url

YEAR_MS = 365 * DAY_MS
JUMPS_MS = {"+1h": HOUR_MS, "-2d": -2 * DAY_MS, "-10y": -10 * YEAR_MS, "+100y": 100 * YEAR_MS}
LIVE = 40


def exchange(here: Services, there: Services, name: str) -> bool:
    """A value goes there, is answered, and the answer comes back: whether it is all in order."""
    name = f"question{name}"
    here.memory.put("shared", name, "asked")
    asked = here.store.meta().hlc
    send(here, there)
    there.memory.put("shared", name, "answered")
    answered = there.store.meta().hlc
    send(there, here)
    here.memory.put("shared", "after", name)
    heard = all(one.memory.get("shared", name) == "answered" for one in (here, there))
    return heard and asked < answered < here.store.meta().hlc


def send(sender: Services, receiver: Services) -> None:
    with outgoing(sender.store, vector(receiver.store)) as delta:
        apply(receiver.store, delta.pages())


def look(
    services: Services, peer: Services, name: str, wrong_ms: int, began: int
) -> dict[str, Any]:
    """What happens under one setting of the wall clock."""
    time.sleep(2 * CLOCK_LOOK_MS / 1_000)
    before = services.store.meta().hlc
    services.memory.put("notes", f"written-{name}", 1)
    after = services.store.meta().hlc
    synced = exchange(services, peer, name)
    stores = (services, peer)
    live = [s.memory.get("short", f"live{i}") for s in stores for i in range(LIVE)]
    plan = services.plan_sweep()
    try:
        swept = services.apply_sweep(plan).deleted
    except ClockAlarmed:
        swept = -1
    return {
        "name": name,
        "wall_is_wrong": abs(time.time_ns() // 10**6 - began - wrong_ms) < HOUR_MS // 2,
        "in_order": after > before,
        "synced": synced,
        "hlc_off_ms": abs(millis(after) - began),
        "live": live.count("live") / len(stores),
        "planned": sorted({d.key for d in plan.to_delete()}),
        "swept": swept,
        "alarm": [
            any(c.name == "clock" and c.level is Level.CRITICAL for c in s.health().checks)
            for s in stores
        ],
    }


def run() -> list[dict[str, Any]]:
    home, shim = fast_folder("clocks"), Shim()
    began = time.time_ns() // 10**6
    expired = Put("short", "expired", 1, expires_at_ms=began - 2 * SWEEP_MARGIN_MS)
    found = []
    (home / "peer").mkdir()
    with (
        open_services(store_url(home), settings=Settings(), clock=SystemClock()) as services,
        open_services(store_url(home / "peer"), settings=Settings(), clock=SystemClock()) as peer,
    ):
        services.memory.put_many(
            [expired, *(Put("short", f"live{i}", "live", ttl_ms=HOUR_MS // 2) for i in range(LIVE))]
        )
        send(services, peer)
        for name, wrong_ms in JUMPS_MS.items():
            shim.wall(wrong_ms)
            found.append(look(services, peer, name, wrong_ms, began))
        shim.wall(0)
        found.append(look(services, peer, "back", 0, began))
        assert services.verify_store().ok
        assert peer.verify_store().ok
    shutil.rmtree(home)
    return found


if __name__ == "__main__":
    print(json.dumps({"looks": run()}))
