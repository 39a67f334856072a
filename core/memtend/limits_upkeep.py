"""Bounds and defaults of upkeep: pruning, optimization, metrics, health, alerts, the report."""

from __future__ import annotations

from typing import Final

from memtend.limits import MIB

# Pruning
PRUNE_SHARE_A_DAY_MAX: Final = 0.01  # of a namespace, without approval
PRUNE_ROWS_FREE: Final = 10  # a day in a namespace: of few records one percent is none
PRUNE_ROWS_FREE_ALL: Final = 100  # so many beyond that percent in all namespaces together
GHOST_KEEP_MS: Final = 90 * 24 * 3_600_000
PRUNE_PROFILES_MAX: Final = 32
PRUNE_NAMESPACES_KEPT_MAX: Final = 256  # patterns

# Optimization
DUPLICATE_BYTES_MIN: Final = 64  # of JSON: what is shorter is a state, and no statement
DUPLICATE_PAGE_BYTES: Final = 8 * MIB
ALIKE_TOLD_MAX: Final = 10_000  # by name in a plan; all are counted
NEAR_SIMILARITY_MIN: Final = 0.8  # of the words in threes that two values have in common
NEAR_RECORDS_MAX: Final = 50_000  # that one look for near duplicates reads
NEAR_WORDS_MAX: Final = 2_000  # of a value; what follows is not compared
COMPRESS_SAMPLES: Final = 64  # of a kind, by which it is judged what compressing again would save
COMPRESS_SAVES_MIN: Final = 0.05  # of its bytes, for a value to be written again
COMPRESS_LEVEL: Final = 15  # of what is written again; a read takes the same time at any level
TRAIN_SAMPLES_MAX: Final = 1_000
TRAIN_BYTES_MAX: Final = 4 * MIB
TRAIN_SAVES_MIN: Final = 0.1  # of the bytes of a kind, for a new dictionary to be worth it
DICTIONARY_KEEP_MS: Final = 7 * 24 * 3_600_000  # after the next one of its kind was trained
FREE_BYTES_MIN: Final = 4 * MIB  # inside the file, for giving it back to be worth it
FREE_PAGES_SLICE: Final = 256
REWRITE_SHARE_MIN: Final = 0.25  # of the file that lies free, for rewriting it to be worth it
DAMAGED_MAX: Final = 10_000  # rows of one plan

# Metrics
LATENCY_READ_EVERY: Final = 127  # one get of so many is timed; prime, so that no rhythm hides
LATENCY_WRITE_EVERY: Final = 13
LATENCY_FLUSH_MS: Final = 60_000
LATENCY_KEEP_HOURS: Final = 72
LATENCY_HOURS: Final = 24
METRIC_NAMES_SHOWN: Final = 200  # namespaces, agents, kinds: the largest of each
METRIC_NAMES_KEPT: Final = 20  # the same in the history
METRIC_COUNT_MAX: Final = 100_000
METRIC_SAMPLE_ROWS: Final = 1_024  # by which kinds and compression are estimated
METRIC_SAMPLE_STRETCHES: Final = 64
METRIC_KEEP_MS: Final = 2 * 365 * 24 * 3_600_000
METRIC_FULL_MS: Final = 2 * 24 * 3_600_000  # every point
METRIC_HOURLY_MS: Final = 14 * 24 * 3_600_000  # one an hour; after that one a day

# Health
HEALTH_SAMPLE_ROWS: Final = 256  # read and checked in one look, one after another
HEALTH_SAMPLE_BYTES: Final = 1 * MIB
HEALTH_SPREAD_ROWS: Final = 256  # spread over the store, by which is estimated what would be saved
HEALTH_TRIAL_ROWS: Final = 32  # of them, compressed to see what it gives
HEALTH_TABLE_ROWS: Final = 100  # of each small table
HEALTH_TAGS_MAX: Final = 16
HEALTH_DAMAGED_MAX: Final = 100  # rows that are looked at again until they are whole or gone
HEALTH_AUDIT_ENTRIES: Final = 64  # the last of the trail
HEALTH_CHANGES: Final = 1_000  # the last, of which it is asked whether they are in conflict
HEALTH_CROWD_ROWS: Final = 5_000  # of contested namespaces, up to which all are counted
HEALTH_NEWS_ROWS: Final = 20_000  # changes up to which older values are looked for
HEALTH_SEGMENTS: Final = 16  # of the newest backup, that are asked for in the target
STATISTICS_ROWS_MIN: Final = 50_000  # of fewer rows no plan is wrong
WAL_WARN_BYTES: Final = 128 * MIB
LOG_WARN_MS: Final = 14 * 24 * 3_600_000
LOG_WARN_ROWS: Final = 100_000
LEASE_QUEUE_WARN: Final = 50  # who wait for one resource
SAVING_BYTES_MIN: Final = 256 * 1024  # less is not worth a word
SAVING_SHARE_MIN: Final = 0.01  # of what the store takes
SAVING_MS_MIN: Final = 1_000.0  # a day

# Several processes
WORKERS_MAX: Final = 64  # of one flow
SHARDS_A_WORKER: Final = 4  # so that nobody waits long for whoever has the largest
SHARD_ROWS_MIN: Final = 100_000  # of a plan: about a second's work, less is no task
WORKERS_WAIT_S: Final = 60.0  # until the first of them answers

# Alerts
AGENT_BYTES_WARN: Final = 60 * MIB
AGENT_BYTES_ERROR: Final = 80 * MIB
STORE_BYTES_WARN: Final = 600 * MIB
STORE_BYTES_ERROR: Final = 800 * MIB
QUERY_P95_WARN_MS: Final = 100.0
QUERIES_MIN: Final = 100  # a percentile of fewer says nothing
CACHE_HIT_WARN_SHARE: Final = 0.5
CACHE_READS_MIN: Final = 1_000  # a cache that was just opened misses
REGRET_WARN_SHARE: Final = 0.05  # of what a rule has pruned, somebody asked for since
REGRET_ERROR_SHARE: Final = 0.2
REGRET_PRUNED_MIN: Final = 20
ALERT_CALM_SHARE: Final = 0.1  # so far back within a limit before a level ends
ALERT_FLAP_MS: Final = 24 * 3_600_000
ALERT_FLAP_OPENINGS: Final = 3  # within that time
ALERT_CALM_MS: Final = 6 * 3_600_000  # one that keeps coming back ends after so long a rest
ALERT_SAMPLE_MS: Final = 24 * 3_600_000  # so does one that only a part of the looks can see
ALERT_LAPSE_MS: Final = 7 * 24 * 3_600_000  # a refusal that was not repeated
ALERT_REMIND_MS: Final = 24 * 3_600_000
ALERT_KEEP_MS: Final = 90 * 24 * 3_600_000
ALERT_TELL_LATE_MS: Final = 7 * 24 * 3_600_000  # that something ended, to whom it was not told
ALERT_TELLING_MS: Final = 120_000  # after that, whoever began to tell has died
ALERT_SCOPES_MAX: Final = 100  # standing alerts of one rule
ALERT_CHARS_MAX: Final = 500  # of a fact, a hint, a note
ALERT_SHOWN_MAX: Final = 20  # in one message
ALERT_ADDRESSES_MAX: Final = 32
ALERT_CHANNELS_MAX: Final = 64  # remembered: those of the settings, and some that were there before
ALERTS_KEPT_MAX: Final = 10_000
SILENCES_MAX: Final = 200
SILENCE_MS_MAX: Final = 366 * 24 * 3_600_000

# Report
REPORT_HISTORY_MS: Final = 90 * 24 * 3_600_000
REPORT_POINTS_MAX: Final = 120  # of a line, after thinning
REPORT_SAMPLE_ROWS: Final = 2_000  # what kinds there are is told from so many
REPORT_SAMPLE_WINDOWS: Final = 100
REPORT_DUE_COUNTED_MAX: Final = 5_000  # in one stretch of time; from there on it is estimated
REPORT_ROWS_SHOWN: Final = 12
REPORT_ROWS_MAX: Final = 200  # of a table that is opened
REPORT_RUNS_MAX: Final = 60  # manifests of the archive that are read
REPORT_NAME_CHARS_MAX: Final = 80
REPORT_TEXT_CHARS_MAX: Final = 400
FORECAST_POINTS_MIN: Final = 6
FORECAST_SPAN_MS_MIN: Final = 3 * 24 * 3_600_000
FORECAST_MS_MAX: Final = 90 * 24 * 3_600_000
FORECAST_SHARE: Final = 0.8  # of earlier forecasts lay within the band
