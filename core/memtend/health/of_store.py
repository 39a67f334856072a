"""Whether the store is whole: its schema, files, rows, small tables, trail and statistics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from memtend.health.facts import HealthFacts
from memtend.health.making import age, critical, ok, some_of, warning
from memtend.health.report import Check
from memtend.limits import DISK_FREE_WARN_BYTES, MIB
from memtend.limits_upkeep import (
    HEALTH_DAMAGED_MAX,
    WAL_WARN_BYTES,
)

_RESTORE: Final = "Run `memtend verify` to see what is damaged; `memtend restore` brings it back."


def reading(facts: HealthFacts) -> Iterator[Check]:
    if facts.unread:
        fact = f"could not be read: {some_of(facts.unread)}"
        yield critical("reading", fact, _RESTORE)


def structure(facts: HealthFacts) -> Iterator[Check]:
    if facts.structure is None:
        return
    if facts.structure:
        yield critical("structure", some_of(facts.structure), _RESTORE)
        return
    yield ok("structure", "every table, column and index of the schema is there")


def file(facts: HealthFacts) -> Iterator[Check]:
    if facts.lost_file_bytes:
        fact = f"the file is {facts.lost_file_bytes:,} bytes shorter than it says: it was cut off"
        yield critical("file", fact, _RESTORE)


def integrity(facts: HealthFacts) -> Iterator[Check]:
    """Rows, small tables and the database's own check: one word for all damage."""
    rows = facts.rows
    if rows is None:
        return
    found = (*rows.found, *(facts.tables or ()), *(facts.engine_found or ()))
    damaged = rows.damaged + len(facts.tables or ()) + len(facts.engine_found or ())
    if damaged:
        more = "at least " if rows.damaged >= HEALTH_DAMAGED_MAX else ""
        yield critical("integrity", f"{more}{damaged:,} damaged: {some_of(found)}", _RESTORE)
        return
    parts = [f"rows looked at now: {rows.looked:,}, all whole"]
    if rows.whole_ms is not None:
        parts.append(f"every row was {age(rows.whole_ms)} ago")
    elif facts.records:
        parts.append(f"{min(rows.passed_rows / facts.records, 1):.0%} of all so far")
    yield ok("integrity", ", ".join(parts))


def dictionaries(facts: HealthFacts) -> Iterator[Check]:
    if facts.rows is not None and facts.rows.missing_dictionaries:
        names = ", ".join(map(str, facts.rows.missing_dictionaries))
        fact = f"values are compressed with dictionary {names}, which is not there"
        yield critical("dictionaries", fact, _RESTORE)


def audit(facts: HealthFacts) -> Iterator[Check]:
    if facts.audit:
        hint = "`memtend audit verify` says where; keep the file as evidence."
        yield critical("audit", facts.audit, hint)
    elif facts.key_is_open:
        fact = "others than its owner may read the key that seals the audit trail"
        yield warning("audit", fact, "Let only its owner read the file (chmod 600).")
    elif facts.audit is not None:
        yield ok("audit", "the last entries of the trail are sealed as they should be")


def statistics(facts: HealthFacts) -> Iterator[Check]:
    if facts.statistics:
        yield warning(
            "statistics", facts.statistics, "Run `memtend optimize --step statistics --apply`."
        )
    elif facts.statistics is not None:
        yield ok("statistics", "what the planner knows fits what is there")


def wal(facts: HealthFacts) -> Iterator[Check]:
    if facts.wal_bytes is not None and facts.wal_bytes >= WAL_WARN_BYTES:
        fact = f"the write-ahead log has grown to {facts.wal_bytes / MIB:,.0f} MiB"
        hint = "Some program reads for very long, or was killed; end it, and the log is folded in."
        yield warning("wal", fact, hint)


def disk(facts: HealthFacts) -> Iterator[Check]:
    if facts.disk_free_bytes is None:
        return
    fact = f"{facts.disk_free_bytes / MIB:,.0f} MiB free where the store lies"
    hint = "Free space, or sweep and archive; deleting works even on a full disk."
    if facts.disk_free_bytes >= DISK_FREE_WARN_BYTES:
        yield ok("disk", fact)
    else:
        yield critical("disk", fact, hint)


def ballast(facts: HealthFacts) -> Iterator[Check]:
    there, wanted = facts.ballast
    if there < wanted:
        fact = f"{there} of {wanted} files are set aside for a full disk"
        yield warning("ballast", fact, "Free space, then run `memtend ballast refill`.")


def versions(facts: HealthFacts) -> Iterator[Check]:
    """Readers understand every version, so this is no trouble."""
    if facts.older_values is not None:
        hint = "`memtend migrate plan` shows what moving them would do."
        yield ok("versions", facts.older_values, hint)


def engine(facts: HealthFacts) -> Iterator[Check]:
    for note in facts.engine_notes:
        yield ok("engine", note)
