"""The report: everything that is known of the store, gathered and written as one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memtend.clock import to_datetime
from memtend.errors import MemtendError, ReportTaken
from memtend.serving.report_parts import ReportParts

if TYPE_CHECKING:
    from memtend.health.report import HealthReport
    from memtend.model.stats import Share
    from memtend.objects.outlet import Outlet
    from memtend.report import facts as told


class Reporting(ReportParts):
    """One page about one store."""

    def write_report(
        self, path: str, target_url: str | None = None, *, health: HealthReport | None = None
    ) -> told.ReportWritten:
        """Write the page to a path or fsspec URL, in the place of an earlier one.

        It is there whole or not at all. With a target, health looks at its backups too; `health` is
        a report that somebody has made just now. Raises `ReportPackageMissing`, and `ReportTaken`
        where something else is.
        """
        from memtend.objects.outlet import open_outlet  # noqa: PLC0415
        from memtend.report.drawing import require_packages  # noqa: PLC0415
        from memtend.report.facts import ReportWritten  # noqa: PLC0415
        from memtend.report.page import render  # noqa: PLC0415

        require_packages()
        outlet = open_outlet(path, self.clock)
        _check_place(outlet)
        began_ns = self.clock.monotonic_ns()
        facts = self.report_facts(target_url, health=health)
        page = render(facts).encode("utf-8", "backslashreplace")
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
            alerts=None if "alerts" in {one.part for one in facts.unread} else len(facts.alarms),
            seconds=(self.clock.monotonic_ns() - began_ns) / 1e9,
        )

    def report_facts(
        self, target_url: str | None = None, *, health: HealthReport | None = None
    ) -> told.ReportFacts:
        """What the page is made of, as plain values."""
        from memtend.report.facts import ReportFacts, Saved, Sized, Unread  # noqa: PLC0415
        from memtend.store.measured import sample as measured  # noqa: PLC0415
        from memtend.store.sizes import sample  # noqa: PLC0415

        self.memory.flush()
        judged = health or self.health(target_url)
        meta, stats = self.store.meta(), self.memory.stats()
        seen, sizes = sample(self.store), measured(self.store)

        def sized(shares: tuple[Share, ...]) -> tuple[Sized, ...]:
            return tuple(Sized(one.name, one.records, one.bytes) for one in shares)

        unread: list[Unread] = []
        parts: dict[str, Any] = {}
        for name, part in {
            "alerts": self._alarms,
            "histories": self._histories,
            "speeds": self._speeds,
            "expiry": lambda: self._expiry(seen),
            "prunes": self._prunes,
            "archive": self._moves,
            "backups": self._backups_known,
            "drills": self._drills,
            "learned": self._learned,
        }.items():
            try:
                parts |= part()
            except MemtendError as error:  # who looks at a sick store needs the rest all the more
                unread.append(Unread(name, str(error)))
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
            unread=tuple(unread),
            **self._judged(judged),
            **parts,
        )  # fmt: skip


def _check_place(outlet: Outlet) -> None:
    """Refuse to put the page in the place of anything but an earlier page, or an empty file."""
    from memtend.report.page import MARK  # noqa: PLC0415

    if outlet.is_other():
        raise ReportTaken(url=outlet.url)
    if outlet.is_file():
        head = outlet.head(len(MARK))
        if head and head != MARK.encode():
            raise ReportTaken(url=outlet.url)
