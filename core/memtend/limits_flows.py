"""Bounds and defaults of flows in production: schedules, deployments, automations, runs that died."""

from __future__ import annotations

from typing import Final

# Deployments
SPREAD_MINUTES: Final = 15  # over which the stores of one server begin, so that not all do at once
DEPLOYMENTS_PAGE: Final = 200  # the server gives no more at a time
TOLD_S_MAX: Final = 20.0  # until the server has written down an event that it took
