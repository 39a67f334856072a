"""The figures of the open store: as they are now, as they were, and keeping them."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any

from memtend.clock import to_ms
from memtend.errors import StoreDamaged
from memtend.limits_upkeep import (
    LATENCY_HOURS,
    METRIC_FULL_MS,
    METRIC_NAMES_KEPT,
    METRIC_NAMES_SHOWN,
)
from memtend.serving.drills import Drills
from memtend.serving.peering import Peering
from memtend.store import catalog

if TYPE_CHECKING:
    from memtend.health.report import HealthReport
    from memtend.metrics.facts import Drilled, MetricFacts, Saved
    from memtend.metrics.figure import Figure
    from memtend.model.latency import OpLatency


class Measuring(Peering, Drills):
    """Metrics. Reading them costs about the same at any size of the store."""

    def figures(self, target: str | None = None) -> tuple[Figure, ...]:
        """Every figure that is known now; of backups, those into `target` or else the newest.

        What is not known has no figure. Raises `StoreDamaged` where what they are made of is none
        of what a store writes.
        """
        return self._figures_of(lambda: self._metric_facts(target), METRIC_NAMES_SHOWN)

    def record_figures(self, health: HealthReport | None = None) -> int:
        """Keep the figures of now in the history, with the score of `health`; how many.

        Of namespaces, agents and kinds the largest are kept. What is older is thinned meanwhile.
        """
        from memtend.metrics.thinning import thinned  # noqa: PLC0415
        from memtend.store import figured  # noqa: PLC0415

        self.memory.flush()
        # What was recorded earlier must not look as if it were judged again.
        judged = _judged(health) if health else {"health_score": None, "health_checks": None}
        now_ms = self.clock.now_ms()
        found = self._figures_of(
            lambda: self._metric_facts(None)._replace(**judged), METRIC_NAMES_KEPT
        )
        # How long a backup took is kept as it is taken.
        values = [(one.series, one.value) for one in found if one.name not in catalog.SPEEDS]
        kept = figured.record(self.store, now_ms, values)
        if self.clock.alarm_ms is None:  # under a clock alarm nothing is called old
            old = figured.times(self.store, now_ms - METRIC_FULL_MS)
            gone = ((name, at) for name, times in old.items() for at in thinned(times, now_ms))
            figured.drop(self.store, gone)
        return kept

    def figure_history(
        self, prefix: str = "", since_ms: int = 0
    ) -> dict[str, list[tuple[int, float]]]:
        """Points `(milliseconds, value)` of every series that begins with `prefix`, oldest
        first."""
        from memtend.store import figured  # noqa: PLC0415

        named = [name for name in figured.names(self.store) if name.startswith(prefix)]
        found = {name: figured.points(self.store, name, since_ms) for name in named}
        return {name: points for name, points in found.items() if points}

    def latencies(self, hours: int = LATENCY_HOURS) -> tuple[OpLatency, ...]:
        """How long each operation took, by the tier of what it met; of all who use the store."""
        from memtend.store.latencies import latencies  # noqa: PLC0415

        return latencies(self.store.engine, self.clock.now_ms(), hours)

    def _figures_of(self, ask: Callable[[], MetricFacts], names_max: int) -> tuple[Figure, ...]:
        """Each is a number with a name, whatever damage has put into the columns."""
        from memtend.metrics.figures import figures_of  # noqa: PLC0415

        try:
            found = figures_of(ask(), names_max)
            odd = [series for one in found if (series := one.series) and not isfinite(one.value)]
        except (ValueError, TypeError, LookupError) as error:
            raise StoreDamaged(url=self.store.url, why=f"no figures: {error}") from error
        if odd:
            raise StoreDamaged(url=self.store.url, why=f"no number: {odd[0]}")
        return found

    def _metric_facts(self, target: str | None) -> MetricFacts:
        from memtend.metrics.facts import Files, MetricFacts, Missed, PeerSeen, Waits  # noqa: PLC0415
        from memtend.resolving import crowding  # noqa: PLC0415
        from memtend.store import measured  # noqa: PLC0415
        from memtend.store.latencies import cache_reads, latencies  # noqa: PLC0415
        from memtend.store.models import in_use  # noqa: PLC0415

        store, now_ms = self.store, self.clock.now_ms()
        waiting = measured.backlog(store, store.meta())
        conflict_keys, siblings_most = crowding(self.memory)
        sample = measured.sample(store)
        score, checks = self._last_judged()
        return MetricFacts(
            stats=self.memory.stats(),
            files=Files(*self._files()),
            kinds=sample.kinds,
            compression=sample.text_bytes / sample.value_bytes if sample.value_bytes else None,
            store_quota_bytes=self.memory.config.file.quotas.store_bytes,
            latencies=latencies(store.engine, now_ms),
            caches=cache_reads(store.engine, now_ms),
            waits=Waits(
                expired=waiting.expired,
                expiring_day=waiting.expiring_day,
                conflict_keys=conflict_keys,
                siblings_most=siblings_most,
                leases_held=waiting.leases,
                leases_waiting=waiting.tickets,
                messages=waiting.messages,
                messages_age_ms=waiting.messages_age_ms,
                clock_alarm_ms=self.clock.alarm_ms,
            ),
            backup=self._saved(target),
            drill=self._drilled(target),
            peers=tuple(PeerSeen(p.name, p.silent_ms, p.backlog) for p in self.peer_facts()),
            ghosts=waiting.ghosts,
            missed=tuple(Missed(*one) for one in measured.regrets(store)),
            alerts=measured.standing_alerts(store),
            server_cache_share=measured.server_cache_share(store),
            health_score=score,
            health_checks=checks,
            models={name: now_ms - to_ms(one.made_at) for name, one in in_use(store).items()},
        )

    def _last_judged(self) -> tuple[float | None, dict[str, int]]:
        """The score and the levels of the last look that was recorded, unless it is long ago."""
        from memtend.health.report import Level  # noqa: PLC0415
        from memtend.metrics.catalogue import figure  # noqa: PLC0415
        from memtend.store import figured  # noqa: PLC0415

        score = figured.newest(self.store, "memtend_health_score")
        if score is None or score[0] < self.clock.now_ms() - METRIC_FULL_MS:
            return None, {}
        found = {
            level.value: figured.newest(
                self.store, figure("memtend_health_checks", 0, level=level.value).series
            )
            for level in Level
        }
        checks = {level: point for level, point in found.items() if point is not None}
        # Of a level that the last look has not met there is an older point, or none.
        return score[1], {k: int(point[1]) for k, point in checks.items() if point[0] == score[0]}

    def _files(self) -> tuple[int | None, int | None]:
        """Of a store that is a file: the bytes of its write-ahead log, and those free beside it."""
        path = self.store.engine.path
        if path is None:
            return None, None
        wal = f"{path}-wal"
        wal_bytes = os.path.getsize(wal) if os.path.exists(wal) else 0
        return wal_bytes, shutil.disk_usage(os.path.dirname(os.path.abspath(path))).free

    def _saved(self, target: str | None) -> Saved | None:
        from memtend.metrics.facts import Saved  # noqa: PLC0415
        from memtend.objects import address_of  # noqa: PLC0415
        from memtend.store import figured  # noqa: PLC0415

        last = catalog.last(self.store)
        entry = catalog.newest(self.store, address_of(target)) if target else last
        if entry is None:
            return None
        saved = Saved(max(0, self.clock.now_ms() - entry.at_ms), entry.size, entry.rows)
        if entry != last:  # how long it took is known of the last one only
            return saved
        took = [figured.newest(self.store, name) for name in catalog.SPEEDS]
        seconds, bytes_s = (point[1] if point else None for point in took)
        return saved._replace(seconds=seconds, bytes_s=bytes_s)

    def _drilled(self, target: str | None) -> Drilled | None:
        """The last drill of a target, or of whichever was drilled last."""
        from memtend.metrics.facts import Drilled  # noqa: PLC0415

        found = [self.drill_evidence(target)] if target else self.drills()
        known = [one for one in found if one is not None]
        if not known:
            return None
        evidence = max(known, key=lambda one: one.last.started_at)
        good, last = evidence.good_at, evidence.last
        age_ms = None if good is None else max(0, self.clock.now_ms() - to_ms(good))
        return Drilled(age_ms, last.rto_seconds, last.rpo_seconds)


def _judged(health: HealthReport) -> dict[str, Any]:
    levels = Counter(check.level.value for check in health.checks)
    return {"health_score": health.score, "health_checks": dict(sorted(levels.items()))}
