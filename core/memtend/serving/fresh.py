"""Restoring where no store is open: into a new place, or where the store is beyond repair."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from memtend.backup.choosing import reached
from memtend.backup.rebuild import rebuilt
from memtend.backup.restore import ACTOR, RestoreReport, plan_whole, report_of
from memtend.backup.restore_plan import Mode, RestorePlan
from memtend.clock import Clock, to_ms
from memtend.serving.wishing import open_repository, wishing
from memtend.store import catalog
from memtend.store.adapting import Deed
from memtend.store.building import Numbers
from memtend.store.installing import place_for
from memtend.store.meta import crc_of

if TYPE_CHECKING:
    from memtend.settings import Settings


def plan_fresh(
    settings: Settings,
    clock: Clock,
    target_url: str | None = None,
    *,
    to: datetime | None = None,
    manifest: str | None = None,
    mode: Mode = Mode.REJOIN,
    compare: bool = True,
) -> RestorePlan:
    """What the backup would bring. Nothing is known of a live store, so everything is new.

    Without `compare` only the manifests are read, and the plan counts nothing.
    """
    moment_ms = None if to is None else to_ms(to)
    repository = open_repository(target_url or settings.backup_url, settings, clock)
    with wishing(repository, None, moment_ms, manifest) as (choice, wished):
        plan = plan_whole(
            choice,
            wished,
            (),
            None,
            url=repository.store.url,
            mode=mode,
            moment_ms=moment_ms,
            policy_digest=None,
            replicas=len(choice.manifest.store.vv) - 1,
            replace_other=False,
            clock=clock,
            compare=compare,
        )
        label = choice.manifest.label or choice.manifest.store.store_id
        note = f"this is a backup of the store {label}; several stores may be in {plan.url}"
        return plan.model_copy(update={"notes": (note, *plan.notes)})


def apply_fresh(
    plan: RestorePlan, into: str, settings: Settings, clock: Clock, *, damaged: bool = False
) -> RestoreReport:
    """Build the planned state and put it at `into`; raises `StoreExists` where a store is.

    With `damaged` the store that is there is moved aside, whatever its state; close it everywhere
    first. What it granted and counted since the newest backup is not known, so the epoch of leases
    goes on from the time of day.
    """
    began = clock.monotonic_ns()
    moment_ms = None if plan.to is None else to_ms(plan.to)
    repository = open_repository(plan.url, settings, clock)
    key_path = str(settings.key_path) if settings.key_path else None
    with wishing(repository, None, moment_ms, plan.manifest) as (choice, wished):
        place = place_for(into, clock, key_path=key_path, damaged=damaged)
        newest = repository.get_manifest(choice.newest)
        facts = wished.manifest.store
        size = sum(ref.stored_bytes for ref in newest.segments)
        entry = catalog.Entry(
            str(choice.newest), plan.url, to_ms(newest.at), newest.store.seq, newest.records, size,
            newest.root or "",
        )  # fmt: skip
        deed = Deed(
            ACTOR,
            {"manifest": plan.manifest, "mode": plan.mode.value, "at": plan.at.isoformat()},
            reached([wished.manifest, newest], facts.store_id),
            plan.mode is Mode.EVERYBODY,
            [(*entry, crc_of(tuple(entry)))],
        )
        with rebuilt(place.built, wished, Numbers(), clock, place.key) as witness:
            installed = place.install(deed)
    return report_of(
        plan,
        wished,
        witness,
        store=place.url,
        epoch=installed.meta.epoch,
        lease_epoch=installed.meta.lease_epoch,
        kept=installed.aside,
        seconds=(clock.monotonic_ns() - began) / 1e9,
    )
