"""What rotation would do with each backup of a repository, and what it did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pydantic import AwareDatetime

from memtend.backup.lineage import all_objects
from memtend.backup.manifest import Manifest, ManifestName
from memtend.backup.pins import pins_by_manifest, read_pins
from memtend.backup.repository import Repository
from memtend.backup.rotation import Held, rotate
from memtend.clock import to_datetime, to_ms
from memtend.errors import ManifestDamaged
from memtend.model.facts import Facts
from memtend.model.plan import Action, Decision, Plan, Report
from memtend.model.retention import Retention

MANIFESTS = "manifests"


class RotationDecision(Decision, frozen=True, extra="forbid"):
    """One backup. `key` is its name without the folder; `size_bytes` what its going would free."""

    number: int
    kind: str = ""
    store_id: str = ""
    at: AwareDatetime | None = None


class RotationPlan(Plan, frozen=True, extra="forbid"):
    """Every backup of the repository with the reasons to keep it, or why none keeps it.

    `store_id` and `basis` are those of the store that asked; `unreadable` are manifests that cannot
    be read: while one is there, no object is deleted, for nobody knows what it needs.
    """

    url: str
    repo_id: str
    retention: Retention
    decisions: tuple[RotationDecision, ...] = ()
    unreadable: tuple[str, ...] = ()

    def dropped(self) -> tuple[str, ...]:
        return tuple(f"{MANIFESTS}/{one.key}" for one in self.to_delete())


class RotationReport(Report, frozen=True, extra="forbid"):
    """`deleted` counts backups, `objects_deleted` what only they needed and older leftovers.

    `objects_waiting` are needed by no backup, but not yet known to be older than the grace.
    """

    url: str
    kept: int = 0
    objects_deleted: int = 0
    objects_waiting: int = 0
    leftovers_deleted: int = 0


class Look(NamedTuple):
    """The manifests of a repository, oldest first, and those that cannot be read or are foreign."""

    manifests: dict[ManifestName, Manifest]
    unreadable: tuple[ManifestName, ...]


def look(repository: Repository, known: Mapping[ManifestName, Manifest] | None = None) -> Look:
    """Read every manifest; what is `known` already is not read again: a name is its content."""
    found: dict[ManifestName, Manifest] = {}
    unreadable = []
    for name in repository.manifests():
        try:
            manifest = (known or {}).get(name) or repository.get_manifest(name)
        except ManifestDamaged:
            unreadable.append(name)
            continue
        if manifest.repo_id == repository.identity.repo_id:
            found[name] = manifest
        else:
            unreadable.append(name)
    return Look(found, tuple(unreadable))


def plan_rotation(
    repository: Repository, retention: Retention, facts: Facts, forget: Iterable[str] = ()
) -> RotationPlan:
    """Decide about every backup. `forget` names manifests that cannot be read and are to go."""
    seen = look(repository)
    pins = pins_by_manifest(read_pins(repository.store))
    held = [
        Held(
            str(name),
            name.number,
            one.store.store_id,
            to_ms(one.at),
            one.base,
            pins.get(str(name), ()),
        )
        for name, one in seen.manifests.items()
    ]
    verdicts = rotate(held, retention, to_ms(facts.at))
    by_name = {str(name): one for name, one in seen.manifests.items()}
    needed = all_objects(by_name[v.held.name] for v in verdicts if v.keep)
    decisions = []
    for verdict in verdicts:
        manifest = by_name[verdict.held.name]
        alone = {k: n for k, n in all_objects((manifest,)).items() if k not in needed}
        # An object that several of them hold is freed by the last to go; here, by the first named.
        needed |= alone
        decisions.append(
            RotationDecision(
                action=Action.KEEP if verdict.keep else Action.DELETE,
                namespace=MANIFESTS,
                key=_key(verdict.held.name),
                reason=", ".join(verdict.reasons),
                size_bytes=sum(alone.values()),
                number=verdict.held.number,
                kind=manifest.kind,
                store_id=manifest.store.store_id,
                at=to_datetime(verdict.held.at_ms),
            )
        )
    asked = set(forget)
    decisions += (
        RotationDecision(
            action=Action.DELETE if str(name) in asked else Action.KEEP,
            namespace=MANIFESTS,
            key=_key(str(name)),
            reason="it cannot be read" + (", and is to go" if str(name) in asked else ""),
            number=name.number,
        )
        for name in seen.unreadable
    )
    return RotationPlan(
        operation="rotate",
        store_id=facts.store_id,
        made_at=facts.at,
        basis=facts.seq,
        total=len(decisions),
        decisions=tuple(sorted(decisions, key=lambda one: one.key)),
        url=repository.store.url,
        repo_id=repository.identity.repo_id,
        retention=retention,
        unreadable=tuple(map(str, seen.unreadable)),
    )


def _key(name: str) -> str:
    return name.removeprefix(f"{MANIFESTS}/")
