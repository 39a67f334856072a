"""Merging a delta into the store, path by path, within one transaction (CRDT_SPEC 5.2).

What stays of a path is decided by `crdt.causal.merge_dots` alone; this module finds what is here,
and writes down the difference. A path that loses siblings and gains nothing is logged, so that
peers, backups and caches see that it was touched.

What was erased here is not taken in. That it is missing must reach those who still have it, and
nothing may name it; so its events join the floor together with an event of our own, and whoever
has not seen that event is sent every key (ADR 0014).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from memtend.codec.envelope import prefix_of, type_of
from memtend.crdt.causal import merge_dots
from memtend.crdt.hlc import millis
from memtend.crdt.rows import RowKind, merge_log
from memtend.errors import NotEntitled, QuotaExceeded
from memtend.limits import ALARMS_MAX, SIBLINGS_MAX
from memtend.model.delta import Applied, DeltaHead, Item, Named
from memtend.model.dot import Dot
from memtend.model.policyfile import PolicyFile
from memtend.store.config import POLICIES
from memtend.store.interned import is_closed
from memtend.store.ledger import Filter
from memtend.store.lines import Lines
from memtend.store.sync_admit import Admission
from memtend.store.sync_rows import Fresh, Here, arrived, check_same, columns_of, valued
from memtend.store.sync_windows import Place, Window, everything, told_only
from memtend.store.writes import enforce

if TYPE_CHECKING:
    from memtend.store.change import Change
    from memtend.store.store import Store


class Merging:
    """One delta, merged by `run`; `keep` tells the store's caches, once it is committed."""

    def __init__(
        self,
        store: Store,
        change: Change,
        head: DeltaHead,
        accept: Callable[[str], bool] | None,
    ) -> None:
        self._store, self._change, self._head, self._accept = store, change, head, accept
        self._lines = Lines(change)
        self._admission = Admission(store, change, head, self._lines)
        self._ledger = Filter.load(change.tx)
        listed = change.tx.fetch("namespaces")
        self._numbers: dict[str, int] = {p: n for n, p, _ in listed if not is_closed(p)}
        self._known = dict(self._numbers)
        self._contested = {number for number, _, contested in listed if contested}
        self._now_contested: set[int] = set()
        self._floor = dict(head.floor)
        self._alarms: list[str] = []
        self._keys = self._added = self._dropped = self._erased = self._ended = 0

    def run(self, items: Iterable[Item]) -> Applied:
        """Merge everything; raises where the delta may not be taken in."""
        change, head, seen = self._change, self._head, self._lines.seen
        self._admission.check()
        change.seq += 1
        read = everything if head.full else told_only
        for window in read(change.tx, self._store.engine.array, self._known, items):
            self._merge(window)
        if self._erased:
            change.mint()
            self._floor[self._lines.own] = change.n
        vv = self._lines.advance(head.vv, self._floor)
        self._admission.note_heard()
        for number in sorted(self._now_contested):
            change.tx.run("contest", (number,))
            change.config += 1
        self._check_quotas()
        if vv != seen or self._added or self._dropped or self._ended:
            counts = f"{self._keys:,} keys, {self._added:,} added, {self._dropped:,} dropped"
            change.note("sync", f"from {head.sender}: {counts}")
        alarms = self._all_alarms()
        for alarm in alarms:
            change.note("alarm", alarm)
        return Applied(
            head.sender, self._keys, self._added, self._dropped, self._erased, vv, alarms,
            self._admission.new_replica,
        )  # fmt: skip

    def keep(self) -> None:
        """What was committed may be remembered."""
        made = self._numbers.keys() - self._known.keys()
        self._store.namespaces.keep({p: (self._numbers[p], prefix_of(p)) for p in made})
        self._store.namespaces.contested |= self._now_contested

    def _merge(self, window: Window) -> None:
        bare: list[tuple[Place, list[Here], Item | None]] = []
        ended: list[tuple[int, str]] = []
        for place in sorted(window.here.keys() | window.told.keys()):
            item = window.told.get(place)
            mine = {self._dot(one): one for one in window.here.get(place, ())}
            theirs = dict(map(arrived, item.siblings)) if item else {}
            self._check_same((window.namespace, *place), mine, theirs)
            kept = merge_dots(mine, self._lines.seen, theirs, self._head.vv)
            gone = [one for dot, one in mine.items() if dot not in kept]
            fresh = [valued(one) for dot, one in kept.items() if dot not in mine]
            self._keys += item is not None
            added = [one for one in fresh if self._add(window.namespace, place, one)]
            touched = item is not None and self._log(window.namespace, item)
            for one in gone:
                self._drop(window.namespace, one, named=item is not None)
            if gone and not added and not touched:
                bare.append((place, gone, item))
            left = [one for dot, one in mine.items() if dot in kept]
            if gone and not left and not added and not place[1]:
                ended.append((self._numbers[window.namespace], place[0]))
            if added and len(left) + len(added) > 1:
                self._look(window.namespace, place, left, added)
        if bare:
            self._log_gone(window.namespace, bare)
        if ended:  # a new life under the same key begins unread
            self._change.tx.run_many("forget_access", ended)
        self._change.write_rows()

    def _dot(self, one: Here) -> Dot:
        return Dot(self._lines.ids[one.old.r], one.old.n)

    def _check_same(
        self, path: tuple[str, str, str], mine: dict[Dot, Here], theirs: dict[Dot, Fresh | Named]
    ) -> None:
        for dot in mine.keys() & theirs.keys():
            tx, array = self._change.tx, self._store.engine.array
            check_same(tx, array, self._head.sender, path, mine[dot], theirs[dot])

    def _add(self, namespace: str, place: Place, fresh: Fresh) -> bool:
        """Take in a sibling, unless it was erased here."""
        if self._ledger and self._ledger.erased_entry(namespace, place[0], fresh.told.body):
            self._erased += 1
            self._let_go(fresh.body.dot)
            return False
        replica = self._lines.number(fresh.body.replica)
        columns = columns_of(self._number(namespace), *place, replica, fresh)
        self._change.insert(namespace, fresh.body, columns)
        self._added += 1
        return True

    def _drop(self, namespace: str, one: Here, *, named: bool) -> None:
        if not named and self._accept is not None and not self._accept(namespace):
            raise NotEntitled(sender=self._head.sender, namespace=namespace)
        self._change.drop(one.old, namespace)
        self._dropped += 1

    def _log(self, namespace: str, item: Item) -> bool:
        """Join what a delta says of events that ended; True where something new was written."""
        vector = {ended.dot.replica: ended.dot.n for ended in item.ended}
        if not merge_log({}, vector, self._lines.seen):
            return False
        erased = self._ledger.names(namespace, item.key).at_hlc if self._ledger else -1
        written = False
        for ended in item.ended:
            if erased >= 0 and ended.at_ms <= millis(erased):
                self._let_go(ended.dot)
                continue
            dot = (self._lines.number(ended.dot.replica), ended.dot.n)
            at_ms = min(ended.at_ms, self._change.now_ms)
            ns = self._number(namespace)
            self._change.log(ns, item.key, item.field, dot, ended.why, at_ms)
            written = True
        self._ended += written
        return written

    def _log_gone(self, namespace: str, bare: list[tuple[Place, list[Here], Item | None]]) -> None:
        """Log siblings that went without a successor, for their peer says no more of why.

        An entry that is there already keeps its number and moves up in the change sequence.
        """
        ns = self._numbers[namespace]
        keys = self._store.engine.array(sorted({place[0] for place, _, _ in bare}))
        logged = self._change.tx.fetch("log_here", (ns, keys))
        before = {(key, field, r): n for key, field, r, n in logged}
        for place, gone, item in bare:
            why = item.ended[0].why if item and item.ended else "deleted"
            newest: dict[int, int] = {}
            for one in gone:
                r = one.old.r
                newest[r] = max(newest.get(r, 0), one.old.n, before.get((*place, r), 0))
            for dot in newest.items():
                self._change.log(ns, *place, dot, why)

    def _let_go(self, dot: Dot) -> None:
        self._floor[dot.replica] = max(self._floor.get(dot.replica, 0), dot.n)

    def _number(self, namespace: str) -> int:
        number = self._numbers.get(namespace)
        if number is None:
            number, _ = self._store.namespaces.make(self._change.tx, namespace)
            self._numbers[namespace] = number
            # Whoever has had a record keeps a total, even if it is already gone.
            self._change.tx.run("tally", ("ns", namespace, 0, 0))
        return number

    def _look(self, namespace: str, place: Place, left: list[Here], added: list[Fresh]) -> None:
        """Several siblings: reads must know that the namespace has such, people what is odd."""
        number = self._numbers[namespace]
        if number not in self._contested:
            self._now_contested.add(number)
        path = "/".join(filter(None, (namespace, *place)))
        kinds = {type_of(one.old.flags) for one in left} | {one.body.type for one in added}
        if len(kinds) > 1:
            self._alarms.append(f"{path} has siblings of several kinds")
        # A counter keeps a part of every replica id that ever counted: many are no crowd.
        count = len(left) + len(added)
        if count > SIBLINGS_MAX and kinds != {int(RowKind.COUNTER)}:
            self._alarms.append(f"{path} has {count} siblings; the limit is {SIBLINGS_MAX}")

    def _check_quotas(self) -> None:
        if not self._added:
            return
        rows = self._change.tx.fetch("setting", (POLICIES,))
        file = PolicyFile.model_validate_json(rows[0][0]) if rows else PolicyFile()
        try:
            enforce(self._change, file.quotas, {})
        except QuotaExceeded as error:
            self._alarms.append(str(error))

    def _all_alarms(self) -> tuple[str, ...]:
        found = [*self._admission.alarms, *self._alarms]
        more = len(found) - ALARMS_MAX
        return (*found[:ALARMS_MAX], f"and {more:,} more") if more > 0 else tuple(found)
