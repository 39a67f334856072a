"""Bounds and defaults of upkeep: pruning, optimization, metrics, health, alerts, the report."""

from __future__ import annotations

from typing import Final

from memtend.limits import MIB

# Pruning
PRUNE_SHARE_A_DAY_MAX: Final = 0.01  # of a namespace, without approval
PRUNE_ROWS_FREE: Final = 10  # a day in a namespace: of few records one percent is none
GHOST_KEEP_MS: Final = 90 * 24 * 3_600_000

# Optimization

# Metrics

# Health

# Alerts
AGENT_BYTES_WARN: Final = 60 * MIB
AGENT_BYTES_ERROR: Final = 80 * MIB
STORE_BYTES_WARN: Final = 600 * MIB
STORE_BYTES_ERROR: Final = 800 * MIB

# Report
