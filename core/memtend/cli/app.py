"""The whole command tree."""

from __future__ import annotations

from memtend.cli import (
    access,
    alerts,
    archive,
    audit,
    backup,
    claude_flow,
    conflicts,
    copy,
    erase,
    export,
    flows,
    health,
    hooks,
    importing,
    learn,
    leases,
    messages,
    metrics,
    migrate,
    optimize,
    peers,
    policies,
    prune,
    records,
    report,
    restore,
    state,
    swarm,
    sync,
    top,
    upkeep,
)
from memtend.cli.root import start, tree

app = tree((
    records, conflicts, swarm, state, health, metrics, top, alerts, report, policies, importing,
    upkeep, prune, learn, optimize, claude_flow, restore, backup, archive, export, migrate, copy,
    erase, access, leases, messages, hooks, sync, peers, audit, flows,
))  # fmt: skip


def run() -> None:
    """Run with the arguments of this process."""
    start(app)
