"""What a migration of values, or taking one back, would do. Pure, and of one size at any number.

A plan names no rows. It is pinned by a predicate: every row of the family's kinds that was written
up to `basis` and is of another version than `wanted`. What was written later has a greater number:
it is left alone and counted, and so is what a run that was cut off has done already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field

from memtend.limits import MIGRATION_REFUSALS_MAX, MIGRATION_SAMPLES
from memtend.migrate.casting import Look, Move
from memtend.model.facts import Facts
from memtend.model.plan import Action, Decision, Plan

if TYPE_CHECKING:
    from memtend.store.migrations import Migration
    from memtend.upcast.family import Family

MIGRATE: Final = "migrate"
ROLLBACK: Final = "migrate-rollback"
_STAYS: Final = (Move.REFUSED, Move.EDITED, Move.MOVED_ON)


class VersionCount(BaseModel, frozen=True, extra="forbid"):
    """Rows of one kind and version, and what becomes of them. `found` "" is not known."""

    kind: str
    found: str
    move: Move
    count: int
    size_bytes: int


class Refusal(BaseModel, frozen=True, extra="forbid"):
    """A row that stays as it is, and why."""

    namespace: str
    key: str
    seq: int
    kind: str
    why: str


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
    folded = _Folding(looks, f"→ {wanted}")
    return MigrationPlan(
        operation=MIGRATE, family=family.name, wanted=wanted, **_common(folded, facts)
    )


def plan_rollback(looks: Iterable[Look], run: Migration, facts: Facts) -> RollbackPlan:
    """Fold what taking `run` back would do to each row that it wrote."""
    folded = _Folding(looks, "back to what it was")
    return RollbackPlan(
        operation=ROLLBACK,
        family=run.family,
        wanted=run.found,
        run=run.run,
        **_common(folded, facts),
    )


class _Folding:
    def __init__(self, looks: Iterable[Look], towards: str) -> None:
        self.counts: Counter[tuple[str, str, Move]] = Counter()
        self.sizes: Counter[tuple[str, str, Move]] = Counter()
        self.losses: Counter[str] = Counter()
        self.refused: list[Refusal] = []
        self.sample: list[Decision] = []
        self.grown = 0
        for look in looks:
            aged = look.aged
            share = (look.kind, look.found, look.move)
            self.counts[share] += 1
            self.sizes[share] += aged.size
            if look.move is Move.CAST:
                self.grown += len(look.text) - len(aged.text or b"")
                self.losses.update(look.losses)
                if self.counts[share] <= MIGRATION_SAMPLES:
                    self.sample.append(_decision(look, towards))
            elif look.move in _STAYS and len(self.refused) < MIGRATION_REFUSALS_MAX:
                self.refused.append(_refusal(look))


def _common(folded: _Folding, facts: Facts) -> dict[str, object]:
    counts = tuple(
        VersionCount(kind=kind, found=found, move=move, count=count,
                     size_bytes=folded.sizes[kind, found, move])
        for (kind, found, move), count in sorted(folded.counts.items())
    )  # fmt: skip
    planned = sum(one.count for one in counts if one.move is Move.CAST)
    return {
        "store_id": facts.store_id,
        "made_at": facts.at,
        "basis": facts.seq,
        "total": facts.records,
        "decisions": tuple(folded.sample),
        "truncated": planned > len(folded.sample),
        "counts": counts,
        "planned": planned,
        "grows_bytes": folded.grown,
        "refused": tuple(folded.refused),
        "losses": dict(sorted(folded.losses.items())),
    }


def _decision(look: Look, towards: str) -> Decision:
    aged = look.aged
    return Decision(
        action=Action.UPDATE,
        namespace=aged.namespace,
        key=aged.row[2],
        seq=aged.seq,
        reason=f"{look.kind} {look.found} {towards}",
        size_bytes=len(look.text),
    )


def _refusal(look: Look) -> Refusal:
    aged = look.aged
    return Refusal(
        namespace=aged.namespace, key=aged.row[2], seq=aged.seq, kind=look.kind, why=look.why
    )
