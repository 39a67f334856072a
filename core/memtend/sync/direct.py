"""Sync of two stores that both can be opened: each direction is one delta, taken and applied.

    1. who is who       the same store, another epoch, a copy, a replica that was retired
    2. pull             their delta, applied here in one transaction
    3. push             our delta, applied there in one transaction
    4. acknowledge      on both sides: what the other has seen

Each step holds without the next: cut off anywhere, the next sync goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from memtend.errors import DeltaGap, EpochMismatch, InvalidSettings
from memtend.store.peers import Sent, allow
from memtend.store.rejoining import rejoin
from memtend.store.sync import apply, outgoing, vector
from memtend.sync.peering import accepting, find, met, retired, rows_of, take_over
from memtend.sync.report import Way
from memtend.sync.saving import Guard, refuse_copy

if TYPE_CHECKING:
    from memtend.model.delta import Applied
    from memtend.store.store import Store

_GAP_TRIES = 3


class Ends(NamedTuple):
    """How each of the two is called by the other. `url` is how theirs was reached."""

    url: str
    name: str
    own_name: str


class Exchanged(NamedTuple):
    pulled: Way | None
    pushed: Way | None
    rejoined: str = ""
    peer_rejoined: str = ""
    peer_id: str = ""


class Counted:
    """Pages on their way, counted."""

    def __init__(self, pages: Iterable[bytes]) -> None:
        self._pages = pages
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for page in self._pages:
            self.bytes += len(page)
            yield page


class Carried(NamedTuple):
    """`sent` is for the sender to note."""

    way: Way
    sent: Sent | None = None


class Guards(NamedTuple):
    """Who saves what either store wrote, before the other's state may take its place."""

    mine: Guard
    theirs: Guard


def exchange(
    mine: Store, theirs: Store, ends: Ends, *, pull: bool, push: bool, guards: Guards, actor: str
) -> Exchanged:
    """Bring both to the same state, or one of them to include the other."""
    check_strangers(mine, theirs)
    check_epochs(mine, theirs, ends.url)
    for one, guard, peer, taking in (
        (mine, guards.mine, theirs, pull),
        (theirs, guards.theirs, mine, push),
    ):
        if taking:
            guard.look(vector(peer))
        else:
            refuse_copy(one, vector(peer))
    rejoined, peer_rejoined = _return(mine, theirs, push=push, actor=actor)
    pulled = pushed = None
    if pull:
        pulled = carry(theirs, mine, accepting(*rows_of(mine, theirs, ends.url)), actor)
    if push:
        pushed = carry(mine, theirs, accepting(find(theirs, mine.own_replica())), actor)
    own, other = mine.own_replica(), theirs.own_replica()
    sent = pushed.sent if pushed else None
    met(mine, other, vector(theirs), name=ends.name, url=ends.url, sent=sent)
    take_over(mine, other, ends.url)
    met(theirs, own, vector(mine), name=ends.own_name, sent=pulled.sent if pulled else None)
    ways = (pulled.way if pulled else None, pushed.way if pushed else None)
    return Exchanged(*ways, rejoined, peer_rejoined, other)


def check_strangers(mine: Store, theirs: Store) -> None:
    if mine.own_replica() == theirs.own_replica():
        raise InvalidSettings(name="peer", why=f"{theirs.url} is this store itself")


def check_epochs(mine: Store, theirs: Store, url: str) -> None:
    """Who was left behind when everybody was rolled back must bootstrap first."""
    here, there = mine.meta().epoch, theirs.meta().epoch
    if here != there:
        raise EpochMismatch(sender=url, theirs=there, ours=here)


def carry(
    source: Store, target: Store, accept: Callable[[str], bool] | None, actor: str
) -> Carried:
    """All that `source` has and `target` has not seen. Where that is nothing, it is a greeting."""
    began_ns = target.clock.monotonic_ns()
    for tries_left in reversed(range(_GAP_TRIES)):
        known = vector(target)
        try:
            with outgoing(source, known) as out:
                pages = Counted(out.pages())
                applied = apply(target, pages, accept=accept, actor=actor)
                sent = out.sent
        except DeltaGap:
            # The target was put back to an earlier state between the two steps.
            if not tries_left:
                raise
            continue
        way = way_of(applied, pages.bytes, full=out.head.full)
        seconds = (target.clock.monotonic_ns() - began_ns) / 1e9
        return Carried(way.model_copy(update={"seconds": seconds}), sent)
    raise AssertionError("the last try returns or raises")


def way_of(applied: Applied, size: int, *, full: bool) -> Way:
    return Way(
        records=applied.keys, added=applied.added, dropped=applied.dropped, erased=applied.erased,
        deltas=1, bytes=size, full=full, vv=dict(applied.vv), alarms=tuple(applied.alarms),
        renewed=applied.new_replica or "",
    )  # fmt: skip


def _return(mine: Store, theirs: Store, *, push: bool, actor: str) -> tuple[str, str]:
    """New ids for whom the other has retired: what only they wrote is offered as new writes."""
    rejoined = peer_rejoined = ""
    before = retired(theirs).get(mine.own_replica())
    if before is not None:
        rejoined = rejoin(mine, vector(theirs), actor=actor).replica
        if before.accept:  # a new id has no more rights
            allow(theirs, rejoined, before.accept)
    if push and theirs.own_replica() in retired(mine):
        peer_rejoined = rejoin(theirs, vector(mine), actor=actor).replica
    return rejoined, peer_rejoined
