"""Push into a place: one delta since what this replica published last, under its own id.

    1. pages            each read back
    2. head             read back: from here on others see them
    3. peer row         the place has seen this much; the log may forget it
    4. older heads      but the one before, which somebody may be reading
    5. garbage          pages that neither of the two names, once they are a day old

Cut off anywhere, what the last head names is whole, and the next push goes on from there. Where
two processes of one store push at once, both heads are whole and the greater one counts: what was
published is always read from the place, never remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from memtend.clock import Clock
from memtend.codec.delta import write_pages
from memtend.crdt.causal import descends
from memtend.limits import (
    GARBAGE_GRACE_MS,
    LABEL_CHARS_MAX,
    PLACE_COMPLAINTS_MAX,
    PLACE_HEAD_AGE_MS,
    REPLICAS_MAX,
)
from memtend.store.peers import address_id
from memtend.store.sync import outgoing, vector
from memtend.sync.choosing import has_news, too_long
from memtend.sync.head import Head, PageRef, Published
from memtend.sync.peering import met, retired
from memtend.sync.place import Place, Seen, page_name
from memtend.sync.report import PeerKind, Way
from memtend.sync.saving import refuse_copy

if TYPE_CHECKING:
    from memtend.model.delta import DeltaHead, Item
    from memtend.objects import ObjectInfo
    from memtend.store.store import Store
    from memtend.store.sync import Outgoing


class Counted:
    """Items on their way, counted."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = items
        self.count = 0

    def __iter__(self) -> Iterator[Item]:
        for item in self._items:
            self.count += 1
            yield item


class Surroundings(NamedTuple):
    """What a pull has found out: the heads of the others that hold what they say, and damage.

    After it, a head under our id that claims more than we have is made up.
    """

    others: Sequence[Head] = ()
    complaints: Sequence[str] = ()
    against_us: frozenset[str] = frozenset()
    pulled: bool = False


def publish(store: Store, place: Place, around: Surroundings, *, name: str, label: str) -> Way:
    """Put what is new into the place. Writes nothing where there is nothing to tell."""
    began_ns = store.clock.monotonic_ns()
    own = store.own_replica()
    seen = place.newest(place.names().get(own, []))
    if seen.head is None and not seen.names:
        place.check()
    there = place.own_pages(own)
    head = _usable(store, seen, there, around)
    if head is not None and not around.pulled:
        refuse_copy(store, head.vv)
    published = dict(head.published) if head else {}
    with _opened(store, published, full=head is None or too_long(head.deltas)) as out:
        if out.head.sender != own:
            # Another process drew a new id for this store just now: the next push is under that.
            return Way()
        news = has_news(own, out.head.vv, head, around.others)
        items = Counted(out.items())
        delta = _put_delta(place, own, out.head, items) if news else None
    fresh = _head(store, out, seen, head, delta, around, label)
    if delta is None and head is not None and not _tells_more(fresh, head):
        met(store, address_id(PeerKind.PLACE, place.url), published, name=name, url=place.url)
        return Way(vv=dict(published))
    place.put_head(fresh)
    sent = out.sent if delta else None
    met(
        store, address_id(PeerKind.PLACE, place.url), fresh.published,
        name=name, url=place.url, sent=sent,
    )  # fmt: skip
    _clean(place, seen, fresh, there, store.clock)
    way = Way(vv=dict(fresh.published))
    if delta is None:
        return way
    seconds = (store.clock.monotonic_ns() - began_ns) / 1e9
    return Way(
        records=items.count, deltas=1, bytes=delta.bytes, full=delta.full, seconds=seconds,
        vv=dict(fresh.published),
    )  # fmt: skip


@contextmanager
def _opened(store: Store, published: Mapping[str, int], *, full: bool) -> Iterator[Outgoing]:
    """What the place lacks. Where the log no longer says that, a new base, which needs nothing."""
    with outgoing(store, {} if full else published, full=full) as out:
        if full or not out.head.full:
            yield out
            return
    with outgoing(store, {}, full=True) as out:
        yield out


def _usable(
    store: Store, seen: Seen, there: Mapping[str, ObjectInfo], around: Surroundings
) -> Head | None:
    """Our newest head, if it is true and everything that it names can be fetched by others."""
    head = seen.head
    if head is None or head.epoch != store.meta().epoch:
        return None
    if around.pulled and not descends(vector(store), head.vv):
        return None
    for digest, size in head.pages.items():
        info = there.get(digest)
        if info is None or info.size != size or digest in around.against_us:
            return None
    return head


def _put_delta(place: Place, own: str, facts: DeltaHead, items: Iterable[Item]) -> Published:
    pages: list[PageRef] = [place.put_page(own, data) for data in write_pages(facts, items)]  # 1
    since, vv = dict(facts.since), dict(facts.vv)
    return Published(since=since, vv=vv, full=facts.full, pages=tuple(pages))


def _head(
    store: Store,
    out: Outgoing,
    seen: Seen,
    usable: Head | None,
    delta: Published | None,
    around: Surroundings,
    label: str,
) -> Head:
    facts = out.head
    chain = usable.deltas if usable else ()
    if delta is not None:
        chain = (delta,) if delta.full else (*chain, delta)
    return Head(
        replica=facts.sender,
        store_id=facts.store_id,
        epoch=facts.epoch,
        number=max((one.number for one in seen.names), default=0) + 1,
        name=label[:LABEL_CHARS_MAX],
        vv=facts.vv,
        floor=facts.floor,
        sent_ms=facts.sent_ms,
        retired=tuple(sorted(retired(store))[:REPLICAS_MAX]),
        deltas=chain,
        complaints=tuple(sorted(around.complaints)[:PLACE_COMPLAINTS_MAX]),
    )


def _tells_more(fresh: Head, old: Head) -> bool:
    """Whether a new head without a new delta is worth its request: news, or a sign of life."""
    told = (fresh.vv, fresh.retired, fresh.complaints, fresh.name)
    late = fresh.sent_ms - old.sent_ms >= PLACE_HEAD_AGE_MS
    return late or told != (old.vv, old.retired, old.complaints, old.name)


def _clean(
    place: Place, seen: Seen, fresh: Head, there: Mapping[str, ObjectInfo], clock: Clock
) -> None:
    """Remove what nobody needs. The head before the newest stays, and so do its pages."""
    for name in seen.names[1:]:
        place.target.delete(str(name))
    kept = fresh.pages.keys() | (seen.head.pages.keys() if seen.head else set())
    old_ms = clock.now_ms() - GARBAGE_GRACE_MS
    for digest, info in there.items():
        if digest not in kept and info.modified_ms is not None and info.modified_ms < old_ms:
            place.target.delete(page_name(fresh.replica, digest))
