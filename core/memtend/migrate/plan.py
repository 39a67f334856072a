"""What a migration of values, or taking one back, would do. Pure, and of one size at any number.

A plan names no rows. It is pinned by a predicate: every row of the family's kinds that was written
up to `basis` and is of another version than `wanted`. What was written later has a greater number:
it is left alone and counted, and so is what a run that was cut off has done already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

from memtend.clock import to_ms
from memtend.limits import MIGRATION_REFUSALS_MAX, MIGRATION_SAMPLES
from memtend.migrate.casting import Look, Move
from memtend.migrate.parts import Folding, MigrationFrame, MigrationPart, Refusal, stretches
from memtend.model.facts import Facts
from memtend.model.frame import checked
from memtend.model.plan import Decision, Plan

if TYPE_CHECKING:
    from memtend.store.migrations import Migration
    from memtend.upcast.family import Family

MIGRATE: Final = "migrate"
ROLLBACK: Final = "migrate-rollback"


class VersionCount(BaseModel, frozen=True, extra="forbid"):
    """Rows of one kind and version, and what becomes of them. `found` "" is not known."""

    kind: str
    found: str
    move: Move
    count: int
    size_bytes: int


class RecastPlan(Plan, frozen=True, extra="forbid"):
    """What both ways have in common. `decisions` is a sample, some of each kind and version.

    `grows_bytes` is by how much the values grow; labels come on top. `losses` counts, by field,
    what the version aimed at cannot hold.
    """

    family: str
    wanted: str
    counts: tuple[VersionCount, ...] = ()
    planned: int = 0
    grows_bytes: int = 0
    refused: tuple[Refusal, ...] = ()
    losses: dict[str, int] = Field(default_factory=dict)

    def of(self, move: Move) -> int:
        return sum(one.count for one in self.counts if one.move is move)

    @property
    def digest(self) -> str:
        """Pins what was reviewed; the rehearsal names it."""
        return sha256(self.model_dump_json().encode()).hexdigest()


class MigrationPlan(RecastPlan, frozen=True, extra="forbid"):
    """Every older value of `family` to the version `wanted`."""

    @property
    def found(self) -> str:
        """The versions that are moved, oldest first."""
        return ", ".join(sorted({one.found for one in self.counts if one.move is Move.CAST}))


class RollbackPlan(RecastPlan, frozen=True, extra="forbid"):
    """Every value that `run` wrote and nobody has since, back to what it was before.

    `wanted` is the version, or the versions, that the run had found.
    """

    run: str


def plan_migration(
    looks: Iterable[Look], family: Family, wanted: str, facts: Facts
) -> MigrationPlan:
    """Fold what each row would become. The same rows give the same plan."""
    frame = frame_of(family, wanted, facts)
    return join(frame, [look(looks, frame)])


def frame_of(family: Family, wanted: str, facts: Facts, shards_max: int = 1) -> MigrationFrame:
    """What all parts share. Rows above `facts.seq` were written since: nobody looks at those."""
    return MigrationFrame(
        facts=facts, now_ms=to_ms(facts.at), family=family.name, wanted=wanted,
        shards=stretches(facts.seq, shards_max),
    )  # fmt: skip


def look(looks: Iterable[Look], frame: MigrationFrame, shard: int = 0) -> MigrationPart:
    """What would become of the rows of one shard, in the order in which they were written."""
    return Folding(looks, f"→ {frame.wanted}").part(frame.digest, shard)


def join(frame: MigrationFrame, parts: Iterable[MigrationPart]) -> MigrationPlan:
    """The plan of the whole store, from parts in the order of their shards; raises
    `PlanIncomplete`."""
    found = list(checked(MIGRATE, frame, len(frame.shards), parts))
    return MigrationPlan(
        operation=MIGRATE,
        family=frame.family,
        wanted=frame.wanted,
        **_common(found, frame.facts),
    )


def plan_rollback(looks: Iterable[Look], run: Migration, facts: Facts) -> RollbackPlan:
    """Fold what taking `run` back would do to each row that it wrote."""
    return RollbackPlan(
        operation=ROLLBACK,
        family=run.family,
        wanted=run.found,
        run=run.run,
        **_common([Folding(looks, "back to what it was").part("", 0)], facts),
    )


def _common(parts: Sequence[MigrationPart], facts: Facts) -> dict[str, Any]:
    counts: Counter[tuple[str, str, Move]] = Counter()
    sizes: Counter[tuple[str, str, Move]] = Counter()
    losses: Counter[str] = Counter()
    samples: dict[tuple[str, str, Move], list[Decision]] = {}
    for part in parts:
        losses.update(part.losses)
        for one in part.sorts:
            sort = (one.kind, one.found, one.move)
            counts[sort] += one.count
            sizes[sort] += one.size_bytes
            samples.setdefault(sort, []).extend(one.sample)
    sample = chain.from_iterable(some[:MIGRATION_SAMPLES] for some in samples.values())
    decisions = tuple(sorted(sample, key=lambda decision: decision.seq))
    refused = chain.from_iterable(part.refused for part in parts)
    shown = tuple(
        VersionCount(kind=kind, found=found, move=move, count=count,
                     size_bytes=sizes[kind, found, move])
        for (kind, found, move), count in sorted(counts.items())
    )  # fmt: skip
    planned = sum(one.count for one in shown if one.move is Move.CAST)
    return {
        "store_id": facts.store_id,
        "made_at": facts.at,
        "basis": facts.seq,
        "total": facts.records,
        "decisions": decisions,
        "truncated": planned > len(decisions),
        "counts": shown,
        "planned": planned,
        "grows_bytes": sum(part.grown_bytes for part in parts),
        "refused": tuple(islice(refused, MIGRATION_REFUSALS_MAX)),
        "losses": dict(sorted(losses.items())),
    }
