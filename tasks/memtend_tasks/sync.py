"""Sync: one task per peer, so that one that is away holds up no other."""

from __future__ import annotations

from memtend.sync.report import SyncReport
from memtend_tasks.address import resolve_peer
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened


@memory_task
def list_peers(store: str) -> list[str]:
    """The names of all registered peers; the address of one without a name."""
    with opened(store) as services:
        return list(services.registered())


@memory_task
def sync_with(store: str, peer: str) -> SyncReport:
    """Bring the store and one peer to the same state."""
    with opened(store) as services:
        return services.sync(resolve_peer(peer))


@memory_task
def retire_silent_peers(store: str) -> list[str]:
    """Retire who was silent for a week, unless this store was away itself."""
    with opened(store) as services:
        return list(services.retire_silent())
