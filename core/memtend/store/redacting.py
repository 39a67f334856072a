"""Taking erased names out of the audit trail, without breaking its chain.

Which names those are is asked of the ledger, not of the subject: an erasure that was cut off has
dropped the rows already, and only the ledger still knows the paths. An entry goes as far back as
its erasure reaches: what the trail says of a record that was written again later stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from memtend.crdt.hlc import millis
from memtend.store.audit import Entry, is_redacted, redacted
from memtend.store.erasing import ACTOR
from memtend.store.ledger import Filter, Mark

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.subject import Subject
    from memtend.store.engine import Reader
    from memtend.store.store import Store

_PAGE: Final = 1_000


def redact(store: Store, ledger: Filter, lease: Lease) -> int:
    """Redact every entry that names something erased; returns how many. Safe to repeat."""
    count, after = 0, 0
    while rows := store.engine.read("audits", (after, _PAGE)):
        after = rows[-1][0]
        found = [e for e in (Entry(*row[:5]) for row in rows) if any(named(ledger, e))]
        if found:
            with store.change(ACTOR, lease=lease) as (change, _):
                for entry in found:
                    fresh = redacted(store.key, entry, actor=named(ledger, entry)[1])
                    change.tx.run("redact", (fresh.actor, fresh.detail, fresh.n))
        count += len(found)
    return count


def remaining(reader: Reader, ledger: Filter) -> int:
    """How many entries still name something erased."""
    count, after = 0, 0
    while rows := reader.fetch("audits", (after, _PAGE)):
        after = rows[-1][0]
        count += sum(any(named(ledger, Entry(*row[:5]))) for row in rows)
    return count


def named(ledger: Filter, entry: Entry) -> tuple[bool, bool]:
    """Whether the entry's detail, and whether its actor, is to be redacted."""

    def covers(mark: Mark) -> bool:
        return mark.at_hlc >= 0 and entry.at_ms <= millis(mark.at_hlc)

    def person(name: str) -> bool:
        return covers(ledger.label("agent", name)) or covers(ledger.label("writer", name))

    actor = not is_redacted(entry.actor) and person(entry.actor)
    detail = entry.detail
    if is_redacted(detail):
        return False, actor
    if entry.action in ("grant", "revoke"):
        try:
            agent, pattern, *_ = json.loads(detail)
        except ValueError:  # not as we wrote it: `verify` finds that out by its seal
            return actor, actor
        fixed = pattern.partition("*")[0].rstrip("/")
        return actor or person(agent) or covers(ledger.names(fixed, "")), actor
    if entry.action == "trust":
        return actor or person(detail.partition(" records of ")[2]), actor
    return actor or any(covers(ledger.names(*place)) for place in places(detail)), actor


def written_by(store: Store, subject: Subject) -> Iterator[tuple[str, str]]:
    """Places that the trail says this agent or writer wrote to; read them before it is redacted."""
    after = 0
    while rows := store.engine.read("audits", (after, _PAGE)):
        after = rows[-1][0]
        for row in rows:
            entry = Entry(*row[:5])
            if entry.actor == subject.name:
                yield from places(entry.detail)


def places(detail: str) -> Iterator[tuple[str, str]]:
    """Every way in which a detail can be a namespace and a key."""
    path = detail.partition("#")[0]
    if " " not in path:
        at = path.find("/")
        while at >= 0:
            yield path[:at], path[at + 1 :]
            at = path.find("/", at + 1)
