"""Bounds and defaults of flows in production: schedules, deployments, automations, dead runs."""

from __future__ import annotations

from typing import Final

# Deployments
SPREAD_MINUTES: Final = 15  # over which the stores of one server begin, so that not all do at once
DEPLOYMENTS_PAGE: Final = 200  # the server gives no more at a time
RUN_TOLD_AGAIN_S: Final = 3_600.0  # a deployment whose runs fail or are late is told of so often
TOLD_S_MAX: Final = 20.0  # until the server has written down an event that it took

# Runs that died
HEARTBEAT_S: Final = 30  # Prefect allows no shorter one
SILENT_S: Final = 75  # a run that is not heard for so long is dead: two heartbeats, and their way
BEGIN_S: Final = 300  # for a process to start; so long the server keeps a place for it
AGAIN_AFTER_S: Final = 60  # a run that was cut off runs again: what it held has run out by then
AGAIN_MAX: Final = 3  # times that one run runs again
AGAIN_BACK_S: Final = 24 * 3_600  # what was cut off before that is left alone
RUNS_READ_MAX: Final = 1_000  # runs that are looked at for that
LEASE_PATIENCE_S: Final = 200.0  # for the lease of somebody who may be dead
