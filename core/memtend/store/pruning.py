"""Deleting what a prune has archived: one transaction a slice, under the lease's fence.

In it, together or not at all: 1 the rows go and their end is an event, of which peers hear, 2 what
a record that stays takes over from those that say the same is written, 3 each that went leaves a
ghost, 4 regret and history are counted up. A record that was written since, has a sibling by now,
or (unless another one says the same) was read since the plan was made, is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtend.alike.merging import Reads, merged
from memtend.codec.compress import Damaged
from memtend.codec.envelope import QUARANTINED_FLAG, Body, type_of
from memtend.crdt.rows import RowKind
from memtend.limits import BATCH_MAX
from memtend.store import ghosts, prunings, upkeep
from memtend.store.change import Change, Old
from memtend.store.ghosts import PRUNED, Ghost
from memtend.store.meta import crc_of
from memtend.store.prunings import Pruning, spanned
from memtend.store.relabelling import relabel

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.engine import Call, Row
    from memtend.store.store import Store

ACTOR: Final = "prune"


class Doomed(NamedTuple):
    """One version of a record that is to go, and by which rule."""

    seq: int
    namespace: str
    key: str
    rule: str


class Fold(NamedTuple):
    """Records that say what `keeper` says: they go, and what is known of them stays with it."""

    keeper: Doomed
    extras: tuple[Doomed, ...]


class Deed(NamedTuple):
    """What every slice of one prune has in common. `run` of the archive holds what goes, `made_ms`
    is when it was decided."""

    plan: str
    profile: str
    approved: bool
    run: int
    made_ms: int
    lease: Lease


class Gone(NamedTuple):
    """What one slice did. `renumbered` are the new numbers of records that took others over."""

    rows: int
    bytes: int
    merged: int
    renumbered: dict[int, int]


def prune(store: Store, deed: Deed, doomed: Sequence[Doomed], folds: Sequence[Fold]) -> Gone:
    """Delete those that are as they were, in one transaction."""
    at = _places(store, doomed, folds)
    calls: list[Call] = [("pruning", (deed.plan,))]
    for ns, keys in at.items():
        array = store.engine.array(keys)
        calls += [("old_many", (ns, array)), ("accesses", (ns, array))]
    with store.change(ACTOR, calls, deed.lease) as (change, [known, *answers]):
        slice_ = _Slice(store, change, deed, list(at), answers)
        for one in doomed:
            slice_.drop(one)
        renumbered = {fold.keeper.seq: slice_.fold(fold) for fold in folds}
        slice_.finish(next(iter(prunings.opened(known)), None))
    return Gone(
        len(slice_.gone),
        slice_.bytes,
        slice_.merged,
        {old: new for old, new in renumbered.items() if new is not None},
    )


def still_there(store: Store, seqs: Sequence[int]) -> Counter[str]:
    """How many of these versions have neither gone nor been replaced, by their namespace."""
    found: Counter[str] = Counter()
    for start in range(0, len(seqs), BATCH_MAX):
        page = store.engine.array(list(seqs[start : start + BATCH_MAX]))
        found.update(path for _, path, _, _ in store.engine.read("places_of", (page,)))
    return found


def _places(store: Store, doomed: Sequence[Doomed], folds: Sequence[Fold]) -> dict[int, list[str]]:
    """Keys by number of their namespace, of all that a slice looks at."""
    at: dict[int, list[str]] = {}
    for one in _all(doomed, folds):
        if ns := store.namespaces.find(one.namespace):
            at.setdefault(ns[0], []).append(one.key)
    return at


def _all(doomed: Sequence[Doomed], folds: Sequence[Fold]) -> Iterator[Doomed]:
    yield from doomed
    for fold in folds:
        yield fold.keeper
        yield from fold.extras


class _Slice:
    """One transaction being composed."""

    def __init__(
        self, store: Store, change: Change, deed: Deed, numbers: list[int], answers: list[list[Row]]
    ) -> None:
        self._store, self._change, self._deed = store, change, deed
        self._olds: dict[tuple[int, str], list[Old]] = {}
        self._reads: dict[tuple[int, str], Reads] = {}
        for row in (row for rows in answers[::2] for row in rows):
            old = Old._make(row)
            self._olds.setdefault((old.ns, old.key), []).append(old)
        for number, rows in zip(numbers, answers[1::2], strict=True):
            for key, count, at_ms, _ in rows:
                self._reads[number, key] = Reads(count, at_ms)
        self._ended: list[tuple[Old, Doomed]] = []
        self.gone: list[tuple[str, str]] = []
        self.bytes = self.merged = 0
        self._wrote = False

    def drop(self, one: Doomed) -> None:
        old = self._found(one)
        if old is None:
            return
        read = self._reads.get((old.ns, old.key))
        if read is None or read.last_ms is None or read.last_ms <= self._deed.made_ms:
            self._end(old, one)

    def fold(self, fold: Fold) -> int | None:
        """The keeper's new number; None where it is not as it was, and so nothing goes."""
        keeper = self._found(fold.keeper)
        found = [(old, one) for one in fold.extras if (old := self._found(one))]
        if keeper is None or not found:
            return None
        body, reads = merged(self._body(keeper), self._read(keeper), [
            (self._body(old), self._read(old)) for old, _ in found
        ])  # fmt: skip
        seq = relabel(self._store, self._change, keeper, fold.keeper.namespace, body)
        if seq is None:
            return None
        self._olds[keeper.ns, keeper.key] = []
        self._wrote = True
        if reads.number and reads.last_ms is not None:
            row = (keeper.ns, keeper.key, reads.number, reads.last_ms)
            self._change.tx.run("access", (*row, crc_of(row)))
        for old, one in found:
            self._end(old, one)
        self.merged += len(found)
        return seq

    def finish(self, known: Pruning | None) -> None:
        """What the transaction says of itself, where anything went."""
        if not self.gone:
            return
        change, deed = self._change, self._deed
        self.bytes = sum(old.size for old, _ in self._ended)
        change.tx.run_many("forget_access", [(old.ns, old.key) for old, _ in self._ended])
        upkeep.save(
            change.tx,
            "ghost",
            [
                Ghost(one.namespace, ghosts.digest_of(one.key), one.rule, deed.plan, change.now_ms)
                for _, one in self._ended
            ],
        )
        counts: dict[tuple[str, str], tuple[int, int, int]] = {}
        for place in self.gone:
            counts[place] = (counts.get(place, (0,))[0] + 1, 0, 0)
        ghosts.regret(self._store, change.tx, counts)
        had = known or Pruning(deed.plan, change.now_ms, profile=deed.profile)
        more: dict[str, Any] = {"merged": had.merged + self.merged, "undone_ms": None}
        more["approved"] = had.approved or deed.approved
        now = had.grown(change.now_ms, deed.run, self.bytes, self.gone, **more)
        if self._wrote:
            now = now._replace(wrote=spanned(now.wrote, change.meta.seq + 1, change.seq))
        prunings.keep(change.tx, now)
        change.note("prune", f"{len(self.gone):,} records, plan {deed.plan[:12]}")

    def _found(self, one: Doomed) -> Old | None:
        """The row, if it is alone at its path, shown, live, and the version that is meant."""
        ns = self._store.namespaces.find(one.namespace)
        here = self._olds.get((ns[0], one.key), []) if ns else []
        if len(here) != 1 or here[0].seq != one.seq or here[0].field:
            return None
        old = here[0]
        plain = type_of(old.flags) == RowKind.PLAIN and not old.flags & QUARANTINED_FLAG
        live = old.exp is None or self._change.now_ms < old.exp
        return old if plain and live else None

    def _end(self, old: Old, one: Doomed) -> None:
        change = self._change
        change.drop(old, one.namespace)
        change.log(old.ns, old.key, "", (change.meta.replica_no, change.mint().n), PRUNED)
        self._olds[old.ns, old.key] = []
        self._ended.append((old, one))
        self.gone.append((one.rule, one.namespace))

    def _body(self, old: Old) -> Body:
        body = old.unpacked()
        if body is None:
            raise Damaged("its body cannot be read")
        return body

    def _read(self, old: Old) -> Reads:
        return self._reads.get((old.ns, old.key), Reads())
