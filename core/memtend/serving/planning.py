"""Plans of one store that several processes make, for prune, archive and migrate alike:

    frame = services.begin_prune(shards_max=8)          once: facts, time, rules, how it is cut
    part = services.look_prune(frame, 3)                for each shard, wherever there is time
    plan = services.join_prune(frame, parts)            the plan that one process would have made

A plan made by one process goes the same way, with one shard. Nothing is written by any of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.model.shard import WHOLE
from memtend.serving.base import Serving

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from memtend.archive.plan import ArchiveFrame, ArchivePart, ArchivePlan
    from memtend.model.candidate import Alike
    from memtend.model.shard import Shard
    from memtend.prune.decisions import PrunePlan
    from memtend.prune.parts import PruneFrame, PrunePart


class Planning(Serving):
    """What of a store could be pruned or archived."""

    def plan_prune(
        self, strategies: Collection[str] | None = None, profile: str | None = None
    ) -> PrunePlan:
        """What a prune would take now, each with its rule; raises `StrategyUnknown`,
        `ProfileUnknown`."""
        frame = self.begin_prune(strategies, profile)
        return self.join_prune(frame, [self.look_prune(frame, 0)])

    def begin_prune(
        self,
        strategies: Collection[str] | None = None,
        profile: str | None = None,
        *,
        shards_max: int = 1,
    ) -> PruneFrame:
        """Raises `StrategyUnknown`, `ProfileUnknown`."""
        from memtend.prune.parts import frame_of  # noqa: PLC0415
        from memtend.store import ghosts  # noqa: PLC0415

        self.memory.flush()  # reads that are not counted yet are reads
        policy = self.memory.config.file.prune.named(profile)
        return frame_of(
            policy,
            self.facts(),
            self.clock.now_ms(),
            strategies=strategies,
            shards=self._shards(shards_max),
            agent_bytes={share.name: share.bytes for share in self.memory.stats().agents},
            missed=ghosts.missed_again(self.store),
        )

    def look_prune(self, frame: PruneFrame, shard: int) -> PrunePart:
        """What is found in one shard of the frame."""
        from memtend.prune.plan import kinds_asked, look  # noqa: PLC0415
        from memtend.store.prunable import Survey  # noqa: PLC0415

        kinds = kinds_asked(frame.policy, frame.strategies)
        survey = Survey(self.store, kinds, frame.shards[shard], frame.now_ms)
        alike = self._alike(frame, frame.shards[shard])
        return look(survey, frame, shard, alike=alike, left_out=survey.left_out)

    def join_prune(self, frame: PruneFrame, parts: Iterable[PrunePart]) -> PrunePlan:
        """The plan of the whole store; raises `PlanIncomplete`."""
        from memtend.prune.plan import join  # noqa: PLC0415

        return join(frame, parts)

    def plan_archive(self) -> ArchivePlan:
        """What a run would archive now, each with the rule that holds and why."""
        frame = self.begin_archive()
        return self.join_archive(frame, [self.look_archive(frame, 0)])

    def begin_archive(self, *, shards_max: int = 1) -> ArchiveFrame:
        from memtend.archive.plan import ArchiveFrame  # noqa: PLC0415

        self.memory.flush()  # reads that are not counted yet are reads
        return ArchiveFrame(
            facts=self.facts(), now_ms=self.clock.now_ms(),
            policy=self.memory.config.file.archive, shards=self._shards(shards_max),
        )  # fmt: skip

    def look_archive(self, frame: ArchiveFrame, shard: int) -> ArchivePart:
        """What is cold in one shard of the frame."""
        from memtend.archive.plan import look  # noqa: PLC0415
        from memtend.store import archived  # noqa: PLC0415

        return look(archived.usage(self.store, frame.shards[shard]), frame, shard)

    def join_archive(self, frame: ArchiveFrame, parts: Iterable[ArchivePart]) -> ArchivePlan:
        """The plan of the whole store; raises `PlanIncomplete`."""
        from memtend.archive.plan import join  # noqa: PLC0415

        return join(frame, parts)

    def _shards(self, shards_max: int) -> tuple[Shard, ...]:
        """One is all of it, and needs no look at the totals."""
        from memtend.store.shards import cut  # noqa: PLC0415

        if shards_max <= 1:
            return (WHOLE,)
        with self.store.engine.snapshot() as reader:
            return cut(reader, shards_max)

    def _alike(self, frame: PruneFrame, shard: Shard) -> Iterator[Alike]:
        """Records that say the same, if anybody wants to know; they lie in one namespace."""
        from memtend.store import duplicates  # noqa: PLC0415

        policy = frame.policy
        if "redundancy" not in frame.strategies:
            return
        if policy.exact_duplicates:
            yield from duplicates.exact(self.store, shard=shard)
        if policy.near_duplicates_from is not None:
            yield from duplicates.near(self.store, policy.near_duplicates_from, shard)
