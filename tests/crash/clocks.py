"""Driver: the wall clock of a running process jumps, and comes back.

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
from tests.crash.shim import Shim, fast_folder
from tests.crash.steps import DAY_MS, HOUR_MS, store_url

YEAR_MS = 365 * DAY_MS
JUMPS_MS = {"+1h": HOUR_MS, "-2d": -2 * DAY_MS, "-10y": -10 * YEAR_MS, "+100y": 100 * YEAR_MS}
LIVE = 40


def look(services: Services, name: str, wrong_ms: int, began: int) -> dict[str, Any]:
    """What happens under one setting of the wall clock."""
    time.sleep(2 * CLOCK_LOOK_MS / 1_000)
    before = services.store.meta().hlc
    services.memory.put("notes", f"written-{name}", 1)
    after = services.store.meta().hlc
    live = [services.memory.get("short", f"live{i}") for i in range(LIVE)]
    plan = services.plan_sweep()
    try:
        swept = services.apply_sweep(plan).deleted
    except ClockAlarmed:
        swept = -1
    return {
        "name": name,
        "wall_is_wrong": abs(time.time_ns() // 10**6 - began - wrong_ms) < HOUR_MS // 2,
        "in_order": after > before,
        "hlc_off_ms": abs(millis(after) - began),
        "live": live.count("live"),
        "planned": sorted({d.key for d in plan.to_delete()}),
        "swept": swept,
        "alarm": any(
            check.name == "clock" and check.level is Level.CRITICAL
            for check in services.health().checks
        ),
    }


def run() -> list[dict[str, Any]]:
    home, shim = fast_folder("clocks"), Shim()
    began = time.time_ns() // 10**6
    expired = Put("short", "expired", 1, expires_at_ms=began - 2 * SWEEP_MARGIN_MS)
    found = []
    with open_services(store_url(home), settings=Settings(), clock=SystemClock()) as services:
        services.memory.put_many(
            [expired, *(Put("short", f"live{i}", "live", ttl_ms=HOUR_MS // 2) for i in range(LIVE))]
        )
        for name, wrong_ms in JUMPS_MS.items():
            shim.wall(wrong_ms)
            found.append(look(services, name, wrong_ms, began))
        shim.wall(0)
        found.append(look(services, "back", 0, began))
        assert services.verify_store().ok
    shutil.rmtree(home)
    return found


if __name__ == "__main__":
    print(json.dumps({"looks": run()}))
