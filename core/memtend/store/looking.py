"""What a look at a store's health reads of it. Each answer costs the same at any size."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.errors import AuditBroken
from memtend.limits import (
    BACKLOG_WARN_ROWS,
    INTEGER_ABS_MAX,
    MANIFEST_NAMESPACES_MAX,
    REPLICAS_MAX,
    SWEEP_MARGIN_MS,
)
from memtend.limits_upkeep import HEALTH_AUDIT_ENTRIES, HEALTH_TABLE_ROWS, LOG_WARN_ROWS
from memtend.model.findings import StoreFinding
from memtend.store.audit import GENESIS, SECTION, entries, is_sealed
from memtend.store.lease_rows import clock_ms
from memtend.store.meta import crc_of
from memtend.store.sql_health import PEEKED
from memtend.store.upkeep import sound

if TYPE_CHECKING:
    from memtend.store.engine import Engine, Row
    from memtend.store.store import Store

_PAGE_BYTES: Final = 4_096
_XID_MAX: Final = 2**31


class Space(NamedTuple):
    """`free_bytes` lie unused inside the database. `lost_bytes`: so much shorter is the file than
    it should be, as far as that shows: not while its newest pages lie in the write-ahead log.
    None: not known, or there is no file."""

    free_bytes: int = 0
    wal_bytes: int | None = None
    lost_bytes: int = 0


class Bound(NamedTuple):
    what: str
    used: int
    limit: int


def space(engine: Engine) -> Space:
    if engine.kind != "sqlite":
        rows = engine.script(
            "SELECT n_live_tup::bigint, n_dead_tup::bigint FROM pg_stat_user_tables "
            "WHERE schemaname = current_schema() AND relname = 'sibling'"
        )
        live, dead = rows[0] if rows else (0, 0)
        return Space(engine.size_bytes() * dead // (live + dead) if dead else 0)
    # Asked this way no lock is taken.
    [(pages, free)] = engine.script(
        "SELECT (SELECT page_count FROM pragma_page_count), "
        "(SELECT freelist_count FROM pragma_freelist_count)"
    )
    if engine.path is None:
        return Space(free * _PAGE_BYTES)
    wal = _size(f"{engine.path}-wal")
    lost = 0 if wal else max(0, pages * _PAGE_BYTES - _size(engine.path))
    return Space(free * _PAGE_BYTES, wal, lost)


def bounds(store: Store, rules: int, rules_max: int) -> tuple[Bound, ...]:
    """What comes nearer to an end of its own, and where that is."""
    meta = store.meta()
    [(namespaces, replicas)] = store.engine.read("bounds")
    found = [
        Bound("namespaces", namespaces, MANIFEST_NAMESPACES_MAX),
        Bound("replicas", replicas, REPLICAS_MAX),
        Bound("policy rules", rules, rules_max),
        Bound("changes", max(meta.seq, meta.n), INTEGER_ABS_MAX),
    ]
    if store.engine.kind != "sqlite":
        [(age, connections, most)] = store.engine.script(
            "SELECT age(datfrozenxid)::bigint, "
            "(SELECT sum(numbackends)::bigint FROM pg_stat_database), "
            "current_setting('max_connections')::bigint FROM pg_database "
            "WHERE datname = current_database()"
        )
        found.append(Bound("the server's transaction ids", age, _XID_MAX))
        found.append(Bound("the server's connections", connections, most))
    return tuple(found)


def expired_waiting(store: Store) -> int:
    """Counted up to the number from which they are too many."""
    until = store.clock.now_ms() - SWEEP_MARGIN_MS
    return int(store.engine.read("expired_count", (until, BACKLOG_WARN_ROWS))[0][0])


def log_growth(store: Store) -> tuple[int | None, int]:
    """How old the oldest entry of the change log is, and how many there are, up to a bound."""
    oldest = store.engine.read("log_oldest")
    [(count,)] = store.engine.read("log_count", (LOG_WARN_ROWS,))
    return store.clock.now_ms() - oldest[0][0] if oldest else None, int(count)


def lease_queue(store: Store) -> tuple[str, int]:
    """The resource that most wait for, and how many do."""
    now_ms = clock_ms(store, store.engine.read("lease_now"))
    rows = store.engine.read("lease_queue", (now_ms,))
    return (str(rows[0][0]), int(rows[0][1])) if rows else ("", 0)


def regret(store: Store) -> dict[str, tuple[int, int]]:
    """Of each rule: how many records it has pruned, and how many of them were missed since."""
    found: dict[str, tuple[int, int]] = {}
    for rule, _, pruned, missed, _ in sound(store.engine.read("stream_regret")):
        before = found.get(rule, (0, 0))
        found[rule] = (before[0] + pruned, before[1] + missed)
    return found


def table_findings(store: Store) -> Iterator[StoreFinding]:
    """Rows at the beginning of each small table that do not match their checksums, and totals that
    contradict each other."""
    for table in PEEKED:
        for *values, crc in store.engine.read(f"peek_{table}", (HEALTH_TABLE_ROWS,)):
            if crc_of(_plain(values)) != crc:
                yield StoreFinding(
                    where=table, why=f"row {values[0]!r} does not match its checksum"
                )
    for rows, size, tallied, sized in store.engine.read("totals_beside"):
        if (rows, size) != (int(tallied), int(sized)):
            why = f"{rows:,} records of {size:,} bytes, by namespace {tallied:,} of {sized:,}"
            yield StoreFinding(where="totals", why=why)
    for scope, name, rows, size in store.engine.read("totals_beyond", (HEALTH_TABLE_ROWS,)):
        why = f"{rows} records of {size} bytes cannot be a part of what is there"
        yield StoreFinding(where=f"totals of {scope} {name!r}", why=why)


def check_audit_end(store: Store) -> int:
    """Recompute the seals of the last entries; how many. Raises `AuditBroken`."""
    meta = store.meta()
    after = max(0, meta.audit_n - HEALTH_AUDIT_ENTRIES)
    previous = GENESIS if not after else None
    if previous is None and (rows := store.engine.read("seal_of", (after,))):
        previous = bytes(rows[0][0])
    ending = list(entries(_Unbound(store.engine), after))
    checked = _own_part([entry.detail for entry, _ in ending])
    n = after
    for place, (entry, found) in enumerate(ending):
        n += 1
        if entry.n != n or previous is None:
            raise AuditBroken(entry=n, why=f"the next entry is {entry.n}")
        if place >= checked and not is_sealed(store.key, previous, entry, found):
            raise AuditBroken(entry=n, why="its seal does not match")
        if n == meta.audit_n and found != bytes(meta.audit_head):
            raise AuditBroken(entry=n, why="it is not the one that the store ends with")
        previous = found
    if n < meta.audit_n:
        raise AuditBroken(entry=n, why=f"the chain should end at entry {meta.audit_n}")
    return len(ending)


def key_is_open(path: str | None) -> bool:
    """Whether others than its owner may read the audit key that lies beside a store."""
    if path is None or not os.path.exists(f"{path}.key"):
        return False
    return bool(os.stat(f"{path}.key").st_mode & (stat.S_IRWXG | stat.S_IRWXO))


class _Unbound:
    """Statements outside of a snapshot: entries of the trail are only ever added."""

    def __init__(self, engine: Engine) -> None:
        self.fetch = engine.read

    def stream(self, name: str, params: Sequence[object] = ()) -> Iterator[Row]:
        return iter(self.fetch(name, params))

    def share(self) -> None:
        """There is no view that others could find."""


def _own_part(details: list[str]) -> int:
    """Where the part begins that was sealed with this store's key: behind the last entry that
    vouches for what another key had sealed."""
    return max((n for n, text in enumerate(details) if f'"{SECTION}":' in text), default=0)


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _plain(values: list[object]) -> tuple[object, ...]:
    return tuple(bytes(v) if isinstance(v, bytearray | memoryview) else v for v in values)
