"""Which steps of an optimization are worth it now, and what each would save. Pure.

No step changes what a reader is shown, so rows are counted here and not named: the deed looks
again, slice by slice, and leaves alone what has changed. The one exception is `damaged`, which
takes rows away that nobody can read. They are named, it is done only where it is asked for by its
name, and a guard bounds it like any deletion.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from pydantic import BaseModel

from memtend.errors import StepUnknown
from memtend.limits_upkeep import (
    ALIKE_TOLD_MAX,
    COMPRESS_SAVES_MIN,
    FREE_BYTES_MIN,
    REWRITE_SHARE_MIN,
    TRAIN_SAVES_MIN,
)
from memtend.model.candidate import Alike
from memtend.model.facts import Facts
from memtend.model.plan import Action, Decision, Plan


class StepName(StrEnum):
    """In the order in which they are done."""

    DUPLICATES = "duplicates"
    SIMILAR = "similar"
    DICTIONARIES = "dictionaries"
    COMPRESSION = "compression"
    GARBAGE = "garbage"
    DAMAGED = "damaged"
    STATISTICS = "statistics"
    SPACE = "space"
    REWRITE = "rewrite"


ROUTINE: Final = frozenset(StepName) - {StepName.SIMILAR, StepName.DAMAGED, StepName.REWRITE}
"""What is done when no step is named: whatever neither takes anything away, nor holds up writers,
nor costs much to look for."""


class Step(BaseModel, frozen=True, extra="forbid"):
    """What one step would do. `worth` says whether it would be done; the reason says why or why
    not. `saves_bytes` is an estimate, 0 where a step saves something else. `kinds` are those whose
    values it concerns."""

    name: StepName
    worth: bool
    reason: str
    rows: int = 0
    saves_bytes: int = 0
    kinds: tuple[str, ...] = ()


class OptimizePlan(Plan, frozen=True, extra="forbid"):
    """Steps in their order. Decisions name what is only reported, and what `damaged` would take."""

    steps: tuple[Step, ...] = ()

    def to_do(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.worth)

    def step(self, name: StepName) -> Step | None:
        """None where it was not asked for, or is not worth it."""
        return next((step for step in self.to_do() if step.name is name), None)


class Squeezable(NamedTuple):
    """Values of one kind that could take fewer bytes, judged by a sample of them."""

    kind: str
    rows: int
    size: int
    saves_share: float


class Trainable(NamedTuple):
    """A kind of values, and what a dictionary trained now saves on those it was not trained on."""

    kind: str
    rows: int
    size: int
    saves_share: float


class Damage(NamedTuple):
    """A row that cannot be read."""

    seq: int
    namespace: str
    key: str
    size: int
    why: str


class Found(NamedTuple):
    """What a look at the store has found; empty where a step was not asked for."""

    alike: Sequence[Alike] = ()
    paths: dict[int, tuple[str, str, int]] = {}  # noqa: RUF012 — namespace, key and size of a row
    similar: Sequence[Alike] = ()
    trainable: Sequence[Trainable] = ()
    squeezable: Sequence[Squeezable] = ()
    garbage: Sequence[tuple[str, int]] = ()
    damaged: Sequence[Damage] = ()
    peers: int = 0
    misfit: str = ""
    free_bytes: int = 0
    file_bytes: int = 0
    gives_back: bool = False


def steps_named(names: Iterable[str] | None) -> frozenset[StepName]:
    """Raises `StepUnknown`."""
    if names is None:
        return ROUTINE
    known = {step.value: step for step in StepName}
    for name in names:
        if name not in known:
            raise StepUnknown(name=name, known=", ".join(known))
    return frozenset(known[name] for name in names)


def plan_optimize(found: Found, facts: Facts, wanted: Collection[StepName]) -> OptimizePlan:
    """Weigh each step that is wanted. The same findings give the same plan."""
    judges = {
        StepName.DUPLICATES: lambda: _alike(StepName.DUPLICATES, found, found.alike),
        StepName.SIMILAR: lambda: _alike(StepName.SIMILAR, found, found.similar),
        StepName.DICTIONARIES: lambda: _dictionaries(found),
        StepName.COMPRESSION: lambda: _compression(found),
        StepName.GARBAGE: lambda: _garbage(found),
        StepName.DAMAGED: lambda: _damaged(found),
        StepName.STATISTICS: lambda: _statistics(found),
        StepName.SPACE: lambda: _space(found),
        StepName.REWRITE: lambda: _rewrite(found),
    }
    alike = [*found.alike, *found.similar]
    decisions = [_told(one, found) for one in alike[:ALIKE_TOLD_MAX]]
    if StepName.DAMAGED in wanted and not found.peers:
        decisions += [_doomed(one) for one in found.damaged]
    return OptimizePlan(
        operation="optimize",
        store_id=facts.store_id,
        made_at=facts.at,
        basis=facts.seq,
        total=facts.records,
        decisions=tuple(decisions),
        truncated=len(alike) > ALIKE_TOLD_MAX,
        steps=tuple(judges[name]() for name in StepName if name in wanted),
    )


def _told(one: Alike, found: Found) -> Decision:
    namespace, key, size = found.paths[one.seq]
    says = "says what" if one.similarity == 1 else f"says {one.similarity:.0%} of what"
    return Decision(
        action=Action.SKIP, namespace=namespace, key=key, seq=one.seq, size_bytes=size,
        reason=f"{says} {one.keeper_path} says",
    )  # fmt: skip


def _doomed(one: Damage) -> Decision:
    return Decision(
        action=Action.DELETE, namespace=one.namespace, key=one.key, seq=one.seq,
        size_bytes=one.size, reason=f"cannot be read: {one.why}",
    )  # fmt: skip


def _alike(name: StepName, found: Found, alike: Sequence[Alike]) -> Step:
    """Only told: what is let go of for it is a judgement, and so a prune."""
    size = sum(found.paths[one.seq][2] for one in alike)
    nearly = "nearly " if name is StepName.SIMILAR else ""
    reason = f"no two records say {nearly}the same"
    if alike:
        many = f"{len(alike):,} records say" if len(alike) > 1 else "one record says"
        reason = f"{many} {nearly}what another one says"
        reason += "; `memtend prune --strategy redundancy` merges them"
    return Step(name=name, worth=False, reason=reason, rows=len(alike), saves_bytes=size)


def _dictionaries(found: Found) -> Step:
    good = [one for one in found.trainable if one.saves_share >= TRAIN_SAVES_MIN]
    parts = [f"{one.kind} by {one.saves_share:.0%}" for one in good]
    reason = "no kind of values would become a tenth smaller by a new dictionary"
    if good:
        reason = f"a dictionary makes smaller: {', '.join(parts)}"
    return Step(
        name=StepName.DICTIONARIES,
        worth=bool(good),
        reason=reason,
        rows=sum(one.rows for one in good),
        saves_bytes=sum(int(one.size * one.saves_share) for one in good),
        kinds=tuple(one.kind for one in good),
    )


def _compression(found: Found) -> Step:
    """With a new dictionary, all of its kind is written again as well: what that saves is told by
    the step that trains it."""
    good = [one for one in found.squeezable if one.saves_share >= COMPRESS_SAVES_MIN]
    kinds = [one.kind for one in good]
    trained = [one for one in found.trainable if one.saves_share >= TRAIN_SAVES_MIN]
    kinds += [one.kind for one in trained if one.kind not in kinds]
    parts = [f"{one.kind} by {one.saves_share:.0%}" for one in good]
    parts += [f"{one.kind} with its new dictionary" for one in trained]
    reason = "no kind of values would become smaller"
    if kinds:
        reason = f"written again, these become smaller: {', '.join(parts)}"
    saves = sum(int(o.size * o.saves_share) for o in good)
    return Step(
        name=StepName.COMPRESSION,
        worth=bool(kinds),
        reason=reason,
        rows=sum(one.rows for one in good),
        saves_bytes=saves,
        kinds=tuple(kinds),
    )


def _garbage(found: Found) -> Step:
    there = [(what, count) for what, count in found.garbage if count]
    reason = ", ".join(f"{count:,} {what}" for what, count in there) or "nothing is left over"
    rows = sum(count for _, count in there)
    return Step(name=StepName.GARBAGE, worth=bool(there), reason=reason, rows=rows)


def _damaged(found: Found) -> Step:
    count = len(found.damaged)
    if not count:
        return Step(name=StepName.DAMAGED, worth=False, reason="every row can be read")
    what = f"{count:,} rows" if count > 1 else "one row"
    reason = f"{what} cannot be read; the bytes are written to a file of their own first"
    if found.peers:
        reason = (
            f"{what} cannot be read, and {found.peers} peers may hold them whole: what is taken "
            "away here would go there too. Bring them back: `memtend restore`"
        )
    size = sum(one.size for one in found.damaged)
    return Step(
        name=StepName.DAMAGED, worth=not found.peers, reason=reason, rows=count, saves_bytes=size
    )


def _statistics(found: Found) -> Step:
    reason = found.misfit or "the statistics fit what is there"
    return Step(name=StepName.STATISTICS, worth=bool(found.misfit), reason=reason)


def _space(found: Found) -> Step:
    free = found.free_bytes
    share = free / found.file_bytes if found.file_bytes else 0.0
    reason = f"{free:,} bytes inside the database are free ({share:.0%})"
    worth = free >= FREE_BYTES_MIN
    if worth and not found.gives_back:
        worth = False
        reason += "; only writing the file again gives them back: --step rewrite"
    return Step(name=StepName.SPACE, worth=worth, reason=reason, saves_bytes=free if worth else 0)


def _rewrite(found: Found) -> Step:
    share = found.free_bytes / found.file_bytes if found.file_bytes else 0.0
    worth = share >= REWRITE_SHARE_MIN or (found.free_bytes > 0 and not found.gives_back)
    reason = f"{share:.0%} of the database is free"
    if worth:
        reason += "; nobody can write while it is written again"
    return Step(
        name=StepName.REWRITE,
        worth=worth,
        reason=reason,
        saves_bytes=found.free_bytes if worth else 0,
    )
