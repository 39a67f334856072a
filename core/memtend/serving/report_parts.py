"""The parts of the report, each asked of those who know, as plain values.

Nothing is scanned: totals, catalog, histories, samples and bounded counts, as everywhere in upkeep.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from memtend.clock import to_ms
from memtend.errors import NoArchive
from memtend.limits_upkeep import LATENCY_HOURS, REPORT_HISTORY_MS, REPORT_RUNS_MAX
from memtend.serving.archives import Archives
from memtend.serving.drills import EVIDENCE
from memtend.store import catalog, prunings
from memtend.store.upkeep import sound

if TYPE_CHECKING:
    from memtend.health.report import HealthReport
    from memtend.model.alert import Alert
    from memtend.model.latency import OpLatency
    from memtend.model.pruned import Regret
    from memtend.report import facts as told
    from memtend.store.sizes import Sample

_BACKUPS_SHOWN: Final = 1_000
_PRUNES_SHOWN: Final = 1_000
_ORDER: Final = ("ok", "warning", "critical")
NOBODY: Final = ""


class ReportParts(Archives):
    """What is asked of the other parts of the services is all declared here."""

    if TYPE_CHECKING:

        def health(self, target_url: str | None = None, *, full: bool = False) -> HealthReport: ...
        def alerts(self, ended: int = 0) -> tuple[Alert, ...]: ...
        def latencies(self, hours: int = LATENCY_HOURS) -> tuple[OpLatency, ...]: ...
        def regrets(self) -> list[Regret]: ...

    def _judged(self, health: HealthReport) -> dict[str, Any]:
        """What is wrong, the worst first, and what could be better."""
        from memtend.report.facts import Chance, Checked  # noqa: PLC0415

        checks = sorted(health.checks, key=lambda one: -_ORDER.index(one.level.value))
        return {
            "score": health.score,
            "level": health.level.value,
            "checks": tuple(
                Checked(one.name, one.level.value, one.fact, one.hint, one.penalty)
                for one in checks
            ),
            "chances": tuple(
                Chance(one.name, one.fact, one.saves_bytes, one.saves_ms, one.command)
                for one in health.opportunities
            ),
        }

    def _alarms(self) -> dict[str, Any]:
        from memtend.report.facts import Alarm  # noqa: PLC0415

        return {
            "alarms": tuple(
                Alarm(
                    one.level.value, one.rule, one.scope, one.state.value, one.fact, one.hint,
                    to_ms(one.opened_at),
                )
                for one in self.alerts()
            )
        }  # fmt: skip

    def _speeds(self) -> dict[str, Any]:
        from memtend.report.facts import Speed  # noqa: PLC0415

        return {
            "speeds": tuple(
                Speed(one.op, one.tier, one.operations, one.p50_ms, one.p95_ms, one.p99_ms)
                for one in self.latencies()
            )
        }

    def _histories(self) -> dict[str, Any]:
        from memtend.report.facts import Point  # noqa: PLC0415
        from memtend.store import figured  # noqa: PLC0415

        since = self.clock.now_ms() - REPORT_HISTORY_MS
        names = {"growth": "memtend_bytes", "scores": "memtend_health_score"}
        return {
            what: tuple(Point(*one) for one in figured.points(self.store, name, since))
            for what, name in names.items()
        }

    def _kinds(self, seen: Sample, records: int, held: int) -> told.Kinds:
        """The sample's shares, blown up to the totals that are known exactly."""
        from memtend.report.facts import Kinds, KindShare  # noqa: PLC0415

        rows, sizes = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for one in seen.rows:
            place = (one.agent or NOBODY, one.kind)
            rows[place] += 1
            sizes[place] += one.size
        all_rows, all_bytes = max(1, rows.total()), max(1, sizes.total())
        shares = tuple(
            KindShare(
                agent, kind, round(count * records / all_rows),
                round(sizes[agent, kind] * held / all_bytes),
            )
            for (agent, kind), count in rows.items()
        )  # fmt: skip
        return Kinds(shares, len(seen.rows), seen.of)

    def _expiry(self, seen: Sample) -> dict[str, Any]:
        from memtend.report.expiring import dues, edges  # noqa: PLC0415
        from memtend.store.sizes import due  # noqa: PLC0415

        now_ms = self.clock.now_ms()
        return {"expiry": dues(now_ms, due(self.store, edges(now_ms), seen))}

    def _prunes(self) -> dict[str, Any]:
        from memtend.report.facts import Missed, Prune  # noqa: PLC0415

        return {
            "prunes": tuple(
                Prune(
                    one.at_ms, one.plan, one.records, one.size, one.undone_ms,
                    tuple(one.rules.items()),
                )
                for one in prunings.history(self.store, _PRUNES_SHOWN)
            ),
            "regrets": tuple(
                Missed(one.rule, one.namespace, one.pruned, one.missed, one.reads)
                for one in self.regrets()
            ),
        }  # fmt: skip

    def _moves(self) -> dict[str, Any]:
        """The newest runs of the archive; a large one is not read to its beginning.

        What was pruned lies there, too. It is gone from here and no stub, and so left out.
        """
        from memtend.archive.manifest import Part  # noqa: PLC0415
        from memtend.archive.survey import runs  # noqa: PLC0415
        from memtend.report.facts import ArchiveMove  # noqa: PLC0415

        try:
            vault = self._vault()
        except NoArchive:
            return {}
        newest = islice(reversed(vault.names()), REPORT_RUNS_MAX)
        said = [(name, vault.manifest(name)) for name in newest]
        parts = [(name, one) for name, one in reversed(said) if isinstance(one, Part)]
        known = prunings.history(self.store, _PRUNES_SHOWN)
        of_prunes = {run for one in known for run in one.runs}
        return {
            "moves": tuple(
                ArchiveMove(one.run, to_ms(one.at), one.records, tuple(one.rules.items()))
                for one in runs(parts)
                if one.run not in of_prunes
            )
        }

    def _backups_known(self) -> dict[str, Any]:
        """As the catalog has them; no target is asked."""
        from memtend.report.facts import Backup  # noqa: PLC0415

        return {
            "backups": tuple(
                Backup(one.at_ms, one.url, one.rows, one.size, one.verified_ms)
                for one in catalog.entries(self.store, _BACKUPS_SHOWN)
            )
        }

    def _learned(self) -> dict[str, Any]:
        from memtend.serving.learned_parts import learned_parts  # noqa: PLC0415

        return learned_parts(self.store)

    def _drills(self) -> dict[str, Any]:
        from memtend.backup.drill_report import Evidence  # noqa: PLC0415
        from memtend.report.facts import Drill  # noqa: PLC0415

        drills = []
        for name, text in sound(self.store.engine.read("settings")):
            if name.startswith(EVIDENCE):
                found = Evidence.model_validate_json(text)
                failed = "; ".join(one.fact for one in found.last.checks if not one.ok)
                good_ms = to_ms(found.good_at) if found.good_at else None
                at_ms, place = to_ms(found.last.started_at), name.removeprefix(EVIDENCE)
                drills.append(Drill(place, at_ms, found.last.ok, failed, good_ms))
        return {"drills": tuple(drills)}
