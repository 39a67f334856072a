"""What the figures are made of: plain values, read in one go. None is unknown, never nought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from memtend.model.latency import OpLatency
from memtend.model.message import MessageFacts
from memtend.model.stats import Stats


class Files(NamedTuple):
    wal_bytes: int | None = None
    disk_free_bytes: int | None = None


class Waits(NamedTuple):
    """`messages_age_ms` is None where no message waits."""

    expired: int
    expiring_day: int
    conflict_keys: int
    siblings_most: int
    leases_held: int
    leases_waiting: int
    messages: MessageFacts
    messages_age_ms: int | None
    clock_alarm_ms: int | None = None


class Saved(NamedTuple):
    """The newest backup, and the last drill."""

    age_ms: int
    bytes: int
    records: int
    seconds: float | None = None
    bytes_s: float | None = None


class Drilled(NamedTuple):
    """`age_ms` since one last passed."""

    age_ms: int | None
    rto_s: float
    rpo_s: float


class PeerSeen(NamedTuple):
    name: str
    silent_ms: int | None
    backlog: int


class Missed(NamedTuple):
    """Of what a rule has pruned."""

    rule: str
    pruned: int
    missed: int


class MetricFacts(NamedTuple):
    """`kinds` is rows and bytes by kind, `caches` hits and misses by cache, `models` how many
    milliseconds ago the model in use of each scenario was made."""

    stats: Stats
    files: Files
    kinds: Mapping[str, tuple[float, float]]
    compression: float | None
    store_quota_bytes: int | None
    latencies: tuple[OpLatency, ...]
    caches: Mapping[str, tuple[int, int]]
    waits: Waits
    backup: Saved | None
    drill: Drilled | None
    peers: tuple[PeerSeen, ...]
    ghosts: int
    missed: tuple[Missed, ...]
    alerts: Mapping[str, int]
    server_cache_share: float | None = None
    health_score: float | None = None
    health_checks: Mapping[str, int] | None = None
    models: Mapping[str, int] = {}
