"""Pruning one store: what would go and why, letting it go, bringing it back, what was missed."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from memtend.clock import to_datetime
from memtend.errors import PlanUnknown, PruneForgotten
from memtend.guard import clear, clear_prune
from memtend.limits import ARCHIVE_COMPACT_LEVEL, SCAN_MAX
from memtend.limits_upkeep import (
    PRUNE_ROWS_FREE,
    PRUNE_ROWS_FREE_ALL,
    PRUNE_SHARE_A_DAY_MAX,
)
from memtend.model.plan import Action, Plan
from memtend.serving.archives import Archives
from memtend.store import ghosts, prunings

if TYPE_CHECKING:
    from memtend.archive.plan import ArchiveDecision
    from memtend.archive.report import ArchiveReport
    from memtend.guard import Cleared
    from memtend.model.pruned import Excess, Pruned, Regret
    from memtend.prune.plan import PruneDecision, PrunePlan
    from memtend.prune.report import PruneReport, UndoReport
    from memtend.store.prunings import Pruning


class Prunings(Archives):
    """What is pruned lies in the archive until the archive's own time is over."""

    def prune_excess(self, plan: PrunePlan) -> tuple[Excess, ...]:
        """The namespaces of which the plan would take more than goes without approval in a day."""
        from memtend.model.pruned import Excess  # noqa: PLC0415
        from memtend.store.pruning import still_there  # noqa: PLC0415

        planned = still_there(self.store, list({one.seq for one in plan.to_delete()}))
        today = prunings.today(self.store)
        names = sorted(planned.keys() | today.keys())
        found_rows = self.store.engine.read("ns_rows", (self.store.engine.array(names),))
        rows: dict[str, int] = dict(found_rows)
        shares = {name: _share(rows.get(name, 0) + today[name]) for name in names}
        # Ten records here and ten there may be all there is: so the store has a share as well.
        above = sum(max(0, planned[name] + today[name] - shares[name]) for name in names)
        whole = _share(self.store.meta().rows + today.total())
        free = PRUNE_ROWS_FREE if above <= max(PRUNE_ROWS_FREE_ALL, whole) else 0
        found = []
        for namespace, count in sorted(planned.items()):
            allowed = max(free, shares[namespace])
            if count + today[namespace] > allowed:
                found.append(
                    Excess(
                        namespace=namespace, planned=count, today=today[namespace],
                        records=rows.get(namespace, 0), allowed=allowed,
                    )
                )  # fmt: skip
        return tuple(found)

    def apply_prune(
        self, plan: PrunePlan, *, approved: bool = False, threads: int = 1
    ) -> PruneReport:
        """Archive what the plan names, then delete it; raises `PruneUnapproved`, `ClockAlarmed`,
        `PlanForeign`, `PlanStale`.

        What changed since the plan was made stays. `threads` share the compressing.
        """
        from memtend.archive.keeping import Keeping  # noqa: PLC0415
        from memtend.prune.apply import apply_prune  # noqa: PLC0415
        from memtend.prune.report import PruneReport  # noqa: PLC0415

        self.memory.flush()
        digest = sha256(plan.model_dump_json().encode()).hexdigest()
        with self._maintaining("prune") as lease:
            cleared = clear_prune(
                plan, lease=lease, facts=self.facts(), excess=self.prune_excess(plan),
                approved=approved,
            )  # fmt: skip
            cold = self._make_cold(cleared, plan, digest, approved=approved, threads=threads)
            if plan.to_delete():
                vault = self._vault(create=True)
                safe = Keeping(self.store, vault, lease, self._program(), threads)
                report = apply_prune(cleared, self.store, safe, digest=digest, approved=approved)
            else:
                report = PruneReport(operation="prune", applied=True, plan=digest)
            ghosts.drop_old(self.store, self.archive_policy().keep_ms)
        run = report.archive_run or (cold.run if cold else 0)
        archived = cold.written if cold else 0
        return report.model_copy(update={"archived": archived, "archive_run": run})

    def undo_prune(self, plan_digest: str) -> UndoReport:
        """Bring back what a plan pruned, each record as it was; what somebody has written, deleted
        or erased since stays. Raises `PlanUnknown`, `PruneForgotten`."""
        from memtend.archive.keeping import kept  # noqa: PLC0415
        from memtend.prune.undo import apply_undo  # noqa: PLC0415

        self.memory.flush()
        with self._maintaining("undo") as lease:
            plan = self._pruning(plan_digest)
            vault = self._vault()
            held = {run for _, part in vault.parts() for run in part.runs}
            if plan.records and not held.intersection(plan.runs):
                raise PruneForgotten(url=vault.store.url, plan=plan.plan[:12])
            recalled = sum(
                self._recall(self.plan_recall(run=run), lease).written for run in plan.cold
            )
            report = apply_undo(
                self.store,
                plan,
                lambda unreadable: kept(vault, plan.runs, unreadable),
                squeeze=self._squeeze(),
                quotas=self.memory.config.file.quotas,
                lease=lease,
            )
        return report.model_copy(update={"recalled": recalled})

    def prunings(self, limit: int = 100) -> list[Pruned]:
        """What was pruned, the newest first."""
        return [_shown(one) for one in prunings.history(self.store, limit)]

    def regrets(self) -> list[Regret]:
        """By rule and namespace: how much of what was pruned somebody has asked for since."""
        from memtend.model.pruned import Regret  # noqa: PLC0415
        from memtend.store.upkeep import sound  # noqa: PLC0415

        self.memory.flush()
        found = []
        for rule, namespace, pruned, missed, reads in sound(
            self.store.engine.read("stream_regret")
        ):
            share = missed / pruned if pruned else 0.0
            found.append(
                Regret(
                    rule=rule, namespace=namespace, pruned=pruned, missed=missed, reads=reads,
                    share=share,
                )
            )  # fmt: skip
        return found

    def _make_cold(
        self, cleared: Cleared, plan: PrunePlan, digest: str, *, approved: bool, threads: int
    ) -> ArchiveReport | None:
        """What the plan does not delete but archives. The run is written down before it begins, so
        that whatever becomes of it can be undone."""
        from memtend.archive.apply import apply_archive  # noqa: PLC0415
        from memtend.archive.plan import ArchivePlan  # noqa: PLC0415
        from memtend.store.pruning import ACTOR  # noqa: PLC0415

        chosen = [one for one in plan.decisions if one.action is Action.ARCHIVE]
        if not chosen:
            return None
        vault, lease = self._vault(create=True), cleared.lease
        run = vault.next_number()
        with self.store.change(ACTOR, [("pruning", (digest,))], lease) as (change, [rows]):
            known = next(iter(prunings.opened(rows)), None)
            had = known or prunings.Pruning(digest, change.now_ms, profile=plan.profile)
            cold = tuple(sorted({*had.cold, run}))
            prunings.keep(change.tx, had._replace(cold=cold, approved=approved))
        said = {name: getattr(plan, name) for name in Plan.model_fields if name != "decisions"}
        decisions = tuple(_archiving(one) for one in chosen)
        cold_plan = ArchivePlan(**said | {"operation": "archive", "decisions": decisions})
        cleared = clear(cold_plan, lease=lease, facts=self.facts(), safety=self._safety())
        report = apply_archive(cleared, self.store, vault, program=self._program(), threads=threads)
        with self.store.change(ACTOR, [("pruning", (digest,))], lease) as (change, [rows]):
            for one in prunings.opened(rows):
                count = one.archived + report.written
                prunings.keep(change.tx, one._replace(archived=count, undone_ms=None))
        return report

    def _pruning(self, digest: str) -> Pruning:
        """By its digest, or the beginning of it that no other has."""
        from memtend.plans import whole_digest  # noqa: PLC0415

        if (one := prunings.of_plan(self.store, digest)) is not None:
            return one
        known = {one.plan: one for one in prunings.history(self.store, SCAN_MAX)}
        found = whole_digest(digest, known)
        if found is None:
            raise PlanUnknown(plan=digest)
        return known[found]


def _share(rows: int) -> int:
    return int(rows * PRUNE_SHARE_A_DAY_MAX)


def _archiving(one: PruneDecision) -> ArchiveDecision:
    from memtend.archive.plan import ArchiveDecision  # noqa: PLC0415

    return ArchiveDecision.model_construct(
        action=Action.ARCHIVE, namespace=one.namespace, key=one.key, seq=one.seq,
        reason=one.reason, size_bytes=one.size_bytes, rule=f"pruning {one.rule}",
        level=ARCHIVE_COMPACT_LEVEL, kind=one.kind,
    )  # fmt: skip


def _shown(one: Pruning) -> Pruned:
    from memtend.model.pruned import Pruned  # noqa: PLC0415

    return Pruned(
        plan=one.plan,
        at=to_datetime(one.at_ms),
        records=one.records,
        bytes=one.size,
        merged=one.merged,
        archived=one.archived,
        profile=one.profile,
        approved=one.approved,
        rules=dict(one.rules),
        namespaces=dict(one.namespaces),
        undone_at=None if one.undone_ms is None else to_datetime(one.undone_ms),
    )
