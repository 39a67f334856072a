"""Facts of a store as figures. Pure.

Of names (namespaces, agents, kinds) the largest are shown: an endless number of series is what
takes a monitoring system down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import nlargest
from itertools import chain

from memtend.limits_upkeep import METRIC_NAMES_SHOWN
from memtend.metrics.catalogue import figure
from memtend.metrics.facts import Drilled, Files, MetricFacts, Missed, PeerSeen, Saved, Waits
from memtend.metrics.figure import Figure
from memtend.model.latency import OpLatency
from memtend.model.stats import Share, Stats

_QUANTILES = ("0.5", "0.95", "0.99")


def figures_of(facts: MetricFacts, names_max: int = METRIC_NAMES_SHOWN) -> tuple[Figure, ...]:
    """Every figure that is known. In order of topic; those of one name stand together."""
    return tuple(
        chain(
            _sizes(facts.stats, names_max),
            _files(facts.files),
            _kinds(facts.kinds, names_max),
            _one("memtend_compression_ratio", facts.compression),
            _quotas(facts.stats, facts.store_quota_bytes),
            _speeds(facts.latencies),
            _caches(facts.caches, facts.server_cache_share),
            _waits(facts.waits),
            _peers(facts.peers),
            _backup(facts.backup),
            _drill(facts.drill),
            _archive(facts.stats),
            [figure("memtend_ghosts", facts.ghosts)],
            _regret(facts.missed),
            _one("memtend_health_score", facts.health_score),
            _levels("memtend_health_checks", facts.health_checks or {}),
            _levels("memtend_alerts", facts.alerts),
            _models(facts.models),
        )
    )


def _sizes(stats: Stats, names_max: int) -> Iterator[Figure]:
    yield figure("memtend_records", stats.records)
    yield figure("memtend_bytes", stats.bytes)
    yield figure("memtend_file_bytes", stats.file_bytes)
    yield figure("memtend_changes_total", stats.changes)
    for label, shares in (("namespace", stats.namespaces), ("agent", stats.agents)):
        largest = nlargest(names_max, shares, key=lambda share: share.bytes)
        yield from _shares(label, largest)
    yield from _shares("tier", stats.tiers)


def _shares(label: str, shares: Iterable[Share]) -> Iterator[Figure]:
    held = list(shares)
    yield from (figure(f"memtend_{label}_records", s.records, **{label: s.name}) for s in held)
    yield from (figure(f"memtend_{label}_bytes", s.bytes, **{label: s.name}) for s in held)


def _files(files: Files) -> Iterator[Figure]:
    yield from _one("memtend_wal_bytes", files.wal_bytes)
    yield from _one("memtend_disk_free_bytes", files.disk_free_bytes)


def _kinds(kinds: Mapping[str, tuple[float, float]], names_max: int) -> Iterator[Figure]:
    largest = nlargest(names_max, kinds.items(), key=lambda item: item[1][1])
    for column, unit in enumerate(("records", "bytes")):
        for kind, held in largest:
            yield figure(f"memtend_kind_{unit}", round(held[column]), kind=kind)


def _quotas(stats: Stats, store_quota_bytes: int | None) -> Iterator[Figure]:
    name = "memtend_quota_share"
    if store_quota_bytes:
        yield figure(name, stats.bytes / store_quota_bytes, scope="store", name="all")
    for one in stats.pressure:
        if one.scope != "store":
            yield figure(name, one.share, scope=one.scope, name=one.name)


def _speeds(latencies: Iterable[OpLatency]) -> Iterator[Figure]:
    found = list(latencies)
    for op, tier, _, *quantiles in found:
        for quantile, ms in zip(_QUANTILES, quantiles, strict=True):
            yield figure("memtend_latency_ms", ms, op=op, tier=tier, quantile=quantile)
    for one in found:
        yield figure("memtend_operations_day", one.operations, op=one.op, tier=one.tier)


def _caches(caches: Mapping[str, tuple[int, int]], server_share: float | None) -> Iterator[Figure]:
    read = {cache: (hits, hits + misses) for cache, (hits, misses) in caches.items()}
    for cache, (hits, reads) in read.items():
        if reads:
            yield figure("memtend_cache_hit_share", hits / reads, cache=cache)
    if server_share is not None:
        yield figure("memtend_cache_hit_share", server_share, cache="server")
    for cache, (_, reads) in read.items():
        yield figure("memtend_cache_reads_day", reads, cache=cache)


def _waits(waits: Waits) -> Iterator[Figure]:
    yield figure("memtend_expired_waiting", waits.expired)
    yield figure("memtend_expiring_day", waits.expiring_day)
    yield figure("memtend_conflict_keys", waits.conflict_keys)
    yield figure("memtend_siblings_most", waits.siblings_most)
    yield figure("memtend_messages_waiting", waits.messages.waiting)
    yield figure("memtend_messages_dead", waits.messages.dead)
    yield from _one("memtend_message_age_s", _s(waits.messages_age_ms))
    yield figure("memtend_inbox_fullest_share", waits.messages.fullest)
    yield figure("memtend_leases_held", waits.leases_held)
    yield figure("memtend_leases_waiting", waits.leases_waiting)
    yield from _one("memtend_clock_alarm_ms", waits.clock_alarm_ms)


def _peers(peers: Iterable[PeerSeen]) -> Iterator[Figure]:
    found = list(peers)
    for peer in found:
        if peer.silent_ms is not None:
            yield figure("memtend_peer_silent_s", peer.silent_ms / 1_000, peer=peer.name)
    yield from (figure("memtend_peer_backlog", peer.backlog, peer=peer.name) for peer in found)


def _backup(backup: Saved | None) -> Iterator[Figure]:
    if backup is not None:
        yield figure("memtend_backup_age_s", backup.age_ms / 1_000)
        yield figure("memtend_backup_bytes", backup.bytes)
        yield figure("memtend_backup_records", backup.records)
        yield from _one("memtend_backup_seconds", backup.seconds)
        yield from _one("memtend_backup_bytes_s", backup.bytes_s)


def _drill(drill: Drilled | None) -> Iterator[Figure]:
    if drill is not None:
        yield from _one("memtend_drill_age_s", _s(drill.age_ms))
        yield figure("memtend_drill_rto_s", drill.rto_s)
        yield figure("memtend_drill_rpo_s", drill.rpo_s)


def _archive(stats: Stats) -> Iterator[Figure]:
    if stats.archived.records:
        yield figure("memtend_archive_bytes", stats.archived.archive_bytes)
        yield figure("memtend_archive_saved_bytes", stats.archived.saved_bytes)


def _regret(missed: Iterable[Missed]) -> Iterator[Figure]:
    rules = [one for one in missed if one.pruned]
    yield from (figure("memtend_pruned_total", one.pruned, rule=one.rule) for one in rules)
    yield from (figure("memtend_missed_total", one.missed, rule=one.rule) for one in rules)
    for one in rules:
        yield figure("memtend_regret_share", one.missed / one.pruned, rule=one.rule)


def _models(models: Mapping[str, int]) -> Iterator[Figure]:
    for scenario, age_ms in models.items():
        yield figure("memtend_model_age_seconds", age_ms / 1_000, scenario=scenario)


def _levels(name: str, counts: Mapping[str, int]) -> Iterator[Figure]:
    yield from (figure(name, count, level=level) for level, count in counts.items())


def _one(name: str, value: float | None) -> Iterator[Figure]:
    if value is not None:
        yield figure(name, value)


def _s(ms: int | None) -> float | None:
    return None if ms is None else ms / 1_000
