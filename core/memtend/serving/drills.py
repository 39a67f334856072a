"""Drills: the newest backup is restored into a scratch file, and what comes out is looked at.

A backup that nobody has restored is a hope. A drill does what a restore does, in a place where it
cannot hurt: it reads and checks every object, builds a store, opens it, verifies every byte, reads
records as an agent would, and at last changes one bit on the way and sees that this is noticed.
What it found is kept in the live store, where health looks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.clock import to_datetime, to_ms
from memtend.serving.base import Serving
from memtend.store.meta import crc_of

if TYPE_CHECKING:
    from memtend.backup.drill_report import DrillReport, Evidence

EVIDENCE = "drill:"
"""Settings whose names begin so hold the evidence of drills, one for each target."""


class Drills(Serving):
    """Proof that the newest backup can be restored."""

    def drill(self, target: str | None = None, *, scratch: str | None = None) -> DrillReport:
        """Restore the newest backup into a scratch folder and say what was found.

        What is wrong with the backup is in the report; raises only where there is no backup, or
        the target cannot be reached.
        """
        import tempfile  # noqa: PLC0415

        from memtend.backup.drill_report import DrillReport  # noqa: PLC0415
        from memtend.serving.drilling import Drilling  # noqa: PLC0415
        from memtend.serving.wishing import open_repository, wishing  # noqa: PLC0415

        began_ns, started_ms = self.clock.monotonic_ns(), self.clock.now_ms()
        repository = open_repository(target or self.settings.backup_url, self.settings, self.clock)
        with wishing(repository, self.store, None, None) as (choice, wished):
            manifest = choice.manifest
            drilling = Drilling(self, repository, wished, str(choice.name))
            with tempfile.TemporaryDirectory(prefix="memtend-drill-", dir=scratch) as folder:
                drilling.run(f"{folder}/drill.db")
        report = DrillReport(
            url=repository.store.url,
            store_id=manifest.store.store_id,
            manifest=str(choice.name),
            backup_at=manifest.at,
            checks=tuple(drilling.checks),
            rows=drilling.rows,
            root=drilling.root,
            state_sum=drilling.total,
            reads=drilling.reads,
            rpo_seconds=max(0, started_ms - to_ms(manifest.at)) / 1_000,
            rto_seconds=drilling.open_ns / 1e9,
            started_at=to_datetime(started_ms),
            seconds=(self.clock.monotonic_ns() - began_ns) / 1e9,
        )
        self._keep_evidence(report)
        return report

    def drill_evidence(self, target: str | None = None) -> Evidence | None:
        """What the last drill of this target found, and when one last passed."""
        from memtend.objects import address_of  # noqa: PLC0415

        return self._evidence(address_of(target or self.settings.backup_url))

    def drills(self) -> list[Evidence]:
        """What the last drill of each target found."""
        from memtend.backup.drill_report import Evidence  # noqa: PLC0415

        kept = {row[0]: row[1] for row in self.store.engine.read("settings")}
        found = (text for name, text in kept.items() if name.startswith(EVIDENCE))
        return [Evidence.model_validate_json(text) for text in found]

    def _evidence(self, url: str) -> Evidence | None:
        from memtend.backup.drill_report import Evidence  # noqa: PLC0415

        rows = self.store.engine.read("setting", (EVIDENCE + url,))
        return Evidence.model_validate_json(rows[0][0]) if rows else None

    def _keep_evidence(self, report: DrillReport) -> None:
        from memtend.backup.drill_report import Evidence  # noqa: PLC0415

        before = self._evidence(report.url)
        good_at = report.started_at if report.ok else before.good_at if before else None
        name = EVIDENCE + report.url
        text = Evidence(last=report, good_at=good_at).model_dump_json()
        with self.store.change("drill") as (change, _):
            change.tx.run("save_setting", (name, text, crc_of((name, text))))
            verdict = "passed" if report.ok else "failed"
            change.note("drill", f"{verdict} {report.manifest}")
