"""The report: everything that is known of the store, gathered and written as one page.

Nothing is scanned: totals, catalog, histories, samples and bounded counts, as everywhere in upkeep.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from memtend.clock import to_datetime, to_ms
from memtend.errors import MemtendError, NoArchive
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
    from memtend.model.stats import Share
    from memtend.report import facts as told
    from memtend.store.sizes import Sample

_BACKUPS_SHOWN: Final = 1_000
_PRUNES_SHOWN: Final = 1_000
_ORDER: Final = ("ok", "warning", "critical")
NOBODY: Final = ""


class Reporting(Archives):
    """One page about one store. What it asks of the other parts is all declared here."""

    if TYPE_CHECKING:

        def health(self, target_url: str | None = None, *, full: bool = False) -> HealthReport: ...
        def alerts(self, ended: int = 0) -> tuple[Alert, ...]: ...
        def latencies(self, hours: int = LATENCY_HOURS) -> tuple[OpLatency, ...]: ...
        def regrets(self) -> list[Regret]: ...

    def write_report(
        self, path: str, target_url: str | None = None, *, health: HealthReport | None = None
    ) -> told.ReportWritten:
        """Write the page to a path or fsspec URL, in the place of what is there.

        It is there whole or not at all. With a target, health looks at its backups too; `health` is
        a report that somebody has made just now. Raises `ReportPackageMissing`.
        """
        from memtend.objects.outlet import open_outlet  # noqa: PLC0415
        from memtend.report.drawing import require_packages  # noqa: PLC0415
        from memtend.report.facts import ReportWritten  # noqa: PLC0415
        from memtend.report.page import render  # noqa: PLC0415

        require_packages()
        began_ns = self.clock.monotonic_ns()
        facts = self.report_facts(target_url, health=health)
        page = render(facts).encode("utf-8", "backslashreplace")
        outlet = open_outlet(path, self.clock)
        with outlet.single(replace=True) as file:
            file.write(page)
        return ReportWritten(
            path=outlet.url,
            bytes=len(page),
            at=facts.at,
            store_id=facts.store_id,
            records=facts.records,
            stored_bytes=facts.bytes,
            score=facts.score,
            level=facts.level,
            alerts=len(facts.alarms),
            seconds=(self.clock.monotonic_ns() - began_ns) / 1e9,
        )

    def report_facts(
        self, target_url: str | None = None, *, health: HealthReport | None = None
    ) -> told.ReportFacts:
        """What the page is made of, as plain values."""
        from memtend.report.facts import ReportFacts, Saved, Sized  # noqa: PLC0415
        from memtend.store.measured import sample as measured  # noqa: PLC0415
        from memtend.store.sizes import sample  # noqa: PLC0415

        self.memory.flush()
        judged = health or self.health(target_url)
        meta, stats = self.store.meta(), self.memory.stats()
        seen, sizes = sample(self.store), measured(self.store)

        def sized(shares: tuple[Share, ...]) -> tuple[Sized, ...]:
            return tuple(Sized(one.name, one.records, one.bytes) for one in shares)

        return ReportFacts(
            url=self.store.url,
            store_id=meta.store_id,
            at=to_datetime(self.clock.now_ms()),
            made_at=to_datetime(meta.created_ms),
            program=self._program(),
            records=stats.records,
            bytes=stats.bytes,
            file_bytes=stats.file_bytes,
            changes=stats.changes,
            quota_bytes=self.memory.config.file.quotas.store_bytes,
            namespaces=sized(stats.namespaces),
            agents=sized(stats.agents),
            tiers=sized(stats.tiers),
            kinds=self._kinds(seen, stats.records, stats.bytes),
            saved=Saved(
                stats.archived.records, stats.archived.before_bytes, stats.archived.stub_bytes,
                stats.archived.archive_bytes,
            ),
            compression=sizes.value_bytes / sizes.text_bytes if sizes.text_bytes else None,
            expiry=self._expiry(seen),
            **self._judged(judged),
            **self._histories(),
            **self._put_away(),
            **self._saved_where(),
        )  # fmt: skip

    def _judged(self, health: HealthReport) -> dict[str, Any]:
        """What is wrong, what could be better, of what somebody was told."""
        from memtend.report.facts import Alarm, Chance, Checked, Speed  # noqa: PLC0415

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
            "alarms": tuple(
                Alarm(
                    one.level.value, one.rule, one.scope, one.state.value, one.fact, one.hint,
                    to_ms(one.first_at),
                )
                for one in self.alerts()
            ),
            "speeds": tuple(
                Speed(one.op, one.tier, one.count, one.p50_ms, one.p95_ms, one.p99_ms)
                for one in self.latencies()
            ),
        }  # fmt: skip

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

    def _expiry(self, seen: Sample) -> tuple[told.Due, ...]:
        from memtend.report.expiring import dues, edges  # noqa: PLC0415
        from memtend.store.sizes import due  # noqa: PLC0415

        now_ms = self.clock.now_ms()
        return dues(now_ms, due(self.store, edges(now_ms), seen))

    def _put_away(self) -> dict[str, Any]:
        """Prunes, what was missed of them, and the runs of the archive."""
        from memtend.report.facts import ArchiveMove, Missed, Prune  # noqa: PLC0415

        known = prunings.history(self.store, _PRUNES_SHOWN)
        # What was pruned lies in the archive, too; but it is gone from here, and no stub.
        of_prunes = {run for one in known for run in one.runs}
        moves: tuple[ArchiveMove, ...] = ()
        note = ""
        try:
            with suppress(NoArchive):
                moves = tuple(one for one in self._moves() if one.run not in of_prunes)
        except MemtendError as error:  # it may be elsewhere, and away; the store is still here
            note = str(error)
        return {
            "prunes": tuple(
                Prune(
                    one.at_ms, one.plan, one.records, one.size, one.undone_ms,
                    tuple(one.rules.items()),
                )
                for one in known
            ),
            "regrets": tuple(
                Missed(one.rule, one.namespace, one.pruned, one.missed, one.reads)
                for one in self.regrets()
            ),
            "moves": moves,
            "archive_note": note,
        }  # fmt: skip

    def _moves(self) -> tuple[told.ArchiveMove, ...]:
        """The newest runs; a large archive is not read to its beginning."""
        from memtend.archive.manifest import Part  # noqa: PLC0415
        from memtend.archive.survey import runs  # noqa: PLC0415
        from memtend.report.facts import ArchiveMove  # noqa: PLC0415

        vault = self._vault()
        newest = islice(reversed(vault.names()), REPORT_RUNS_MAX)
        said = [(name, vault.manifest(name)) for name in newest]
        parts = [(name, one) for name, one in reversed(said) if isinstance(one, Part)]
        return tuple(
            ArchiveMove(one.run, to_ms(one.at), one.records, tuple(one.rules.items()))
            for one in runs(parts)
        )

    def _saved_where(self) -> dict[str, Any]:
        """Backups as the store knows them, and what drills have shown; no target is asked."""
        from memtend.backup.drill_report import Evidence  # noqa: PLC0415
        from memtend.report.facts import Backup, Drill  # noqa: PLC0415

        drills = []
        for name, text in sound(self.store.engine.read("settings")):
            if name.startswith(EVIDENCE):
                found = Evidence.model_validate_json(text)
                failed = "; ".join(one.fact for one in found.last.checks if not one.ok)
                good_ms = to_ms(found.good_at) if found.good_at else None
                at_ms, place = to_ms(found.last.started_at), name.removeprefix(EVIDENCE)
                drills.append(Drill(place, at_ms, found.last.ok, failed, good_ms))
        return {
            "backups": tuple(
                Backup(one.at_ms, one.url, one.rows, one.size, one.verified_ms)
                for one in catalog.entries(self.store, _BACKUPS_SHOWN)
            ),
            "drills": tuple(drills),
        }
