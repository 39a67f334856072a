"""What the parts of a store say, as the facts that health is judged by."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from memtend.errors import BackupKeyRefused, ManifestDamaged, MemtendError, ObjectMissing
from memtend.health.facts import Crowded, OpFacts, RegretFacts, RowsFacts
from memtend.limits import CHAIN_MANIFESTS_MAX
from memtend.limits_upkeep import HEALTH_SEGMENTS, STATISTICS_ROWS_MIN
from memtend.store import looking, sampling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtend.clock import Clock
    from memtend.model.findings import StoreFinding
    from memtend.model.policyfile import PolicyFile
    from memtend.model.stats import Stats
    from memtend.settings import Settings
    from memtend.store.store import Store

_NAMED: Final = 5
_DAY_HOURS: Final = 24
_LOOSE_SHARE: Final = 0.9


def pressure_of(stats: Stats | None) -> tuple[Crowded, ...]:
    return tuple(
        Crowded(what=f"{one.scope} {one.name}", used=one.bytes, limit=one.limit_bytes)
        for one in (stats.pressure if stats else ())
    )


def rows_of(store: Store, *, full: bool) -> RowsFacts:
    """A look at the next rows, or at every one of them."""
    looked = sampling.look(store, in_full=full)
    rows, findings, missing = looked.rows, list(looked.findings), set(looked.missing)
    while full and not looked.ended:
        looked = sampling.look(store, in_full=True, since=looked.passed)
        rows += looked.rows
        findings += looked.findings
        missing |= set(looked.missing)
    passed = looked.passed
    whole_ms = None if passed.whole_ms is None else store.clock.now_ms() - passed.whole_ms
    return RowsFacts(
        looked=rows,
        damaged=len(passed.damaged),
        found=_named(findings),
        passed_rows=passed.rows,
        whole_ms=whole_ms,
        missing_dictionaries=tuple(sorted(missing)),
    )


def tables_of(store: Store) -> tuple[str, ...]:
    return _named(looking.table_findings(store))


def engine_of(store: Store, *, full: bool) -> tuple[str, ...] | None:
    """What the database's own check finds, and whether as many rows are there as should be. A store
    that is written to may change between two questions, but not between two parts of one."""
    if not full:
        return None
    [(told, there)] = store.engine.read("row_count")
    lost = (f"there are {there:,} records instead of {told:,}",) if told != there else ()
    return (*store.engine.integrity(), *lost)


def _named(findings: Iterable[StoreFinding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{one.where}: {one.why}" for one in islice(findings, 100)))


def statistics_of(store: Store) -> str:
    """Of a small store on a server no plan is wrong; there it soon makes its own."""
    from memtend.store.statistics import misfit  # noqa: PLC0415

    small = store.engine.kind != "sqlite" and store.meta().rows < STATISTICS_ROWS_MIN
    return "" if small else misfit(store)


def slow_of(store: Store) -> tuple[OpFacts, ...]:
    from memtend.store.latencies import latencies  # noqa: PLC0415

    return tuple(
        OpFacts(
            op=one.op, tier=one.tier, count=one.operations, p50_ms=one.p50_ms, p95_ms=one.p95_ms
        )
        for one in latencies(store.engine, store.clock.now_ms(), _DAY_HOURS)
    )


def regret_of(store: Store) -> tuple[RegretFacts, ...]:
    return tuple(
        RegretFacts(rule=rule, pruned=pruned, missed=missed)
        for rule, (pruned, missed) in sorted(looking.regret(store).items())
    )


def policy_troubles(file: PolicyFile) -> tuple[str, ...]:
    """What may be set, but hardly be meant."""
    found = []
    share = file.safety.delete_share_max
    if share is not None and share >= _LOOSE_SHARE:
        found.append(f"safety.delete_share_max is {share:.0%}: nothing guards against a wrong plan")
    if share == 0:
        found.append("safety.delete_share_max is 0%: nothing can ever be deleted")
    if file.quotas.agent_bytes > file.quotas.store_bytes:
        found.append("quotas.agent_bytes is above quotas.store_bytes: one agent can fill the store")
    return tuple(found)


def message_facts_of(store: Store) -> dict[str, Any]:
    from memtend.store.messages_books import now_ms  # noqa: PLC0415
    from memtend.store.messages_upkeep import message_facts  # noqa: PLC0415

    found = message_facts(store)
    oldest = found.oldest_ms
    return {
        "messages_waiting": found.waiting,
        "messages_dead": found.dead,
        "messages_age_ms": oldest and max(0, now_ms(store) - oldest),
        "inbox_fullest": found.fullest,
    }


def chain_of(url: str, newest: str, settings: Settings, clock: Clock) -> dict[str, Any]:
    """Whether everything that the newest backup needs is in the target.

    The manifests it builds on are read, and some of the objects that each names are asked for.
    """
    from memtend.backup.manifest import ManifestName  # noqa: PLC0415
    from memtend.backup.repository import object_name  # noqa: PLC0415
    from memtend.serving.wishing import open_repository  # noqa: PLC0415

    try:
        repository = open_repository(url, settings, clock)
    except BackupKeyRefused:  # who has no key cannot tell, and may still ask for all the rest
        return {}
    except (MemtendError, OSError) as error:
        return {"target_trouble": f"the target cannot be used: {error}"}
    name, length = ManifestName.parse(newest), 0
    try:
        while name is not None and length < CHAIN_MANIFESTS_MAX:
            manifest = repository.get_manifest(name)
            length += 1
            segments = manifest.segments
            for ref in segments[:: max(1, len(segments) // HEALTH_SEGMENTS)]:
                if not repository.store.exists(object_name(ref.object)):
                    raise ObjectMissing(name=object_name(ref.object), url=repository.store.url)
            name = ManifestName.parse(manifest.base) if manifest.base else None
    except (ManifestDamaged, ObjectMissing) as error:
        return {"chain_trouble": f"the newest backup cannot be restored: {error}"}
    except (MemtendError, OSError) as error:
        return {"target_trouble": f"the target cannot be used: {error}"}
    return {"chain_length": length}
