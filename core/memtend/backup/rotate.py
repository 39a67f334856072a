"""Rotation, carried out: backups go, and with them the objects that only they needed.

What a crash leaves at any point is too much, never too little. The order of writes:

1. lease      nobody takes, pins or rotates meanwhile; everything is looked at again
2. record     what goes, so that verification tells a dropped manifest from a lost one
3. manifests  the newest first, so that what remains can be restored at every moment
4. mark       what the remaining manifests name, listed anew
5. objects    those unmarked and older than the grace
6. leftovers  of cut-off puts, lease claims that ran out, records that a newer one replaces; and
              the reserve is laid down again, which a full target gives up before step 1
7. release    or the lease runs out by itself

Repeating it goes on where it was cut off. What was pinned, or built upon, since the plan was made
stays. Nothing goes while the newest backup of any store is not seen to be whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from memtend.backup import reserve
from memtend.backup import rotation_record as records
from memtend.backup.lease import RepositoryLease
from memtend.backup.lineage import all_objects, chain_of, why_not_whole
from memtend.backup.manifest import ManifestName
from memtend.backup.pins import pins_by_manifest, read_pins
from memtend.backup.reclaim import Clocks, Reclaim, reclaim
from memtend.backup.repository import Repository, object_name
from memtend.backup.rotation_plan import Look, RotationPlan, RotationReport, look
from memtend.backup.rotation_record import RecordName, RotationRecord
from memtend.backup.take import PURPOSE
from memtend.clock import Clock, to_datetime
from memtend.errors import ObjectDamaged, PlanForeign, RotationRefused, TargetFull
from memtend.guard import Cleared
from memtend.limits import GARBAGE_GRACE_MS
from memtend.objects import ObjectInfo

LEFTOVERS: Final = ("tmp/", "probe/")
_LEASES: Final = "leases/"


def apply_rotation(cleared: Cleared, repository: Repository, clock: Clock) -> RotationReport:
    """Delete what the plan names, as far as it may still go, and what nobody needs any more."""
    plan = cleared.plan
    if not isinstance(plan, RotationPlan) or plan.repo_id != repository.identity.repo_id:
        raise PlanForeign(operation=plan.operation, what="repository")
    try:
        return _under_lease(plan, repository, clock)
    except TargetFull:
        if not reserve.give_up(repository.store):
            raise
    return _under_lease(plan, repository, clock)


def _under_lease(plan: RotationPlan, repository: Repository, clock: Clock) -> RotationReport:
    started_ns = clock.monotonic_ns()
    with RepositoryLease(repository.store, PURPOSE, clock.new_id(), clock) as lease:  # 1
        return _Rotation(plan, repository, clock, lease).run(started_ns)


class _Rotation:
    def __init__(
        self, plan: RotationPlan, repository: Repository, clock: Clock, lease: RepositoryLease
    ) -> None:
        self._plan = plan
        self._repository = repository
        self._store = repository.store
        self._clock = clock
        self._lease = lease
        self._notes: list[str] = []

    def run(self, started_ns: int) -> RotationReport:
        before = look(self._repository)
        drop = self._still_to_drop(before)
        listed = list(self._store.list("objects/"))
        if drop:
            self._refuse_unless_whole(before, drop, listed)
        old = records.list_records(self._store)
        last = self._newest_record(old)
        clocks = Clocks(self._clock.now_ms(), self._target_ms())
        kept = {name: one for name, one in before.manifests.items() if name not in drop}
        unreadable = [name for name in before.unreadable if name not in drop]
        unnamed = _unnamed(listed, all_objects(kept.values()))
        leftovers = [info for folder in LEFTOVERS for info in self._store.list(folder)]
        found = reclaim([*unnamed, *leftovers], last.waiting if last else {}, clocks)
        parents = {one.parent for one in kept.values()}
        before_that = set(last.dropped) & parents if last else set()
        dropped = sorted(set(map(str, drop)) | before_that - set(map(str, kept)))
        self._record(dropped, found, last, old, set(map(str, kept)))  # 2

        for name in sorted(drop, reverse=True):  # 3
            self._delete(str(name))
        after = look(self._repository, before.manifests)  # 4
        marked = set(map(object_name, all_objects(after.manifests.values())))
        go = [info for info in found.objects if info.name not in marked]
        if unreadable:
            self._notes.append(
                f"no object was deleted: {len(unreadable):,} manifests cannot be read, "
                "and what they need is unknown"
            )
            go = [info for info in go if info.name.startswith(LEFTOVERS)]
        for info in go:  # 5, 6
            self._delete(info.name)
        cleared = self._clear_claims() + self._clear_records()
        reserve.lay_down(self._store)
        objects = [info for info in go if not info.name.startswith(LEFTOVERS)]
        return RotationReport(
            operation=self._plan.operation,
            applied=True,
            planned=len(self._plan.to_delete()),
            deleted=len(drop),
            kept=len(after.manifests),
            changed_since=len(self._plan.to_delete()) - len(drop),
            bytes_freed=sum(info.size for info in go),
            objects_deleted=len(objects),
            objects_waiting=sum(not name.startswith(LEFTOVERS) for name in found.waiting),
            leftovers_deleted=len(go) - len(objects) + cleared,
            seconds=(self._clock.monotonic_ns() - started_ns) / 1e9,
            notes=tuple(self._notes),
            url=self._store.url,
        )

    def _still_to_drop(self, seen: Look) -> set[ManifestName]:
        """What the plan drops, less what is gone, pinned since, or needed by what stays."""
        planned = set(self._plan.dropped())
        pinned = set(pins_by_manifest(read_pins(self._store)))
        drop = {n for n in seen.manifests if str(n) in planned and str(n) not in pinned}
        for name in seen.manifests:
            if name not in drop:
                drop.difference_update(chain_of(name, seen.manifests)[0])
        stores = {one.store.store_id for one in seen.manifests.values()}
        left = {one.store.store_id for name, one in seen.manifests.items() if name not in drop}
        if stores != left:
            why = "it would leave no backup of a store"
            raise RotationRefused(url=self._store.url, why=why)
        return drop | {n for n in seen.unreadable if str(n) in planned and str(n) not in pinned}

    def _refuse_unless_whole(
        self, seen: Look, drop: set[ManifestName], listed: Iterable[ObjectInfo]
    ) -> None:
        sizes = {info.name: info.size for info in listed}
        newest = {one.store.store_id: n for n, one in seen.manifests.items() if n not in drop}
        for name in newest.values():
            if why := why_not_whole(name, seen.manifests, sizes):
                raise RotationRefused(url=self._store.url, why=why)

    def _newest_record(self, names: list[RecordName]) -> RotationRecord | None:
        """A damaged one is as good as none: objects wait longer, and verification names it."""
        if not names:
            return None
        try:
            return records.read_record(self._store, names[-1])
        except ObjectDamaged as error:
            self._notes.append(str(error))
            return None

    def _target_ms(self) -> int | None:
        """The target's present: when it says that our claim was written."""
        claims = self._store.list(f"{_LEASES}{PURPOSE}/")
        return max((c.modified_ms for c in claims if c.modified_ms is not None), default=None)

    def _record(
        self,
        dropped: list[str],
        found: Reclaim,
        last: RotationRecord | None,
        names: list[RecordName],
        kept: set[str],
    ) -> None:
        """Write what goes and waits, unless the newest record says it already."""
        if last is not None:
            said = set(dropped) <= set(last.dropped) and found.waiting == last.waiting
            if said and not kept & set(last.dropped):
                return
        elif not names and not dropped and not found.waiting:
            return
        self._lease.renew()
        records.put_record(
            self._store,
            RotationRecord(
                repo_id=self._repository.identity.repo_id,
                number=names[-1].number + 1 if names else 1,
                at=to_datetime(self._clock.now_ms()),
                dropped=tuple(dropped),
                waiting=found.waiting,
            ),
        )

    def _delete(self, name: str) -> None:
        self._lease.renew()
        self._store.delete(name)

    def _clear_claims(self) -> int:
        """Claims of any purpose that ran out long ago."""
        over_ms = self._clock.now_ms() - GARBAGE_GRACE_MS
        gone = 0
        for info in list(self._store.list(_LEASES)):
            expiry = info.name.rpartition("/")[2].partition("-")[0]
            if expiry.isdecimal() and int(expiry) < over_ms:
                self._delete(info.name)
                gone += 1
        return gone

    def _clear_records(self) -> int:
        """All but the newest, which was read or written in this run."""
        names = records.list_records(self._store)
        for name in names[:-1]:
            self._delete(str(name))
        return max(len(names) - 1, 0)


def _unnamed(listed: Iterable[ObjectInfo], needed: Iterable[str]) -> list[ObjectInfo]:
    names = set(map(object_name, needed))
    return [info for info in listed if info.name not in names]
