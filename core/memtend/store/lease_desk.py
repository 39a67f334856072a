"""Leases from outside: what an operator sees and ends, and tokens shown by other resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.clock import to_datetime
from memtend.errors import StaleLease
from memtend.model.lease import Fence, Held, Mode, Waiter
from memtend.store.lease_rows import (
    Tokens,
    checked,
    clock_ms,
    grants_of,
    save,
    tickets_of,
    tokens_of,
)
from memtend.store.leases import channel, lease_of, rows_of
from memtend.store.meta import Meta, crc_of
from memtend.store.notify import notify, ring

if TYPE_CHECKING:
    from memtend.store.store import Store


def held(store: Store) -> list[Held]:
    """Every resource that somebody holds or waits for."""
    with store.engine.snapshot() as reader:
        meta = Meta.of(reader.fetch("meta"), store.url)
        now_ms = clock_ms(store, reader.fetch("lease_now"))
        tokens = {row[0]: row[1] for row in reader.fetch("stream_lease")}
        grants = grants_of(reader.fetch("stream_lease_grant"), store.url, meta.lease_epoch)
        tickets = tickets_of(reader.fetch("stream_lease_ticket"), store.url)
    grants = [one for one in grants if now_ms < one.expires_ms]
    tickets = [one for one in tickets if now_ms < one.until_ms]
    return [
        Held(
            resource=resource,
            at=to_datetime(now_ms),
            token=Fence(meta.lease_epoch, tokens.get(resource, 0)),
            leases=tuple(lease_of(one) for one in grants if one.resource == resource),
            waiting=tuple(
                Waiter(holder=one.holder, mode=Mode(one.mode))
                for one in tickets
                if one.resource == resource
            ),
        )
        for resource in sorted({one.resource for one in grants} | {one.resource for one in tickets})
    ]


def force_release(store: Store, resource: str, actor: str) -> int:
    """Take a resource away from all who hold it; how many did. Audited, and the token grows."""
    with store.change(actor, [*rows_of(resource)[:2], ("lease_now", ())]) as (change, answers):
        reached = tokens_of(answers[0], resource, store.url)
        now_ms = clock_ms(store, answers[2])
        ended = [one for one in grants_of(answers[1], store.url) if now_ms < one.expires_ms]
        change.tx.run("end_leases", (resource,))
        save(change.tx, Tokens(resource, reached.n + 1, reached.n + 1))
        names = ", ".join(one.holder for one in ended)
        change.note("lease", f"{resource} taken from {names or 'nobody'}")
        notify(change.tx, channel(resource))
    ring(store, channel(resource))
    return len(ended)


def accept(store: Store, resource: str, fence: Fence) -> None:
    """Remember the greatest token under which something outside was changed; refuse smaller ones.

    Where the tokens of the resource come from this store, it also refuses one that was never
    granted to a writer, one from before a restore, and one after which another writer was let in.
    """
    with store.engine.write() as tx:
        locked, tokens, accepted = tx.fetch_all(
            [
                ("meta_locked", ()),
                ("lease", (resource,)),
                ("lease_accepted", (resource,)),
            ]
        )
        meta = Meta.of(locked, store.url)
        store.notice(meta)
        reached = tokens_of(tokens, resource, store.url)
        before = checked(accepted[0], store.url)[1:] if accepted else (-1, 0)
        known = (meta.lease_epoch, reached.guard) if reached.n else tuple(fence)
        if tuple(fence) < before or tuple(fence) != known:
            raise StaleLease(resource=resource, token=tuple(fence))
        if tuple(fence) > before:
            row = (resource, *fence)
            tx.run("save_lease_accepted", (*row, crc_of(row)))
