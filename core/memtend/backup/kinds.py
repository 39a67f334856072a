"""Which kind of backup to take next, an increment, a synthetic full or a full one, and why. Pure.

An increment builds on a backup of the same history: the same store under the same replica id,
whose own audit trail still holds the entry that the backup ends with. After
`CHAIN_INCREMENTS_MAX` increments the next one builds on the chain's full backup itself. When the
increments of a chain outgrow `CHAIN_DELTA_SHARE_MAX` of its full backup, the next backup is a full
one put together in the repository.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from memtend.backup.layers import Chain
from memtend.backup.manifest import BackupKind, Manifest
from memtend.codec.segment import Table
from memtend.limits import CHAIN_DELTA_SHARE_MAX, CHAIN_INCREMENTS_MAX
from memtend.model.stored import StoreState


class Decision(NamedTuple):
    """`chain` is what the new backup builds on, or is put together of; empty for a full one."""

    kind: BackupKind
    chain: Chain
    why: str


def full(why: str = "") -> Decision:
    return Decision(BackupKind.FULL, (), why)


def decide(chain: Chain, state: StoreState, seal_of: Callable[[int], bytes | None]) -> Decision:
    """What to take after the newest backup of `chain`, which is whole."""
    newest = chain[-1][1]
    broken = why_not_continued(newest, state, seal_of)
    if broken is not None:
        return full(broken)
    if newest.state_sum != newest.store.sum:
        return full(f"{chain[-1][0]} lacks rows that the store could not read, or had lost")
    delta_bytes = sum(raw_bytes_of(one) for _, one in chain[1:])
    if len(chain) > 1 and delta_bytes > CHAIN_DELTA_SHARE_MAX * raw_bytes_of(chain[0][1]):
        why = "the increments since the last full backup have grown large beside it"
        return Decision(BackupKind.SYNTHETIC, chain, why)
    if len(chain) > CHAIN_INCREMENTS_MAX:
        why = f"after {len(chain) - 1} increments, it holds all changes since the full backup"
        return Decision(BackupKind.INCREMENTAL, chain[:1], why)
    return Decision(BackupKind.INCREMENTAL, chain, "")


def why_not_continued(
    manifest: Manifest, state: StoreState, seal_of: Callable[[int], bytes | None]
) -> str | None:
    """Why the store's history is not that of `manifest` and what came after, if so."""
    had = manifest.store
    if had.store_id != state.store_id:
        return "the newest backup is of another store"
    if had.replica != state.replica:
        return "the store has been restored or copied since the newest backup"
    if had.schema_version != state.schema:
        return "the store has another schema than the newest backup"
    if had.seq > state.seq or had.audit_n > state.audit_n:
        return "the store is older than its newest backup"
    if had.audit_n and seal_of(had.audit_n) != bytes.fromhex(had.audit_head):
        return "the store's history is another than that of its newest backup"
    return None


def raw_bytes_of(manifest: Manifest) -> int:
    """Bytes of rows and log entries, which is what increments repeat."""
    return sum(
        ref.raw_bytes for ref in manifest.segments if ref.table in (Table.SIBLING, Table.LOG)
    )
