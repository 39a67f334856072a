"""The wall clock jumps under a running process: nothing live goes, order holds, health tells."""

from __future__ import annotations

from tests.crash.clocks import JUMPS_MS, LIVE
from tests.crash.shim import run_driver

MINUTE_MS = 60_000


def test_jumps_of_the_wall_clock() -> None:
    *jumps, back = run_driver("clocks")["looks"]
    assert [look["name"] for look in jumps] == list(JUMPS_MS)
    for look in [*jumps, back]:
        assert look["wall_is_wrong"], "the shim did not reach the clock"
        assert look["live"] == LIVE
        assert look["in_order"]
        assert look["synced"]
        assert look["hlc_off_ms"] < MINUTE_MS
        assert look["planned"] == ["expired"]
    for look in jumps:
        assert (look["swept"], look["alarm"]) == (-1, [True, True])
    assert (back["swept"], back["alarm"]) == (1, [False, False])
