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
SIBLINGS_MAX: Final = 64  # local writes; replicas that were apart can bring more, and alarm
DELTA_SIBLINGS_MAX: Final = 4_096
DELTA_PATH_BYTES_MAX: Final = 1 * GIB  # of all siblings of one key
REPLICAS_MAX: Final = 4_096
TAGS_MAX: Final = 64
TAG_CHARS_MAX: Final = 128
LABEL_CHARS_MAX: Final = 256

# Conflicts
CONFLICTS_MAX: Final = 10_000
CONFLICT_KEYS_WARN: Final = 1_000

# Hooks
HOOK_EVENT_BYTES_MAX: Final = 16 * MIB
HOOK_DRAIN_BYTES_MAX: Final = 256 * MIB
HOOK_STDIN_WAIT_S: Final = 5.0  # until the first byte; a caller may leave a pipe open and silent
HOOK_STDIN_SPARE_S: Final = 1.0  # the same where options say already what it is about
HOOK_STDIN_PAUSE_S: Final = 5.0  # between two bytes
HOOK_BUSY_WAIT_MS: Final = 4_000  # with the wait for an event, below a tool's limit of ten seconds
HOOK_TEXT_CHARS_MAX: Final = 4_096
HOOK_NOTE_CHARS_MAX: Final = 500
HOOK_INPUT_CHARS_MAX: Final = 4_096
HOOK_INPUT_ITEMS_MAX: Final = 64
HOOK_TOLD_CHARS_MAX: Final = 8_000
HOOK_RECENT_CHANGES: Final = 20_000
HOOK_RECENT_RECORDS: Final = 200
HOOK_FILES_TOLD: Final = 50
HOOK_EDIT_KEEP_MS: Final = 3_600_000
HOOK_SWEEP_ROWS: Final = 500

# Batches
BATCH_MAX: Final = 10_000
GET_MANY_MAX: Final = 10_000
SCAN_MAX: Final = 10_000
PLAN_DECISIONS_MAX: Final = 1_000_000

# Waiting
BUSY_WAIT_MS: Final = 10_000
CLOSE_BUSY_WAIT_MS: Final = 1_000  # for access counts that a reader leaves behind
LOCK_BUDGET_MS: Final = 50.0
SLICE_ROWS_MIN: Final = 16
SLICE_ROWS_MAX: Final = 1_024

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

# Write-behind, retention of small things
ACCESS_BUFFER_MAX: Final = 65_536
OP_KEEP_MS: Final = 24 * 3_600_000

# Files and policies
BALLAST_FILES: Final = 4
BALLAST_BYTES: Final = 1 * MIB
WAL_CHECKPOINT_BYTES: Final = 32 * MIB
POLICY_BYTES_MAX: Final = 1 * MIB
POLICY_NODES_MAX: Final = 25_000
POLICY_RULES_MAX: Final = 1_000
POLICY_DEPTH_MAX: Final = 16
POLICY_ALIASES_MAX: Final = 256
TTL_MS_MAX: Final = 200 * 365 * 24 * 3_600_000
TIME_MS_MAX: Final = 253_402_300_799_999  # the end of the year 9999, the last a datetime knows
NOTES_TOLD: Final = 20  # of each kind, in a report for people

# Compression
COMPRESS_THRESHOLD_BYTES: Final = 1_024
ZSTD_LEVEL: Final = 3
SEGMENT_BYTES_TARGET: Final = 4 * MIB
SEGMENT_BYTES_CUT: Final = 12 * MIB  # what a segment costs in memory; a longer row stands alone
SEGMENT_BYTES_MAX: Final = 64 * MIB  # what a reader accepts
DELTA_BYTES_TARGET: Final = 1 * MIB  # fifty of these are held open while a chain is merged

# Flows
TASK_RETRIES: Final = 3
TASK_RETRY_BASE_S: Final = 2.0
TASK_RETRY_JITTER: Final = 0.5
STORE_TURN_WAIT_S: Final = 900.0
STORE_TURN_LEASE_S: Final = 60.0
PUBLISHED_DECISIONS_MAX: Final = 200
PUBLISHED_FINDINGS_MAX: Final = 50
SERVED_RUNS_MAX: Final = 4
SERVER_START_S_MAX: Final = 180.0
SERVER_STOP_S_MAX: Final = 20.0
CHART_POINTS_MAX: Final = 200
APPROVAL_S_MAX: Final = 24 * 3_600
APPROVAL_POLL_S: Final = 5

# Backup targets and repositories (BACKUP_SPEC 2, 8)
OBJECT_BYTES_MAX: Final = 72 * MIB
OBJECT_NAME_CHARS_MAX: Final = 200
SEGMENT_HEADER_BYTES_MAX: Final = 64 * KIB
MANIFEST_BYTES_MAX: Final = 64 * MIB
MANIFEST_NAMESPACES_MAX: Final = 65_536
TARGET_CONNECT_S: Final = 10
TARGET_READ_S: Final = 30
TARGET_TRIES: Final = 4
TARGET_PAUSE_S: Final = 0.25
TARGET_PAUSE_S_MAX: Final = 8.0
TARGET_FAILURES_MAX: Final = 3
REPOSITORY_LEASE_MS: Final = 180_000
REPOSITORY_SKEW_MS: Final = 5_000
FINDINGS_MAX: Final = 10_000
REPORT_NAMES_MAX: Final = 100
CHAIN_INCREMENTS_MAX: Final = 50
BACKUPS_LISTED_MAX: Final = 100
STREAM_EVERY_S: Final = 10.0
STREAM_FAILURES_MAX: Final = 60
STREAM_DAMAGE_PAUSES: Final = 20
CHAIN_MANIFESTS_MAX: Final = 100  # what a reader follows
CHAIN_DELTA_SHARE_MAX: Final = 0.3
PASSPHRASE_CHARS_MIN: Final = 12
SECRET_CHARS_MAX: Final = 4 * KIB
SCRYPT_MEMORY_BYTES_MAX: Final = 160 * MIB
KEY_FILES_MAX: Final = 64

# Rotation of backups (BACKUP_SPEC 6)
RETENTION_WITHIN_MS: Final = 24 * 3_600_000
RETENTION_AGE_MS: Final = 30 * 24 * 3_600_000
PERIODS_MAX: Final = 10_000
GARBAGE_GRACE_MS: Final = 24 * 3_600_000
ROTATION_CLOCKS_MS_MAX: Final = 15 * 60_000
ROTATION_RECORD_BYTES_MAX: Final = 64 * MIB
RESERVE_BYTES: Final = 256 * KIB
DIFF_NAMES_MAX: Final = 10_000
PIN_BYTES_MAX: Final = 64 * KIB
PINS_MAX: Final = 10_000
VERIFY_PROGRESS_BYTES_MAX: Final = 64 * MIB

# Writing
UPDATE_TRIES: Final = 100
TOUCH_SHARE: Final = 0.1

# Plans and leases
PLAN_BYTES_MAX: Final = 512 * MIB
MAINTENANCE_LEASE_MS: Final = 60_000
LEASE_TTL_MS: Final = 30_000
LEASE_TTL_MS_MAX: Final = 24 * 3_600_000
LEASE_WAIT_S: Final = 30.0
LEASE_WAIT_S_MAX: Final = 24 * 3_600.0
LEASE_BEATS: Final = 3  # renewals within one TTL
LEASE_TICKET_MS: Final = 5_000  # a waiter that has not been heard for so long is skipped
LEASE_POLL_S_MIN: Final = 0.002
LEASE_POLL_S_MAX: Final = 0.05  # of the first in the queue; the others look less often
LEASE_POLL_FAR_S_MAX: Final = 0.5
LEASE_GRANTS_MAX: Final = 1_000  # readers of one resource at once
LEASE_TICKETS_MAX: Final = 1_000  # waiters for one resource
TOKEN_MAX: Final = 2**63 - 1  # of each part of a fencing token
LEASES_TOGETHER_MAX: Final = 100

# Migrations of values
MIGRATION_PAGE_BYTES: Final = 8 * MIB
MIGRATION_REFUSALS_MAX: Final = 100
MIGRATION_SAMPLES: Final = 3  # decisions shown for each kind and version
MIGRATION_PARTS: Final = 64  # in which sums over the values are kept
MIGRATION_SEQS_MAX: Final = 1_000
MIGRATION_NEWS_ROWS: Final = 1_000
SERVER_NAME_BYTES_MAX: Final = 63  # of a schema; PostgreSQL cuts longer names off
MIGRATION_BEFORE_MAX: Final = 4  # runs that a record tells of, but for those that lead back

# Restore
KEEP_OLD_MS: Final = 24 * 3_600_000
SCHEMA_WAIT_MS: Final = 60_000  # for another process that migrates the same store
SCHEMA_MARGIN_BYTES: Final = 8 * MIB  # beside the copies of a store that is migrated
DRILL_READS: Final = 1_000

# Health
BACKUP_AGE_WARN_MS: Final = 26 * 3_600_000
BACKUP_OVERDUE_MS: Final = 3 * 3_600_000  # three of the hourly backups in a row
DRILL_AGE_MAX_MS: Final = 24 * 3_600_000
BACKLOG_WARN_ROWS: Final = 10_000
DISK_FREE_WARN_BYTES: Final = 512 * MIB

# Dictionaries
DICTIONARY_BYTES: Final = 16 * KIB
DICTIONARY_SAMPLES_MIN: Final = 64

# The archive (BACKUP_SPEC 7)
ARCHIVE_BLOCK_BYTES: Final = 256 * KIB
ARCHIVE_BLOCK_BYTES_MAX: Final = VALUE_BYTES_MAX + 1 * MIB  # a block of one value of any size
ARCHIVE_OBJECT_BYTES: Final = 16 * MIB
ARCHIVE_VALUE_BYTES_MIN: Final = 256
ARCHIVE_RULES_MAX: Final = 100
ARCHIVE_KEEP_MS: Final = 45 * 24 * 3_600_000
ARCHIVE_KEEP_MS_MIN: Final = 31 * 24 * 3_600_000
ARCHIVE_TTL_LEFT_MS_MIN: Final = 7 * 24 * 3_600_000
ARCHIVE_CACHE_BYTES: Final = 16 * MIB
ARCHIVE_DEAD_SHARE: Final = 0.5
ARCHIVE_SLICE_ROWS: Final = 250
ARCHIVE_COMPACT_LEVEL: Final = 15

# Erasure
ERASE_HASHES_MAX: Final = 100_000
ERASE_TEXTS_MAX: Final = 32
ERASE_TEXT_BYTES_MIN: Final = 8
ERASE_TEXT_BYTES_MAX: Final = 48
ERASE_SCAN_BYTES_MAX: Final = 8 * GIB

# Sync through a place
PLACE_HEAD_BYTES_MAX: Final = 32 * MIB
PLACE_DELTAS_MAX: Final = 50
PLACE_DELTA_SHARE_MAX: Final = 0.5
PLACE_DELTA_BYTES_FREE: Final = 256 * KIB  # a chain this short is never worth a new base
PLACE_PAGES_MAX: Final = 10_000
PLACE_COMPLAINTS_MAX: Final = 100
PLACE_HEAD_AGE_MS: Final = 6 * 3_600_000  # a head is renewed at least so often: a sign of life
PEER_SILENT_WARN_MS: Final = 24 * 3_600_000
PEERS_NAMED_MAX: Final = 5
PEER_NAME_CHARS_MAX: Final = 63

# The swarm layout and its agents
LAYOUT_NAME_BYTES_MAX: Final = 96  # of a swarm, agent, session, type or id: all fit into one path
LAYOUT_TEXT_BYTES_MAX: Final = 160  # of a task or topic, which people write as sentences
AGENT_BEAT_MS: Final = 30_000
AGENT_SILENT_MS: Final = 10 * 60_000
AGENT_CHANGES_PAGE: Final = 2_000
SNAPSHOT_PART_BYTES: Final = 1 * MIB
SNAPSHOT_BYTES_MAX: Final = 64 * MIB
EXPIRING_SOON_MS: Final = 24 * 3_600_000

# Messages
MESSAGE_BYTES_MAX: Final = 64 * KIB  # what is longer is stored as a record, and its key is sent
MESSAGE_ID_CHARS_MAX: Final = 128
MESSAGE_TTL_MS: Final = 24 * 3_600_000
MESSAGE_TTL_MS_MAX: Final = 30 * 24 * 3_600_000
MESSAGE_TRIES: Final = 5
MESSAGE_TRIES_MAX: Final = 1_000
MESSAGE_VISIBLE_MS: Final = 30_000
MESSAGE_VISIBLE_MS_MAX: Final = 12 * 3_600_000
MESSAGE_DEAD_KEEP_MS: Final = 7 * 24 * 3_600_000
MESSAGE_RETRY_MS: Final = 1_000  # after the first failure; doubled after each one more
MESSAGE_RETRY_MS_MAX: Final = 60_000
MESSAGES_RECEIVED_MAX: Final = 1_000
MESSAGES_SETTLED_MAX: Final = 1_000  # of the expired and the dead, that one receive clears away
MESSAGE_PAGE: Final = 250
INBOX_MESSAGES_MAX: Final = 10_000
INBOX_BYTES_MAX: Final = 16 * MIB
SWARM_MEMBERS_MAX: Final = 1_000
MESSAGE_AGE_WARN_MS: Final = 3_600_000
MESSAGE_WAIT_S_MAX: Final = 24 * 3_600.0
WAIT_POLL_S_MIN: Final = 0.005
WAIT_POLL_S_MAX: Final = 0.25
WAIT_NOTIFIED_S_MAX: Final = 1.0  # where the server tells, this is only for what it does not tell

# Replication (CRDT_SPEC 5, 10)
DELTA_PAGE_BYTES: Final = 4 * MIB
DELTA_PAGE_BYTES_MAX: Final = 64 * MIB  # after decompression
DELTA_HEADER_BYTES_MAX: Final = 1 * MIB
DELTA_PAGES_MAX: Final = 1_000_000
DELTA_SPOOL_BYTES: Final = 8 * MIB  # beyond these, pages wait on the disk
MERGE_ROWS: Final = 1_000
ALARMS_MAX: Final = 100
PEER_SILENT_MS: Final = 7 * 24 * 3_600_000
LOG_KEEP_MS: Final = 7 * 24 * 3_600_000

# Export
EXPORT_LINE_BYTES_MAX: Final = 32 * MIB  # one record of JSON lines, with what stands beside it
EXPORT_SKIPPED_BYTES_MAX: Final = 256 * MIB  # of a longer line, that a reader passes over
EXPORT_NAMED_MAX: Final = 20  # records named in a report for each reason
EXPORT_KINDS_MAX: Final = 64  # files of a Parquet export; kinds beyond them share one
EXPORT_GROUP_BYTES: Final = 16 * MIB  # of values in a row group of Parquet
EXPORT_GROUP_ROWS: Final = 65_536
EXPORT_GROUPS_BYTES: Final = 64 * MIB  # of all row groups that are being gathered
EXPORT_MANIFEST_BYTES_MAX: Final = 64 * MIB
OUTLET_PART_BYTES: Final = 8 * MIB  # what a file that is being written holds in memory
