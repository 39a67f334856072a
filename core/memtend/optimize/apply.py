"""Carry out a cleared optimization, step by step in the order of their names.

Each step works in slices under the lease's fence and stands for itself: one that fails is told and
the next one is done. Nothing of it is undone by a crash, and running again does what is left.
Order within `damaged`: 1 the bytes of the rows into an object, 2 read back and compared, 3 the rows
go. A crash between them leaves an object too many, never a row too few.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtend.errors import MemtendError, ObjectDamaged
from memtend.limits import OBJECT_BYTES_MAX
from memtend.optimize import squeezing
from memtend.optimize.plan import OptimizePlan, Step, StepName
from memtend.optimize.report import OptimizeReport, StepDone
from memtend.slices import Slices
from memtend.store import damaged, dictionaries, leftovers, recounting, statistics

if TYPE_CHECKING:
    from memtend.guard import Cleared
    from memtend.model.lease import Lease
    from memtend.objects.store import ObjectStore
    from memtend.optimize.squeezing import Rule
    from memtend.store.store import Store

_BATCH: Final = 1_000
_SPACE_SLICES_MAX: Final = 100_000


class Done(NamedTuple):
    rows: int = 0
    saved_bytes: int = 0
    notes: tuple[str, ...] = ()


class Optimizing:
    """One run over one store. `rule` is the policy of compression, `threshold` its least length;
    `quarantine` opens the place for rows that cannot be read."""

    def __init__(
        self, store: Store, rule: Rule, threshold: int, quarantine: Callable[[], ObjectStore]
    ) -> None:
        self._store = store
        self._rule = rule
        self._threshold = threshold
        self._quarantine = quarantine
        self._kept_in: str | None = None
        self._deeds: dict[StepName, Callable[[Step, Cleared, Slices], Done]] = {
            StepName.DICTIONARIES: self._train,
            StepName.COMPRESSION: self._squeeze,
            StepName.GARBAGE: self._collect,
            StepName.DAMAGED: self._take_away,
            StepName.STATISTICS: self._mend,
            StepName.SPACE: self._give_back,
            StepName.REWRITE: self._rewrite,
        }

    def run(self, cleared: Cleared) -> OptimizeReport:
        """Every step that the plan says is worth it."""
        clock = self._store.clock
        began = clock.monotonic_ns()
        plan = cleared.plan
        assert isinstance(plan, OptimizePlan)
        steps = [self._timed(step, cleared) for step in plan.to_do()]
        gone = sum(one.rows for one in steps if one.name is StepName.DAMAGED)
        return OptimizeReport(
            operation="optimize",
            applied=True,
            planned=sum(step.rows for step in plan.to_do()),
            deleted=gone,
            written=sum(one.rows for one in steps) - gone,
            bytes_freed=sum(one.saved_bytes for one in steps),
            slices=sum(one.slices for one in steps),
            longest_lock_ms=max((one.longest_lock_ms for one in steps), default=0.0),
            seconds=(clock.monotonic_ns() - began) / 1e9,
            steps=tuple(steps),
            kept_in=self._kept_in,
        )

    def _timed(self, step: Step, cleared: Cleared) -> StepDone:
        clock = self._store.clock
        began = clock.monotonic_ns()
        slices = Slices(clock)
        done, error = Done(), None
        try:
            done = self._deeds[step.name](step, cleared, slices)
        except MemtendError as failure:
            error = str(failure)
        return StepDone(
            name=step.name,
            rows=done.rows,
            saved_bytes=done.saved_bytes,
            slices=slices.count,
            longest_lock_ms=slices.longest_ms,
            seconds=(clock.monotonic_ns() - began) / 1e9,
            notes=done.notes,
            error=error,
        )

    def _train(self, step: Step, cleared: Cleared, slices: Slices) -> Done:
        trained = 0
        for kind in squeezing.kinds(self._store, self._rule, self._threshold):
            if kind.kind in step.kinds:
                texts = squeezing.samples(self._store, kind)
                dictionaries.train(self._store, kind.kind, texts, actor="optimize")
                trained += 1
        return Done(trained)

    def _squeeze(self, step: Step, cleared: Cleared, slices: Slices) -> Done:
        done = squeezing.squeeze(
            self._store, step.kinds, self._rule, dictionaries.newest(self._store),
            threshold=self._threshold, upto=cleared.plan.basis, lease=cleared.lease, slices=slices,
        )  # fmt: skip
        return Done(done.rows, done.before_bytes - done.after_bytes)

    def _collect(self, step: Step, cleared: Cleared, slices: Slices) -> Done:
        store, lease, gone = self._store, cleared.lease, 0
        for what in leftovers.ROWS:
            rows = leftovers.left(store, what)
            for part in slices.of(rows):
                slices.timed(leftovers.drop, store, what, part, lease=lease)
            gone += len(rows)
        numbers, upto = leftovers.unneeded(store)
        if numbers:
            gone += slices.timed(leftovers.drop_dictionaries, store, numbers, upto, lease=lease)
        return Done(gone)

    def _take_away(self, step: Step, cleared: Cleared, slices: Slices) -> Done:
        seqs = [one.seq for one in cleared.plan.to_delete()]
        size = sum(one.size_bytes for one in cleared.plan.to_delete())
        place = self._quarantine()
        gone = 0
        for start in range(0, len(seqs), _BATCH):
            batch = seqs[start : start + _BATCH]
            self._keep(place, damaged.saved(self._store, batch))
            for part in slices.of(batch):
                gone += slices.timed(self._drop, part, cleared.lease)
        notes = [f"their bytes are in {self._kept_in}"]
        if not recounting.count_again(self._store, lease=cleared.lease):
            notes.append("rows are left that cannot be read; the totals stay as they are")
        return Done(gone, size, tuple(notes))

    def _drop(self, seqs: Any, lease: Lease) -> int:
        return damaged.take_away(self._store, list(seqs), lease=lease)

    def _keep(self, place: ObjectStore, lines: bytes) -> None:
        name = f"{damaged.KEPT_UNDER}{sha256(lines).hexdigest()}.jsonl"
        place.put_if_absent(name, lines)
        if place.get(name, OBJECT_BYTES_MAX) != lines:
            raise ObjectDamaged(name=name, url=place.url, why="it is not what was written")
        self._kept_in = f"{place.url}/{name}"

    def _mend(self, step: Step, cleared: Cleared, slices: Slices) -> Done:
        slices.timed(statistics.mend, self._store)
        return Done()

    def _give_back(self, step: Step, cleared: Cleared, slices: Slices) -> Done:
        store = self._store
        before = store.engine.size_bytes()
        for _ in range(_SPACE_SLICES_MAX):
            if not slices.timed(statistics.give_back, store):
                break
        statistics.fold(store)
        return Done(0, max(0, before - store.engine.size_bytes()))

    def _rewrite(self, step: Step, cleared: Cleared, slices: Slices) -> Done:
        store = self._store
        before = store.engine.size_bytes()
        notes = slices.timed(statistics.write_again, store)
        return Done(0, max(0, before - store.engine.size_bytes()), notes)
