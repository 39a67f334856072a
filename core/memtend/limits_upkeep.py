"""Bounds and defaults of upkeep: pruning, optimization, metrics, health, alerts, the report."""

from __future__ import annotations

from typing import Final

from memtend.limits import MIB

# Pruning
PRUNE_SHARE_A_DAY_MAX: Final = 0.01  # of a namespace, without approval
PRUNE_ROWS_FREE: Final = 10  # a day in a namespace: of few records one percent is none
GHOST_KEEP_MS: Final = 90 * 24 * 3_600_000
PRUNE_PROFILES_MAX: Final = 32
PRUNE_NAMESPACES_KEPT_MAX: Final = 256  # patterns

# Optimization
DUPLICATE_BYTES_MIN: Final = 64  # of JSON: what is shorter is a state, and no statement
DUPLICATE_PAGE_BYTES: Final = 8 * MIB

# Metrics

# Health

# Alerts
AGENT_BYTES_WARN: Final = 60 * MIB
AGENT_BYTES_ERROR: Final = 80 * MIB
STORE_BYTES_WARN: Final = 600 * MIB
STORE_BYTES_ERROR: Final = 800 * MIB

# Report
REPORT_HISTORY_MS: Final = 90 * 24 * 3_600_000
REPORT_POINTS_MAX: Final = 120  # of a line, after thinning
REPORT_SAMPLE_ROWS: Final = 2_000  # what kinds there are is told from so many
REPORT_SAMPLE_WINDOWS: Final = 100
REPORT_DUE_COUNTED_MAX: Final = 5_000  # in one stretch of time; from there on it is estimated
REPORT_ROWS_SHOWN: Final = 20
REPORT_ROWS_MAX: Final = 200  # of a table that is opened
REPORT_RUNS_MAX: Final = 200  # manifests of the archive that are read
REPORT_NAME_CHARS_MAX: Final = 80
REPORT_TEXT_CHARS_MAX: Final = 400
FORECAST_POINTS_MIN: Final = 6
FORECAST_SPAN_MS_MIN: Final = 3 * 24 * 3_600_000
FORECAST_MS_MAX: Final = 90 * 24 * 3_600_000
FORECAST_SHARE: Final = 0.8  # of earlier forecasts lay within the band
