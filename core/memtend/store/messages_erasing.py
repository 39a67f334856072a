"""Erasing messages: what the erased have sent, what lies in their inboxes, where they belong.

As with the audit trail, the ledger is asked, not the subject, so that an erasure that was cut off
is finished by the next one. A broadcast that others still have to read stays for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from memtend.limits import ERASE_TEXT_BYTES_MAX, ERASE_TEXTS_MAX
from memtend.model.layout import names_of
from memtend.model.message import INBOXES
from memtend.model.subject import SubjectKind
from memtend.store.erasing import ACTOR
from memtend.store.messages_books import Books, now_ms
from memtend.store.messages_moving import erased
from memtend.store.messages_rows import Delivery, owner_of
from memtend.store.messages_upkeep import forget

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.subject import Subject
    from memtend.store.engine import Reader, Row
    from memtend.store.ledger import Filter
    from memtend.store.store import Store

_PAGE: Final = 500


def erase_messages(store: Store, ledger: Filter, lease: Lease) -> int:
    """Drop them; how many messages, deliveries and memberships there were. Safe to repeat."""
    count = 0
    for page in _pages(store, "all_deliveries", ("", -1, "", -1), 4):
        doomed = [one for one in map(_delivery, page) if _of_delivery(ledger, one)]
        count += _apply(store, lease, deliveries=doomed)
    for page in _pages(store, "all_messages", (-1,), 1):
        gone = [(row[0], row[1]) for row in page if row[-1] == 0 and _of_message(ledger, row)]
        count += _apply(store, lease, messages=gone)
    members = [
        (swarm, agent)
        for swarm, agent, hlc, _ in store.engine.read("stream_member")
        if erased(ledger, agent, agent, hlc)
    ]
    return count + _apply(store, lease, members=members)


def _apply(
    store: Store,
    lease: Lease,
    *,
    deliveries: list[Delivery] | None = None,
    messages: list[tuple[int, str]] | None = None,
    members: list[tuple[str, str]] | None = None,
) -> int:
    found = len(deliveries or messages or members or ())
    if found:
        with store.change(ACTOR, lease=lease) as (change, _):
            books = Books(store, change.tx, change.meta, now_ms(store))
            for one in deliveries or ():
                # It may have been settled, or have died, since it was looked at.
                if change.tx.fetch("held", one.key):
                    books.end(one)
            forget(books, messages or [])
            for member in members or ():
                change.tx.run("drop_member", member)
            books.flush()
    return found


def traces(reader: Reader, ledger: Filter) -> Iterator[tuple[str, bool, Row]]:
    """Every row of every table of messages, and whether it should be gone."""
    for row in reader.stream("stream_message_rows"):
        yield "message", row[13] == 0 and _of_message(ledger, row), row
    for row in reader.stream("stream_delivery"):
        yield "delivery", _of_delivery(ledger, _delivery(row)), row
    for row in reader.stream("stream_member"):
        yield "member", erased(ledger, row[1], row[1], row[2]), row
    for statement in ("stream_lane", "stream_inbox"):
        for row in reader.stream(statement):
            yield statement.removeprefix("stream_"), False, row


def messages_of(store: Store, subject: Subject) -> list[int]:
    """The numbers of messages that an erasure of the subject would touch."""
    found: dict[int, None] = {}
    for page in _pages(store, "all_deliveries", ("", -1, "", -1), 4):
        found |= {row[3]: None for row in page if _belongs(subject, row[2], row[0])}
    for page in _pages(store, "all_messages", (-1,), 1):
        found |= {row[0]: None for row in page if _belongs(subject, row[2], row[3])}
    return list(found)


def bodies_of(store: Store, numbers: list[int]) -> Iterator[bytes]:
    """Parts of some of their bodies, by which they can be found in files."""
    chosen = store.engine.array(numbers[:ERASE_TEXTS_MAX])
    for (body,) in store.engine.read("message_bodies", (chosen,)):
        yield bytes(body)[:ERASE_TEXT_BYTES_MAX]


def _belongs(subject: Subject, sender: str, inbox: str) -> bool:
    owner = owner_of(inbox)
    if subject.kind in (SubjectKind.AGENT, SubjectKind.WRITER):
        return subject.name in (*names_of(sender), *names_of(owner))
    return subject.covers_name(f"{INBOXES}/{owner}")


def _of_delivery(ledger: Filter, one: Delivery) -> bool:
    return erased(ledger, one.sender, one.inbox, one.hlc)


def _of_message(ledger: Filter, row: Row) -> bool:
    return erased(ledger, row[2], row[3], row[8])


def _delivery(row: Row) -> Delivery:
    return Delivery._make(row[:-1])


def _pages(store: Store, statement: str, after: Row, keys: int) -> Iterator[list[Row]]:
    while rows := store.engine.read(statement, (*after, _PAGE)):
        yield rows
        last = rows[-1]
        after = tuple(last[:keys])
