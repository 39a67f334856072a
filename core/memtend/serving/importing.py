"""Bringing older memory into one store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from memtend.guard import clear
from memtend.serving.base import Serving

if TYPE_CHECKING:
    from memtend.migrate.importing import ImportPlan, ImportReport


class Importing(Serving):
    """The source is only ever read."""

    def plan_import(
        self,
        source: str,
        kind: str | None = None,
        zone: str = "UTC",
        *,
        allow_pickle: bool = False,
        seen: Callable[[int], None] = lambda _: None,
    ) -> ImportPlan:
        """What an import would write, and what it cannot read. `seen` is told how many more items
        were read. Raises `SourceUnknown`."""
        from memtend.ingest import plan_import  # noqa: PLC0415
        from memtend.migrate.detect import detect_source, read_source  # noqa: PLC0415

        root = Path(source)
        known_kind = kind or detect_source(root)
        policies = self.memory.config.file.policies
        found = read_source(root, known_kind, zone, policies, allow_pickle=allow_pickle)
        facts = self.facts()
        return plan_import(
            self.memory,
            found,
            seen,
            run=self.clock.new_id(),
            source=source,
            kind=known_kind,
            zone=zone,
            allow_pickle=allow_pickle,
            store_id=facts.store_id,
            basis=facts.seq,
            made_at=facts.at,
        )

    def apply_import(
        self,
        plan: ImportPlan,
        *,
        quarantine_url: str | None = None,
        seen: Callable[[int], None] = lambda _: None,
    ) -> ImportReport:
        """Write what the plan takes; what changed in the source since is left out and counted.

        What cannot be read is copied to `quarantine_url`, else to a folder named after the run
        beside the plans.
        """
        from memtend.ingest import apply_import  # noqa: PLC0415
        from memtend.migrate.detect import read_source  # noqa: PLC0415

        policies = self.memory.config.file.policies
        place = quarantine_url or f"{self.settings.plans_url}/quarantine-{plan.run}"
        with self._maintaining("import") as lease:
            cleared = clear(plan, lease=lease, facts=self.facts(), safety=self._safety())
            found = read_source(
                Path(plan.source), plan.kind, plan.zone, policies, allow_pickle=plan.allow_pickle
            )
            return apply_import(cleared, self.memory, found, place, seen)
