"""One writing flow per store at a time: a courtesy that keeps runs from refusing each other.

The guarantee is the store's own lease with its fencing token. When Prefect loses this limit, or
somebody edits it, the second writer gets a clear `LeaseHeld` and nothing is damaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.client.orchestration import get_client
from prefect.concurrency.sync import concurrency

from memtend.limits import STORE_TURN_LEASE_S, STORE_TURN_WAIT_S


@contextmanager
def store_turn(label: str) -> Iterator[None]:
    """Wait until no other flow of this server writes to the store."""
    name = f"memtend-{label}-write"
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(name, 1)
    with concurrency(
        name,
        occupy=1,
        timeout_seconds=STORE_TURN_WAIT_S,
        lease_duration=STORE_TURN_LEASE_S,
        strict=True,
    ):
        yield
