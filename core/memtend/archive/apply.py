"""Carry out a cleared archive plan; the order of writes is that of `moving`.

Records that are read together lie together: those of one compression level by kind, namespace and
key. Each value is checked against its row's hash when it is read, and again as part of the object
when that is read back, before the row gives it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.archive.moving import Mover, pages
from memtend.archive.packing import Source
from memtend.archive.plan import ArchiveDecision
from memtend.archive.report import ArchiveReport
from memtend.archive.vault import Vault
from memtend.codec.archive import Entry
from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import codec_of
from memtend.limits import REPORT_NAMES_MAX
from memtend.model.plan import Action
from memtend.store import archived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtend.guard import Cleared
    from memtend.store.store import Store

_PAGE = 200


def apply_archive(
    cleared: Cleared, store: Store, vault: Vault, *, program: str = "", threads: int = 1
) -> ArchiveReport:
    """Archive what the plan names. Safe to repeat: a row that has changed since is only counted.

    `threads` share the compressing.
    """
    clock = store.clock
    began = clock.monotonic_ns()
    home = archived.Home(vault.store.url, vault.identity.archive_id)
    decisions = _in_order(cleared.plan.decisions)
    if decisions:
        archived.save_home(store, home, "archive")  # a stub must never be without its archive
    mover = Mover(store, vault, cleared.lease, "run", program, threads)
    unreadable: list[str] = []
    for source, level in _sources(store, decisions, mover.run, unreadable):
        mover.add(source, level)
    mover.flush()
    moved, planned = mover.moved, len(decisions)
    rows = sum(one.rows for one in moved)
    before = sum(one.before_bytes for one in moved)
    stubs = sum(one.stub_bytes for one in moved)
    return ArchiveReport(
        operation="archive",
        applied=True,
        planned=planned,
        written=rows,
        refused=len(unreadable),
        changed_since=planned - rows - len(unreadable),
        bytes_freed=before - stubs,
        slices=sum(one.slices for one in moved),
        longest_lock_ms=max((one.longest_ms for one in moved), default=0.0),
        seconds=(clock.monotonic_ns() - began) / 1e9,
        run=mover.run if moved else 0,
        url=vault.store.url,
        objects=len(moved),
        before_bytes=before,
        stub_bytes=stubs,
        archive_bytes=sum(one.stored_bytes for one in moved),
        unreadable=tuple(unreadable[:REPORT_NAMES_MAX]),
    )


def _in_order(decisions: tuple[object, ...]) -> list[ArchiveDecision]:
    taken = [
        one
        for one in decisions
        if isinstance(one, ArchiveDecision) and one.action is Action.ARCHIVE
    ]
    return sorted(taken, key=lambda one: (-one.level, one.kind, one.namespace, one.key))


def _sources(
    store: Store, decisions: list[ArchiveDecision], run: int, unreadable: list[str]
) -> Iterator[tuple[Source, int]]:
    by_seq = {decision.seq: decision for decision in decisions}
    at_ms = store.clock.now_ms()
    for seqs in pages(by_seq, _PAGE):
        rows = archived.rows_of(store, seqs)
        for seq in seqs:
            row, decision = rows.get(seq), by_seq[seq]
            if row is None or codec_of(row.flags) == Codec.ARCHIVED:
                continue
            try:
                _, text = archived.opened(store, row)
            except Damaged as error:
                unreadable.append(f"{row.namespace}/{row.key}: {error}")
                continue
            entry = Entry(
                row.namespace, row.key, row.body, row.exp_ms, run, at_ms, decision.rule, text
            )
            yield Source(seq, entry, len(row.body) + len(row.value)), decision.level
