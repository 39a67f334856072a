"""Messages in backups, and what of them survives a restore.

Whose turn it is, totals and counts of what is pending follow from the deliveries, and are made anew
where a state is loaded. What the live store knows to have ended does not come back with an older
state: that it was acknowledged is remembered for as long as the message is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import ormsgpack

from memtend.model.layout import names_of
from memtend.model.message import INBOXES
from memtend.model.stored import SideRow
from memtend.store.messages_rows import Delivery, Inbox, Lane, Stored, owner_of, sealed

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Row, Transaction
    from memtend.store.ledger import Filter

_PAGE: Final = 1_000
_DIGITS: Final = 20


def early_rows(reader: Reader) -> Iterator[SideRow]:
    """The part of a backup's small tables that comes before dictionaries."""
    for row in reader.stream("stream_delivery"):
        yield _side("delivery", f"{row[3]:0{_DIGITS}d}", row[0], (*row[1:3], *row[4:]))


def late_rows(reader: Reader) -> Iterator[SideRow]:
    """And the part that comes before settings."""
    for swarm, agent, *more in reader.stream("stream_member"):
        yield _side("member", swarm, agent, tuple(more))
    for row in reader.stream("stream_message_rows"):
        yield _side("message", f"{row[0]:0{_DIGITS}d}", "", (*row[1:-1], bytes(row[-1])))


def load(tx: Transaction, given: SideRow) -> None:
    cells = ormsgpack.unpackb(given.cells)
    if given.table == "delivery":
        dead, sender, *more = cells
        tx.run("add_delivery", (given.field, dead, sender, int(given.name), *more))
    elif given.table == "member":
        tx.run("save_member", (given.name, given.field, *cells))
    elif given.table == "message":
        tx.run("add_message", (int(given.name), *cells))


def is_erased(ledger: Filter, given: SideRow) -> bool:
    """Whether a row of a backup belongs to what was erased after it was taken."""
    if given.table not in ("delivery", "member", "message"):
        return False
    cells = ormsgpack.unpackb(given.cells)
    if given.table == "delivery":
        return erased(ledger, cells[1], given.field, cells[4])
    if given.table == "message":
        return erased(ledger, cells[1], cells[2], cells[7])
    return erased(ledger, given.field, given.field, cells[0])


def erased(ledger: Filter, sender: str, inbox: str, hlc: int) -> bool:
    """Whether something that was sent when the store's clock stood at `hlc` is to be forgotten."""
    owner = owner_of(inbox)
    kinds = ("agent", "writer")
    names = (*names_of(sender), *names_of(owner))
    marks = [ledger.label(kind, name).at_hlc for kind in kinds for name in names]
    return hlc < max(*marks, ledger.names(f"{INBOXES}/{owner}", "").at_hlc)


def settle(tx: Transaction) -> None:
    """After loading: make lanes, totals and counts from the deliveries that there are."""
    ids = {row[0]: row[-1] for row in _pages(tx, "all_messages", (-1,), lambda row: (row[0],))}
    pending: Counter[int] = Counter()
    lanes: dict[tuple[str, str], Lane] = {}
    inboxes: dict[str, Inbox] = {}
    for row in _pages(tx, "all_deliveries", ("", -1, "", -1), lambda row: row[:4]):
        one = Delivery._make(row[:-1])
        if one.no not in ids:
            tx.run("drop_delivery", one.key)
            continue
        pending[one.no] += 1
        had = inboxes.get(one.inbox, Inbox(one.inbox))
        inboxes[one.inbox] = Inbox(
            one.inbox, had.waiting + (not one.dead), had.size + one.size, had.dead + one.dead
        )
        if not one.dead:
            lane = lanes.get((one.inbox, one.sender), Lane(one.inbox, one.sender, 0))
            if one.visible_ms > lane.due_ms:
                lane = lane._replace(due_ms=one.visible_ms, no=one.no)
            lanes[one.inbox, one.sender] = lane
    tx.run_many("save_lane", map(sealed, lanes.values()))
    tx.run_many("save_inbox", map(sealed, inboxes.values()))
    for no, said in ids.items():
        if said != pending[no]:
            tx.run("set_pending", (pending[no], no))
    tx.run("empty_messages", (b"",))


class Ended(NamedTuple):
    """What a live store knows of its messages. `open` has the inboxes that still hold each."""

    done: list[Row]
    open: dict[str, set[str]]
    mark: tuple[int, ...]

    @classmethod
    def of(cls, reader: Reader) -> Ended:
        held: dict[str, set[str]] = {}
        for id_, inbox in reader.stream("live_deliveries"):
            held.setdefault(id_, set()).add(inbox)
        return cls(reader.fetch("done_messages"), held, mark_of(reader))


def mark_of(reader: Reader) -> tuple[int, ...]:
    """Another one whenever something was sent, settled or died."""
    return tuple(map(int, reader.fetch("message_mark")[0]))


def keep_ended(tx: Transaction, live: Ended) -> None:
    """In a state that takes a live one's place: what has ended there does not come back."""
    done = {row[1] for row in live.done}
    known: set[str] = set()
    last, numbers = 0, {}
    for row in _pages(tx, "all_messages", (-1,), lambda row: (row[0],)):
        known.add(row[1])
        numbers[row[0]], last = row[1], row[0]
    ended = False
    for row in _pages(tx, "all_deliveries", ("", -1, "", -1), lambda row: row[:4]):
        one = Delivery._make(row[:-1])
        id_ = numbers.get(one.no, "")
        if id_ in done or one.inbox not in live.open.get(id_, {one.inbox}):
            tx.run("drop_delivery", one.key)
            ended = True
    for row in live.done:
        stored = Stored._make(row[:-1])
        if stored.id not in known:
            last += 1
            tx.run("add_message", (*sealed(stored._replace(no=last)), 0, "", b""))
    if ended:
        tx.run("drop_lanes")
        tx.run("drop_inboxes")
        settle(tx)


def _pages(tx: Transaction, statement: str, after: Any, key: Any) -> Iterator[Row]:
    while rows := tx.fetch(statement, (*after, _PAGE)):
        yield from rows
        after = key(rows[-1])


def _side(table: str, name: str, field: str, cells: tuple[Any, ...]) -> SideRow:
    return SideRow(table, name, field, ormsgpack.packb(cells))
