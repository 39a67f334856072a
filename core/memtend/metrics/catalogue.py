"""Every figure by name, with what it says. The one place where a figure gets its name.

Names are those of Prometheus: base units or none at the end, `_total` on what only grows. They are
part of the interface: dashboards and the history of figures hold on to them.
"""

from __future__ import annotations

from typing import Final

from memtend.metrics.figure import Figure

TOTAL: Final = "_total"
HELP: Final[dict[str, str]] = {
    # how much, and of whom
    "memtend_records": "Stored rows: each sibling, and expired ones until they are swept.",
    "memtend_bytes": "Bytes of values and metadata as stored.",
    "memtend_file_bytes": "Bytes of the database: the file, or the tables on the server.",
    "memtend_wal_bytes": "Bytes of the write-ahead log beside the file.",
    "memtend_disk_free_bytes": "Bytes free on the disk that the store is on.",
    "memtend_changes_total": "Changes since the store was made.",
    "memtend_namespace_records": "Stored rows of a namespace.",
    "memtend_namespace_bytes": "Bytes of a namespace.",
    "memtend_agent_records": "Stored rows of an agent.",
    "memtend_agent_bytes": "Bytes of an agent.",
    "memtend_kind_records": "Stored rows of a kind; of a large store estimated by a sample.",
    "memtend_kind_bytes": "Bytes of a kind; of a large store estimated by a sample.",
    "memtend_tier_records": "Stored rows by where their values are: hot, warm, cold.",
    "memtend_tier_bytes": "Bytes here by where values are: hot, warm (compressed), cold (stubs).",
    "memtend_compression_ratio": "Bytes of values as JSON over bytes as stored, by a sample.",
    "memtend_quota_share": "The share of its quota that the store, or a pressed agent, has used.",
    # how fast
    "memtend_latency_ms": "Milliseconds that operations took in the last 24 hours.",
    "memtend_operations_day": "Operations in the last 24 hours, about: reads are sampled.",
    "memtend_cache_hit_share": "The share of reads that a cache had: in the last 24 hours, or a "
    "server's since its statistics began.",
    "memtend_cache_reads_day": "Reads of a cache in the last 24 hours.",
    # what waits
    "memtend_expired_waiting": "Expired rows that no sweep has dropped yet.",
    "memtend_expiring_day": "Rows that expire within 24 hours.",
    "memtend_conflict_keys": "Keys that hold several concurrent values.",
    "memtend_siblings_most": "The most values that one key holds.",
    "memtend_messages_waiting": "Messages that nobody has acknowledged yet.",
    "memtend_messages_dead": "Dead letters.",
    "memtend_message_age_s": "Seconds since the oldest waiting message was sent.",
    "memtend_inbox_fullest_share": "The share of its bound that the fullest inbox has used.",
    "memtend_leases_held": "Leases that somebody holds.",
    "memtend_leases_waiting": "Waiters for leases.",
    "memtend_peer_silent_s": "Seconds since a peer was met.",
    "memtend_peer_backlog": "Changes that a peer has not seen.",
    # what was saved
    "memtend_backup_age_s": "Seconds since the newest backup.",
    "memtend_backup_bytes": "Bytes that the newest backup stored.",
    "memtend_backup_records": "Rows that the newest backup holds.",
    "memtend_backup_seconds": "Seconds that the newest backup took.",
    "memtend_backup_bytes_s": "Bytes a second that the newest backup stored.",
    "memtend_drill_age_s": "Seconds since a drill last passed.",
    "memtend_drill_rto_s": "Seconds that the last drill took to open the restored store.",
    "memtend_drill_rpo_s": "Seconds of changes that the last drill would have lost.",
    # what was put away, and what was missed of it
    "memtend_archive_bytes": "Bytes of the archive that hold values of this store.",
    "memtend_archive_saved_bytes": "Bytes that archiving saves; below nought where it costs.",
    "memtend_ghosts": "Pruned records of which the store still notes whether they are missed.",
    "memtend_pruned_total": "Records that a rule has pruned.",
    "memtend_missed_total": "Records that a rule has pruned and that were asked for since.",
    "memtend_regret_share": "The share of what a rule has pruned that was asked for since.",
    # how it is
    "memtend_health_score": "The score of health, 0 to 100, when it was last judged and recorded.",
    "memtend_health_checks": "Checks of health by their level, when it was last judged.",
    "memtend_alerts": "Alerts that stand, by level.",
    "memtend_clock_alarm_ms": "Milliseconds that the wall clock is off; absent where it is not.",
    "memtend_model_age_seconds": "Seconds since the model in use for a scenario was fitted.",
}


def figure(name: str, value: float, /, **labels: str) -> Figure:
    """A figure of the catalogue. Labels come in the order in which they are given."""
    return Figure(name, tuple(labels.items()), value, HELP[name], name.endswith(TOTAL))
