"""Exporting from the open store: plan, apply. Nobody needs a lease: an export only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.serving.base import Serving

if TYPE_CHECKING:
    from memtend.export.plan import ExportPlan
    from memtend.export.report import ExportReport, Tally


class Exporting(Serving):
    """Writing what is in the store for others to read."""

    def plan_export(
        self,
        dest: str,
        format: str = "jsonl",
        pattern: str = "**",
        *,
        agent: str | None = None,
        kind: str | None = None,
        replace: bool = False,
    ) -> ExportPlan:
        """Where what would go. `dest` is a path or fsspec URL: a file for `jsonl`, else a folder.

        Raises `ExportTaken` where something is that may not be replaced, `PackageMissing`.
        """
        from memtend.export.apply import check_place  # noqa: PLC0415
        from memtend.export.parquet import require_pyarrow  # noqa: PLC0415
        from memtend.export.plan import Format, format_named, plan_export  # noqa: PLC0415
        from memtend.objects.outlet import open_outlet  # noqa: PLC0415
        from memtend.store.snapshot import snapshot  # noqa: PLC0415

        wanted = format_named(format)
        if wanted is Format.PARQUET:
            require_pyarrow()
        outlet = open_outlet(dest, self.clock)
        facts = self.facts()
        with snapshot(self.store) as view:
            plan = plan_export(
                outlet.url,
                wanted,
                sizes=view.counts,
                store_id=facts.store_id,
                basis=facts.seq,
                made_at=facts.at,
                pattern=pattern,
                agent=agent,
                kind=kind,
                replace=replace,
            )
        check_place(outlet, wanted, replace=replace)
        return plan

    def apply_export(self, plan: ExportPlan, tally: Tally | None = None) -> ExportReport:
        """Write the store as it is now; `tally` tells meanwhile how far it is."""
        from memtend.export.apply import apply_export  # noqa: PLC0415
        from memtend.export.report import Tally  # noqa: PLC0415
        from memtend.objects.outlet import open_outlet  # noqa: PLC0415

        self.memory.flush()
        return apply_export(plan, self.store, open_outlet(plan.url, self.clock), tally or Tally())
