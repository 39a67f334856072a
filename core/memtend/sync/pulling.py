"""Pull from a place: what each other replica published, applied delta by delta.

A head or page that is missing, damaged, foreign or refused concerns its owner only: it becomes a
finding, and the sync goes on with the others. Only what ails our own store, or the whole target,
ends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from memtend.crdt.causal import descends
from memtend.errors import MemtendError, ObjectDamaged, ObjectMissing, PeerClock
from memtend.limits import PEER_SILENT_WARN_MS
from memtend.store.peers import address_id
from memtend.store.rejoining import rejoin
from memtend.store.sync import apply, vector
from memtend.sync.choosing import has_ended, wanted
from memtend.sync.direct import Counted, way_of
from memtend.sync.head import Head, HeadName
from memtend.sync.peering import accepting, find, heard, met
from memtend.sync.place import Place, page_name
from memtend.sync.publishing import Surroundings
from memtend.sync.report import PeerKind, SyncFinding, Way
from memtend.sync.saving import Guard

if TYPE_CHECKING:
    from memtend.store.store import Store

REFUSALS = range(90, 96)
"""The codes of what makes a delta unacceptable: `errors.sync`."""


class Pulled(NamedTuple):
    """`behind` is the epoch of others that were rolled back together while we were not."""

    way: Way
    members: int
    around: Surroundings
    rejoined: str
    behind: int | None
    findings: tuple[SyncFinding, ...]


class Pull:
    """One pull: what it brought so far, and what it found."""

    def __init__(self, store: Store, place: Place, guard: Guard, actor: str) -> None:
        self.store, self.place, self.guard, self.actor = store, place, guard, actor
        self.way = Way()
        self.behind: int | None = None
        self.rejoined = ""
        self.findings: list[SyncFinding] = []
        self.sound: list[Head] = []
        self.damaged: list[str] = []
        self.against: set[str] = set()
        self.ended: frozenset[str] = frozenset()

    def run(self) -> Pulled:
        began_ns = self.store.clock.monotonic_ns()
        names = self.place.names()
        heads = list(self._heads(names))
        self.ended = frozenset(head.replica for head in heads if has_ended(head, heads))
        for head in heads:
            if head.replica == self.store.own_replica():
                self._look_at_own(head)
            else:
                self._take(head)
        seconds = (self.store.clock.monotonic_ns() - began_ns) / 1e9
        way = self.way.model_copy(update={"seconds": seconds, "vv": vector(self.store)})
        # One whose pages somebody could not read does not hold what it says: others publish it.
        sound = [head for head in self.sound if not self.against & head.pages.keys()]
        around = Surroundings(sound, self.damaged, frozenset(self.against), pulled=True)
        members = len(names.keys() - {self.store.own_replica()})
        return Pulled(way, members, around, self.rejoined, self.behind, tuple(self.findings))

    def _heads(self, names: dict[str, list[HeadName]]) -> Iterator[Head]:
        for found in names.values():
            seen = self.place.newest(found)
            self.findings += [SyncFinding(where=where, why=why) for where, why in seen.faults]
            if seen.head is not None:
                yield seen.head

    def _look_at_own(self, head: Head) -> None:
        """Look for events under our id that we never had: we were copied, or put back.

        The vector is read after the head: another process of this store may have pushed just now.
        """
        if not descends(vector(self.store), head.vv):
            self._take(head)

    def _take(self, head: Head) -> None:
        if not self._same_epoch(head):
            return
        self.against.update(head.complaints)
        row = find(self.store, head.replica)
        if row is not None and row.retired_ms is not None:
            if head.sent_ms > row.retired_ms:
                why = "it was silent for too long and is retired here; it goes on under a new id"
                self._find(head, why)
            return
        self._rejoin_if_retired(head)
        if self._applied(head):
            self._acknowledge(head, 0 if row is None else row.heard_ms)

    def _same_epoch(self, head: Head) -> bool:
        epoch = self.store.meta().epoch
        if head.epoch > epoch:
            self.behind = max(head.epoch, self.behind or 0)
        elif head.epoch < epoch and not self._is_old(head):
            self._find(head, f"it is of epoch {head.epoch}, we are at {epoch}: it must bootstrap")
        return head.epoch == epoch

    def _is_old(self, head: Head) -> bool:
        """Whether nobody needs to hear of it any more: its store goes on under another id, or it
        has said nothing for a day."""
        silent_ms = self.store.clock.now_ms() - head.sent_ms
        return head.replica in self.ended or silent_ms > PEER_SILENT_WARN_MS

    def _rejoin_if_retired(self, head: Head) -> None:
        if self.store.own_replica() in head.retired:
            self.rejoined = rejoin(self.store, head.vv, actor=self.actor).replica

    def _applied(self, head: Head) -> bool:
        """Take all of it that is news; False, with a finding, where that cannot be."""
        try:
            self._apply(head)
        except ObjectMissing:
            return self._again(head)
        except MemtendError as error:
            self._note(head, error)
            return False
        return True

    def _again(self, head: Head) -> bool:
        """A page went while we read: its owner has published a new head, or it is lost."""
        newer = self.place.newest(self.place.names().get(head.replica, [])).head
        try:
            self._apply(newer or head)
        except MemtendError as error:
            self._note(newer or head, error)
            return False
        return True

    def _apply(self, head: Head) -> None:
        place_row = find(self.store, address_id(PeerKind.PLACE, self.place.url))
        accept = accepting(find(self.store, head.replica), place_row)
        deltas = wanted(head, vector(self.store))
        if deltas:
            self.guard.look(head.published)
        for delta in deltas:
            pages = Counted(self.place.pages(head.replica, delta.pages))
            applied = apply(self.store, pages, accept=accept, actor=self.actor)
            self.way = self.way.plus(way_of(applied, pages.bytes, full=delta.full))
        if descends(vector(self.store), head.published):
            self.sound.append(head)

    def _note(self, head: Head, error: MemtendError) -> None:
        """What concerns one sender is a finding; anything else is raised again."""
        if isinstance(error, ObjectDamaged | ObjectMissing):
            name = error.facts["name"]
            self.damaged += [d for d in head.pages if page_name(head.replica, d) == name]
        elif error.code not in REFUSALS and not isinstance(error, PeerClock):
            raise error
        self._find(head, str(error), error.code)

    def _find(self, head: Head, why: str, code: int = 0) -> None:
        where = f"{head.replica} ({head.name})" if head.name else head.replica
        self.findings.append(SyncFinding(where=where, why=why, code=code))

    def _acknowledge(self, head: Head, heard_ms: int) -> None:
        """A head that was read before is no new sign of life."""
        own, seen = self.store.own_replica(), vector(self.store)
        sent_ms = min(head.sent_ms, self.store.clock.now_ms())
        if sent_ms <= heard_ms or head.vv.get(own, 0) > seen.get(own, 0):
            return
        met(self.store, head.replica, head.vv, name=head.name, url=self.place.url)
        if descends(seen, head.vv):
            heard(self.store, head.replica, sent_ms)
