"""One writing flow per store at a time: a courtesy that keeps runs from refusing each other.

The guarantee is the store's own lease with its fencing token. When Prefect loses this limit, or
somebody edits it, the second writer gets a clear `LeaseHeld` and nothing is damaged. So a server
that goes away while a turn is held neither ends the work nor fails it: the turn runs out by itself.

An embedded server gives no turns: it ends with its process, and the turn of a process that was
killed would run out nowhere. There the store's lease is all, and `patience` waits for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.concurrency.sync import concurrency
from prefect.logging import get_logger

from memtend.limits import STORE_TURN_LEASE_S, STORE_TURN_WAIT_S
from memtend_tasks.embedded import embedded
from memtend_tasks.errors import TurnNotTaken


def turn_name(label: str) -> str:
    """The limit of a store's writers; `memtend deploy` makes it, and else its first run."""
    return f"memtend-{label}-write"


@contextmanager
def store_turn(label: str) -> Iterator[None]:
    """Wait until no other flow of this server writes to the store; raises `TurnNotTaken`."""
    if embedded():
        yield
        return
    name = turn_name(label)
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(name, 1)
    run = runtime.flow_run.id
    turn = concurrency(
        name,
        occupy=1,
        timeout_seconds=STORE_TURN_WAIT_S,
        lease_duration=STORE_TURN_LEASE_S,
        strict=True,
        holder=ConcurrencyLeaseHolder(type="flow_run", id=run) if run else None,
        raise_on_lease_renewal_failure=False,
    )
    try:
        turn.__enter__()
    except TimeoutError:
        waited = STORE_TURN_WAIT_S / 60
        raise TurnNotTaken(store=label, minutes=waited, limit=name) from None
    try:
        yield
    finally:
        try:
            turn.__exit__(None, None, None)
        except httpx.HTTPError as error:
            get_logger(__name__).warning("The turn runs out by itself: %s", error)
