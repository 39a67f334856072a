"""Giving back what recalls, deletions and new versions have left unused in the archive.

1. rewrite  what is still named of an object that is mostly unused moves into a new one, in the
            order of `moving`; blocks are never edited
2. list     objects that no record names are written down with the time at which that was seen
3. remove   those that have been on the list for long enough, and that no backup in the target
            may name: the manifest of the object first, then the object

A stub that a restore brings back names an object that was on no list when the backup was taken, so
it is still there. A crash at any point leaves objects too many; the next run goes on from the list.
Nothing is removed while a damaged stub leaves open what it names.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from memtend.archive.manifest import Unused
from memtend.archive.moving import Mover, renewed
from memtend.archive.packing import Source
from memtend.archive.report import CompactReport
from memtend.archive.survey import ObjectState, Survey, survey
from memtend.archive.vault import Cursor, Vault, object_name
from memtend.clock import to_datetime
from memtend.errors import ArchiveDamaged
from memtend.limits import ARCHIVE_COMPACT_LEVEL, ARCHIVE_DEAD_SHARE, REPORT_NAMES_MAX
from memtend.model.archiverule import ArchivePolicy
from memtend.model.facts import Facts
from memtend.model.plan import Action, Decision, Plan
from memtend.store import archived

if TYPE_CHECKING:
    from memtend.guard import Cleared
    from memtend.store.store import Store

_OBJECTS = "objects"


class Backups(NamedTuple):
    """When the backups that exist were taken. `unknown` says why that is not known."""

    taken: tuple[datetime, ...] = ()
    unknown: str = ""

    def may_name(self, one: ObjectState) -> str:
        """Why an unused object must stay for them; empty if it need not.

        Pins, counts without a maximum age and backups that have stopped keep a backup for longer
        than any fixed time.
        """
        if self.unknown:
            return f"a backup may name it: {self.unknown}"
        if one.made is None or one.since is None:
            return ""
        named = [at for at in self.taken if one.made <= at <= one.since]
        return f"the backup of {max(named):%Y-%m-%d} may name it" if named else ""


NO_BACKUPS = Backups()


def due(found: Survey, policy: ArchivePolicy, now: datetime) -> bool:
    """Whether anything has been unused for long enough, so that backups must be asked."""
    keep = timedelta(milliseconds=policy.keep_ms)
    return any(one.since is not None and one.since + keep <= now for one in found.unused)


def plan_compact(
    found: Survey, facts: Facts, policy: ArchivePolicy, backups: Backups = NO_BACKUPS
) -> Plan:
    """Rewrite what is mostly unused, remove what has long been unused, keep the rest. Pure."""
    decisions = []
    for one in found.objects:
        if one.live and one.dead_share > ARCHIVE_DEAD_SHARE:
            action, why = Action.UPDATE, f"{one.dead_share:.0%} of it is unused"
        elif one.live:
            continue
        elif found.damaged:
            action, why = Action.KEEP, "a damaged row may name it; run `memtend verify`"
        elif one.since is None:
            action, why = Action.KEEP, "nothing names it any more"
        elif one.since + timedelta(milliseconds=policy.keep_ms) > facts.at:
            action, why = Action.KEEP, f"unused since {one.since:%Y-%m-%d}; backups may name it"
        elif held := backups.may_name(one):
            action, why = Action.KEEP, f"unused since {one.since:%Y-%m-%d}; {held}"
        else:
            action, why = Action.DELETE, f"unused since {one.since:%Y-%m-%d}"
        decisions.append(
            Decision(
                action=action, namespace=_OBJECTS, key=one.digest, reason=why,
                size_bytes=one.stored_bytes,
            )
        )  # fmt: skip
    return Plan(
        operation="compact",
        store_id=facts.store_id,
        made_at=facts.at,
        basis=facts.seq,
        total=len(found.objects),
        decisions=tuple(decisions),
    )


def apply_compact(
    cleared: Cleared,
    store: Store,
    vault: Vault,
    policy: ArchivePolicy,
    *,
    backups: Backups = NO_BACKUPS,
    program: str = "",
) -> CompactReport:
    """Carry the plan out. Safe to repeat; what is named again since is left alone."""
    clock = store.clock
    began = clock.monotonic_ns()
    chosen = {one.key: one.action for one in cleared.plan.decisions}
    mostly_unused = {key for key, action in chosen.items() if action is Action.UPDATE}
    mover = Mover(store, vault, cleared.lease, "compact", program)
    unreadable: list[str] = []
    if mostly_unused:
        _rewrite(store, vault, mover, mostly_unused, unreadable)  # 1
    lease = renewed(store, mover.lease)
    found = survey(vault, archived.stubs(store), archived.state_since(store))
    now = to_datetime(clock.now_ms())
    since = _list(vault, found, now)  # 2
    gone = {key for key, action in chosen.items() if action is Action.DELETE}
    removed = freed = 0
    if not found.damaged:
        for one in found.unused:
            over = since[one.digest] + timedelta(milliseconds=policy.keep_ms) <= now
            if one.digest in gone and over and not backups.may_name(one):  # 3
                lease = renewed(store, lease)
                for name in one.parts:
                    vault.store.delete(str(name))
                vault.store.delete(object_name(one.digest))
                removed, freed = removed + 1, freed + one.stored_bytes
    return CompactReport(
        operation="compact",
        applied=True,
        planned=len(mostly_unused) + len(gone),
        deleted=removed,
        bytes_freed=freed,
        refused=len(unreadable),
        seconds=(clock.monotonic_ns() - began) / 1e9,
        rewritten=len(mostly_unused),
        moved=sum(one.rows for one in mover.moved),
        removed=removed,
        waiting=len(found.unused) - removed,
        notes=tuple(unreadable[:REPORT_NAMES_MAX]),
    )


def _rewrite(
    store: Store, vault: Vault, mover: Mover, objects: set[str], unreadable: list[str]
) -> None:
    replaces = {old for _, part in vault.parts() if part.object in objects for old in part.replaces}
    named = objects | replaces
    wanted = [
        (stub, stub.address)
        for stub in archived.stubs(store)
        if stub.address is not None and stub.address.object.hex() in named
    ]
    cursor = Cursor(vault)
    for stub, address in sorted(wanted, key=lambda one: one[1][:4]):
        try:
            entry = cursor.entry(address, f"{stub.namespace}/{stub.key}")
        except ArchiveDamaged as error:
            unreadable.append(f"{stub.namespace}/{stub.key}: {error}")
            continue
        mover.add(Source(stub.seq, entry, address.was_bytes), ARCHIVE_COMPACT_LEVEL)
    mover.flush()


def _list(vault: Vault, found: Survey, now: datetime) -> dict[str, datetime]:
    """Write down what is unused and since when, if that is news."""
    since = {one.digest: one.since or now for one in found.unused}
    known = vault.unused()
    if since == (known.since if known else {}):
        return since
    said = Unused(
        archive_id=vault.identity.archive_id, number=vault.next_number(), since=since, at=now
    )
    vault.put_manifest(said)
    for name in found.lists:
        vault.store.delete(str(name))
    return since
