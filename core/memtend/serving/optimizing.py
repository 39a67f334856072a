"""Optimizing one store: what would become smaller or go, weighed and done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from memtend.guard import clear
from memtend.limits_upkeep import DICTIONARY_KEEP_MS, NEAR_SIMILARITY_MIN
from memtend.serving.base import Serving

if TYPE_CHECKING:
    from memtend.model.candidate import Alike
    from memtend.model.policy import Compression
    from memtend.objects import ObjectStore
    from memtend.optimize.plan import Found, OptimizePlan, StepName
    from memtend.optimize.report import OptimizeReport
    from memtend.optimize.squeezing import Kind


class Optimizes(Serving):
    """Fewer bytes for the same memory. Nothing of it changes what a reader is shown."""

    def plan_optimize(self, steps: Iterable[str] | None = None) -> OptimizePlan:
        """What each step would do and save; those of a routine run unless some are named. Raises
        `StepUnknown`."""
        from memtend.optimize.plan import plan_optimize, steps_named  # noqa: PLC0415

        wanted = steps_named(steps)
        facts = self.facts()
        return plan_optimize(self._look(wanted), facts, wanted)

    def apply_optimize(self, plan: OptimizePlan) -> OptimizeReport:
        """Do what the plan says is worth it; raises `DeletesTooMuch`, `ClockAlarmed`,
        `PlanForeign`, `PlanStale`.

        A step that fails does not keep the others from being done; the report says what happened.
        """
        from memtend.optimize.apply import Optimizing  # noqa: PLC0415

        with self._maintaining("optimize") as lease:
            cleared = clear(plan, lease=lease, facts=self.facts(), safety=self._safety())
            threshold = self._threshold()
            run = Optimizing(self.store, self._compression, threshold, self._unreadable_to)
            report = run.run(cleared)
        self.memory.config.refresh(self.store.meta().config)
        return report

    def near_duplicates(self, similarity: float = NEAR_SIMILARITY_MIN) -> Sequence[Alike]:
        """Records that say nearly what another one says; raises `PackageMissing`."""
        from memtend.store import duplicates  # noqa: PLC0415

        return list(duplicates.near(self.store, similarity))

    def _look(self, wanted: frozenset[StepName]) -> Found:
        """Only what the steps need is looked for."""
        from memtend.optimize import squeezing  # noqa: PLC0415
        from memtend.optimize.plan import Damage, Found, StepName  # noqa: PLC0415
        from memtend.store import damaged, dictionaries, duplicates, statistics  # noqa: PLC0415
        from memtend.store.peers import live, peers  # noqa: PLC0415

        store = self.store
        alike = list(duplicates.exact(store)) if StepName.DUPLICATES in wanted else []
        similar = list(self.near_duplicates()) if StepName.SIMILAR in wanted else []
        paths = duplicates.places(store, [one.seq for one in (*alike, *similar)])
        known = dictionaries.newest(store)
        kinds: list[Kind] = []
        if wanted & {StepName.DICTIONARIES, StepName.COMPRESSION}:
            kinds = squeezing.kinds(store, self._compression, self._threshold())
        trainable = []
        if StepName.DICTIONARIES in wanted:
            young = self._young_dictionaries()
            judged = [
                squeezing.trainable(store, one, known) for one in kinds if one.kind not in young
            ]
            trainable = [one for one in judged if one is not None]
        squeezable = []
        if StepName.COMPRESSION in wanted:
            squeezable = [
                squeezing.squeezable(store, one, self._compression, known) for one in kinds
            ]
        sized = bool(wanted & {StepName.SPACE, StepName.REWRITE})
        broken = damaged.unreadable(store) if StepName.DAMAGED in wanted else []
        return Found(
            alike=[one for one in alike if one.seq in paths],
            similar=[one for one in similar if one.seq in paths],
            paths=paths,
            trainable=trainable,
            squeezable=squeezable,
            garbage=self._garbage() if StepName.GARBAGE in wanted else [],
            damaged=[Damage(*one) for one in broken],
            peers=len(live(peers(store))),
            misfit=statistics.misfit(store) if StepName.STATISTICS in wanted else "",
            free_bytes=statistics.free_bytes(store) if sized else 0,
            file_bytes=store.engine.size_bytes() if sized else 0,
            gives_back=sized and statistics.gives_back(store),
        )

    def _garbage(self) -> list[tuple[str, int]]:
        from memtend.store import leftovers  # noqa: PLC0415

        found = [(what, len(leftovers.left(self.store, what))) for what in leftovers.ROWS]
        return [*found, (leftovers.DICTIONARIES, len(leftovers.unneeded(self.store)[0]))]

    def _young_dictionaries(self) -> set[str]:
        """Kinds that had a new one within a week: another one now would save little."""
        until = self.clock.now_ms() - DICTIONARY_KEEP_MS
        rows = self.store.engine.read("dictionary_ages")
        return {kind for kind, made_ms in rows if made_ms > until}

    def _compression(self, namespace: str, key: str) -> Compression:
        return self.memory.config.policy(namespace, key).compression

    def _threshold(self) -> int:
        """The least length from which on some policy has values compressed."""
        ordered = self.memory.config.file.policies.ordered
        return min(policy.compression.threshold_bytes for _, policy in ordered)

    def _unreadable_to(self) -> ObjectStore:
        from memtend.objects import open_target  # noqa: PLC0415

        return open_target(self.settings.plans_url, self.clock)
