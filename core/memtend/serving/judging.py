"""Judging the open store: every part of it is asked for its figures, then the checks judge them.

What cannot be read does not end the look: it is named, and whatever else is known is judged. The
usual look is bounded, whatever the store has grown to; `full` reads everything.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from memtend.clock import to_ms
from memtend.crdt.hlc import millis
from memtend.errors import AuditBroken, BackupKeyRefused, MemtendError
from memtend.limits import BALLAST_FILES, POLICY_RULES_MAX
from memtend.serving.archives import Archives
from memtend.serving.drills import Drills
from memtend.serving.migrating import Migrating
from memtend.serving.peering import Peering
from memtend.serving.recasts import family_named
from memtend.store import catalog

if TYPE_CHECKING:
    from memtend.archive.vault import Vault
    from memtend.health.facts import Crowded, HealthFacts
    from memtend.health.report import HealthReport
    from memtend.model.facts import Facts

T = TypeVar("T")
U = TypeVar("U")
_HOUR_MS: Final = 3_600_000


class _Asking:
    """Asks one part after another; one that fails is noted, and its answer is the other one."""

    def __init__(self) -> None:
        self.unread: list[str] = []

    def __call__(self, what: str, ask: Callable[[], T], otherwise: U) -> T | U:
        try:
            return ask()
        except (MemtendError, ValueError, TypeError, LookupError) as error:
            self.unread.append(f"{what} ({error})")  # damage can put anything anywhere
            return otherwise


class Judging(Peering, Archives, Drills, Migrating):
    """Health."""

    def health(self, target_url: str | None = None, *, full: bool = False) -> HealthReport:
        """Judge the store by its figures; with a target, its backups too.

        A sample of the rows is read, each time the next ones. `full` reads every row and the files
        of models in use, and lets the database check itself; cut off, it goes on where it was when
        it is called again.
        """
        from memtend.health.checks import check_health  # noqa: PLC0415

        return check_health(self._health_facts(target_url, full))

    def _health_facts(self, target_url: str | None, full: bool) -> HealthFacts:
        from memtend.health.facts import HealthFacts  # noqa: PLC0415
        from memtend.serving import looks  # noqa: PLC0415
        from memtend.serving.modelfiles import model_facts  # noqa: PLC0415

        ask, facts = _Asking(), self.facts()
        stats = ask("totals", self.memory.stats, None)
        given: dict[str, Any] = {
            "at": facts.at,
            "records": facts.records,
            "bytes": facts.bytes,
            "file_bytes": stats.file_bytes if stats else 0,
            "pressure": looks.pressure_of(stats),
            **self._room(ask, facts),  # first: a look at the rows writes down how far it came
            **self._whole(ask, full),
            **self._used(ask),
            **self._backup_facts(target_url, ask),
            **self._archive_facts(stats.archived.records if stats else 0),
            **ask("models", lambda: model_facts(self.store, full=full), {}),
        }
        return HealthFacts(**given, unread=tuple(ask.unread))

    def _whole(self, ask: _Asking, full: bool) -> dict[str, Any]:
        """Whether everything is there, and as it was written."""
        from memtend.serving import looks  # noqa: PLC0415
        from memtend.store import looking, structure  # noqa: PLC0415

        store, engine = self.store, self.store.engine
        return {
            "structure": ask("the schema", lambda: structure.problems(engine), None),
            "rows": ask("rows", lambda: looks.rows_of(store, full=full), None),
            "tables": ask("small tables", lambda: looks.tables_of(store), None),
            "engine_found": ask("the database", lambda: looks.engine_of(store, full=full), None),
            "audit": ask("the audit trail", lambda: self._audit_trouble(full), None),
            "key_is_open": looking.key_is_open(engine.path),
            "statistics": ask("statistics", lambda: looks.statistics_of(store), None),
            "older_values": ask("versions", self._older_values, None),
            "engine_notes": engine.notes(),
        }

    def _used(self, ask: _Asking) -> dict[str, Any]:
        """What is done with the store, and what waits."""
        from memtend.serving import looks  # noqa: PLC0415
        from memtend.store import looking  # noqa: PLC0415
        from memtend.store.conflicted import crowded  # noqa: PLC0415

        store, memory, now_ms = self.store, self.memory, self.clock.now_ms()
        crowd = ask("conflicts", lambda: crowded(store, memory.config, memory._reads), None)
        log_age_ms, log_rows = ask("the change log", lambda: looking.log_growth(store), (None, 0))
        waited_for, waiters = ask("leases", lambda: looking.lease_queue(store), ("", 0))
        return {
            "clock_alarm_ms": self.clock.alarm_ms,
            "ahead_ms": max(0, millis(store.meta().hlc) - now_ms),
            "conflicts": crowd.keys if crowd else None,
            "conflicts_sampled": crowd.sampled if crowd else False,
            "siblings_most": crowd.most if crowd else 0,
            "log_age_ms": log_age_ms,
            "log_rows": log_rows,
            "waiters": waiters,
            "waited_for": waited_for,
            "slow": ask("latencies", lambda: looks.slow_of(store), ()),
            "policy_troubles": looks.policy_troubles(memory.config.file),
            "regret": ask("regret", lambda: looks.regret_of(store), ()),
            "alerts": ask("alerts", lambda: dict(store.engine.read("alerts_standing")), {}),
            "peers": ask("peers", self.peer_facts, ()),
            **ask("messages", lambda: looks.message_facts_of(store), {}),
        }

    def _room(self, ask: _Asking, facts: Facts) -> dict[str, Any]:
        """How much room there is, and how much could be made."""
        from memtend.health.facts import SavingFacts  # noqa: PLC0415
        from memtend.serving.savings import savings_of  # noqa: PLC0415
        from memtend.store import looking  # noqa: PLC0415

        store, engine = self.store, self.store.engine
        space = ask("space", lambda: looking.space(engine), looking.Space())
        backlog = ask("expiry", lambda: looking.expired_waiting(store), None)
        savings = ask(
            "savings", lambda: savings_of(self.memory, facts, backlog or 0, space), SavingFacts()
        )
        return {
            "backlog": backlog,
            "bounds": ask("bounds", self._bounds, ()),
            "disk_free_bytes": self._disk_free(),
            "lost_file_bytes": space.lost_bytes,
            "wal_bytes": space.wal_bytes,
            "ballast": (store.ballast.count(), BALLAST_FILES if engine.path else 0),
            "savings": savings,
        }

    def _bounds(self) -> tuple[Crowded, ...]:
        from memtend.health.facts import Crowded  # noqa: PLC0415
        from memtend.store import looking  # noqa: PLC0415

        rules = len(self.memory.config.file.policies.rules)
        found = looking.bounds(self.store, rules, POLICY_RULES_MAX)
        return tuple(Crowded(what=what, used=used, limit=most) for what, used, most in found)

    def _backup_facts(self, target_url: str | None, ask: _Asking) -> dict[str, Any]:
        asked = {"backup_asked": target_url is not None, "backup_age_ms": None, "backup_rows": None}
        if not target_url:
            return asked | {"backup_known": ask("the catalog", self._has_backups, True)}
        drilled = ask("drills", lambda: self._drill_facts(target_url), {})
        return asked | drilled | ask("the catalog", lambda: self._taken_facts(target_url), {})

    def _has_backups(self) -> bool:
        return catalog.last(self.store) is not None

    def _drill_facts(self, target_url: str) -> dict[str, Any]:
        evidence = self.drill_evidence(target_url)
        if evidence is None:
            return {}
        good_at, now_ms = evidence.good_at, self.clock.now_ms()
        age_ms = now_ms - to_ms(good_at) if good_at else None
        return {"drill_age_ms": age_ms, "drill_passed": evidence.last.ok}

    def _taken_facts(self, target_url: str) -> dict[str, Any]:
        from memtend.objects import address_of  # noqa: PLC0415
        from memtend.serving.looks import chain_of  # noqa: PLC0415

        address, now_ms = address_of(target_url), self.clock.now_ms()
        newest = catalog.newest(self.store, address)
        if newest is None:
            return {}
        first = catalog.oldest(self.store, address)
        return {
            "backup_age_ms": now_ms - newest.at_ms,
            "backup_rows": newest.rows,
            "backed_up_ms": now_ms - first.at_ms if first else None,
            **chain_of(target_url, newest.manifest, self.settings, self.clock),
        }

    def _archive_facts(self, archived: int) -> dict[str, Any]:
        """Whether the archive answers, and one of its values, each hour another one, is whole.
        Asked only where something lies there, and judged only by who has its key."""
        if not archived:
            return {}
        try:
            self._read_archived(self._vault())
        except BackupKeyRefused:
            return {}
        except (MemtendError, OSError) as error:
            return {"archived": archived, "archive_trouble": str(error)}
        return {"archived": archived}

    def _read_archived(self, vault: Vault) -> None:
        from memtend.codec.address import read_address  # noqa: PLC0415
        from memtend.codec.compress import Damaged  # noqa: PLC0415
        from memtend.serving.savings import spread  # noqa: PLC0415

        seqs = self.store.engine.array(spread(self.store, self.store.meta().seq))
        if found := self.store.engine.read("stubs_among", (seqs,)):
            seq, value = found[self.clock.now_ms() // _HOUR_MS % len(found)]
            with suppress(Damaged):  # a damaged stub is a damaged row
                vault.entry(read_address(bytes(value)), f"change {seq}")

    def _audit_trouble(self, full: bool) -> str:
        """Why the trail does not check: its end, or all of it."""
        from memtend.store.audit import check_chain  # noqa: PLC0415
        from memtend.store.looking import check_audit_end  # noqa: PLC0415
        from memtend.store.meta import Meta  # noqa: PLC0415

        try:
            if not full:
                check_audit_end(self.store)
                return ""
            with self.store.engine.snapshot() as reader:
                meta = Meta.of(reader.fetch("meta"), self.store.url)
                check_chain(reader, self.store.key, meta.audit_head, meta.audit_n)
        except AuditBroken as error:
            return str(error)
        return ""

    def _older_values(self) -> str | None:
        """What a migration of values would move, in words; None where that is nothing, or where
        finding out would read too much: who starts, or plans a migration, does that."""
        from memtend.limits_upkeep import HEALTH_NEWS_ROWS  # noqa: PLC0415
        from memtend.migrate.pending import unseen  # noqa: PLC0415

        if (
            self.settings.migrate == "off"
            or unseen(self.store, family_named(None)) > HEALTH_NEWS_ROWS
        ):
            return None
        found = self.pending_migrations()
        return found.sentence() if found else None

    def _disk_free(self) -> int | None:
        path = self.store.url.removeprefix("sqlite:///")
        return shutil.disk_usage(os.path.dirname(path)).free if os.path.isabs(path) else None
