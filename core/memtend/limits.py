"""Every bound in one place. A loop, list, wait or size that has no line here has no bound."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

# Names and values (CRDT_SPEC 10)
PATH_BYTES_MAX: Final = 512
PATH_SEGMENTS_MAX: Final = 16
VALUE_BYTES_MAX: Final = 16 * MIB
VALUE_DEPTH_MAX: Final = 64
INTEGER_ABS_MAX: Final = 2**53 - 1
SIBLINGS_MAX: Final = 64
REPLICAS_MAX: Final = 4_096
TAGS_MAX: Final = 64
TAG_CHARS_MAX: Final = 128
LABEL_CHARS_MAX: Final = 256

# Batches
BATCH_MAX: Final = 10_000
GET_MANY_MAX: Final = 10_000
SCAN_MAX: Final = 10_000
PLAN_DECISIONS_MAX: Final = 1_000_000

# Waiting
BUSY_WAIT_MS: Final = 10_000
LEASE_WAIT_S_MAX: Final = 3_600.0
LOCK_BUDGET_MS: Final = 50.0
SLICE_ROWS_MIN: Final = 16
SLICE_ROWS_MAX: Final = 4_096

# Quotas (DESIGN 4)
AGENT_BYTES_MAX: Final = 100 * MIB
SESSION_BYTES_MAX: Final = 50 * MIB
STORE_BYTES_MAX: Final = 10 * GIB
QUOTA_WARN_SHARE: Final = 0.8

# Clock (CRDT_SPEC 2)
CLOCK_DRIFT_PPM: Final = 500
CLOCK_ALARM_MS: Final = 5_000
CLOCK_LOOK_MS: Final = 50
CLOCK_AGREE_MS: Final = 2_000
CLOCK_SOURCES_MIN: Final = 2
PEER_AHEAD_MS_MAX: Final = 60_000
SWEEP_MARGIN_MS: Final = 60_000

# Guards
SWEEP_SHARE_MAX: Final = 0.25
SWEEP_ROWS_FREE: Final = 1_000
PRUNE_SHARE_MAX: Final = 0.01

# Write-behind, retention of small things
ACCESS_BUFFER_MAX: Final = 65_536
OP_KEEP_MS: Final = 24 * 3_600_000
LOG_KEEP_MS: Final = 7 * 24 * 3_600_000

# Files and policies
BALLAST_FILES: Final = 4
BALLAST_BYTES: Final = 1 * MIB
WAL_CHECKPOINT_BYTES: Final = 8 * MIB
POLICY_BYTES_MAX: Final = 1 * MIB
POLICY_NODES_MAX: Final = 50_000
POLICY_RULES_MAX: Final = 1_000
POLICY_DEPTH_MAX: Final = 16
POLICY_ALIASES_MAX: Final = 256
TTL_MS_MAX: Final = 200 * 365 * 24 * 3_600_000
IMPORT_FILE_BYTES_MAX: Final = 256 * MIB

# Compression
COMPRESS_THRESHOLD_BYTES: Final = 1_024
ZSTD_LEVEL: Final = 3
SEGMENT_BYTES_TARGET: Final = 8 * MIB
SEGMENT_BYTES_MAX: Final = 64 * MIB

# Flows
TASK_RETRIES: Final = 3
TASK_RETRY_BASE_S: Final = 2.0
TASK_RETRY_JITTER: Final = 0.5
STORE_TURN_WAIT_S: Final = 900.0
STORE_TURN_LEASE_S: Final = 60.0
PUBLISHED_DECISIONS_MAX: Final = 200
SERVED_RUNS_MAX: Final = 4
SERVER_START_S_MAX: Final = 180.0
SERVER_STOP_S_MAX: Final = 20.0
