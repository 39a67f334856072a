"""Writing what an import takes, in slices; what is refused blocks nothing but itself.

A slice is one transaction, so an item is there with all its siblings, its labels and its access
count, or not at all. If a slice is refused it is halved and tried again, until the one item stands
alone that the store does not take. Each item says what it found; whoever wrote there meanwhile is
not overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.errors import (
    AccessDenied,
    ConditionFailed,
    InvalidName,
    InvalidValue,
    KindMismatch,
    LimitExceeded,
    MemtendError,
    QuotaExceeded,
    RecordDamaged,
    StoreBusy,
    TooManySiblings,
)
from memtend.ingest.copies import copied_drafts
from memtend.ingest.drafts import counter_labels, drafts_of, reads_of
from memtend.limits import UPDATE_TRIES
from memtend.migrate.importing import Refusal, add_refusal
from memtend.slices import Slices
from memtend.store import writes
from memtend.store.access import Read, add_reads
from memtend.store.store import ConfigChanged

if TYPE_CHECKING:
    from memtend.ingest.batches import Judgement
    from memtend.memory import Memory
    from memtend.migrate.items import ImportItem
    from memtend.migrate.judging import Judged
    from memtend.model.lease import Lease
    from memtend.store.change import Change
    from memtend.store.drafts import Draft

REFUSED: Final = (
    AccessDenied, ConditionFailed, InvalidName, InvalidValue, KindMismatch, LimitExceeded,
    QuotaExceeded, RecordDamaged, TooManySiblings,
)  # fmt: skip
"""What one item can bring about, and what therefore concerns only that item."""
_MEANWHILE: Final = "somebody wrote here while it was imported"


class _Ready(NamedTuple):
    judgement: Judgement
    drafts: list[Draft]
    reads: Read | None


class Writer:
    """Writes under one lease; counts what was written and what was refused."""

    def __init__(self, memory: Memory, lease: Lease, run: str) -> None:
        self._memory = memory
        self._lease = lease
        self._run = run
        self.written = self.refused = 0
        self.slices = Slices(memory.store.clock, share=0.5)
        self.refusals: list[Refusal] = []

    def write(self, chosen: Sequence[Judgement]) -> None:
        plain = [one for one in chosen if not one[0].counter]
        for part in self.slices.of(plain):
            self.slices.timed(self._slice, part)
        for item, judged in chosen:
            if item.counter:
                self._count(item, judged)

    def refuse(self, item: ImportItem, reason: str) -> None:
        self.refused += 1
        add_refusal(self.refusals, item, reason)

    def _slice(self, chosen: Sequence[Judgement]) -> None:
        for _ in range(UPDATE_TRIES):
            now_ms = self._memory.store.clock.now_ms()
            tried = (self._ready(judgement, now_ms) for judgement in chosen)
            ready = [one for one in tried if one is not None]
            try:
                self._commit(ready)
            except ConfigChanged as changed:
                self._memory.config.refresh(changed.version)
                chosen = [one.judgement for one in ready]
                continue
            except REFUSED as error:
                self._apart([one.judgement for one in ready], error)
            else:
                self.written += len(ready)
            return
        why = "its policies change all the time"
        raise StoreBusy(url=self._memory.store.url, waited_s=0, why=why)

    def _apart(self, chosen: Sequence[Judgement], error: MemtendError) -> None:
        if len(chosen) == 1:
            self.refuse(chosen[0][0], _reason(error))
            return
        half = len(chosen) // 2
        self._slice(chosen[:half])
        self._slice(chosen[half:])

    def _ready(self, judgement: Judgement, now_ms: int) -> _Ready | None:
        memory, (item, judged) = self._memory, judgement
        try:
            if memory.agent is not None:
                memory.config.allow(memory.agent, "write", item.namespace)
            make = drafts_of if item.copied is None else copied_drafts
            drafts = make(
                memory.config, item, judged, run=self._run, agent=memory.agent, now_ms=now_ms
            )
        except REFUSED as error:
            self.refuse(item, _reason(error))
            return None
        return _Ready(judgement, drafts, reads_of(item, judged, now_ms))

    def _commit(self, ready: Sequence[_Ready]) -> None:
        if not ready:
            return
        memory, config = self._memory, self._memory.config
        reads = {
            (one.judgement[0].namespace, one.judgement[0].key): one.reads
            for one in ready
            if one.reads is not None
        }

        def also(change: Change, ids: Mapping[str, tuple[int, bytes]]) -> None:
            self._add_reads(change, ids, reads)

        writes.write(
            memory.store,
            [draft for one in ready for draft in one.drafts],
            actor=memory.agent or "owner",
            quotas=config.file.quotas,
            config=config.version,
            action="import",
            lease=self._lease,
            also=also if reads else None,
        )

    def _add_reads(
        self,
        change: Change,
        ids: Mapping[str, tuple[int, bytes]],
        reads: Mapping[tuple[str, str], Read],
    ) -> None:
        by_namespace: dict[str, dict[str, Read]] = {}
        for (namespace, key), read in reads.items():
            by_namespace.setdefault(namespace, {})[key] = read
        array = self._memory.store.engine.array
        for namespace, found in by_namespace.items():
            add_reads(change.tx, ids[namespace][0], array(list(found)), found)

    def _count(self, item: ImportItem, judged: Judged) -> None:
        """Add what the source has counted since this item was here last, and remember the total in
        the same transaction."""
        memory, now_ms = self._memory, self._memory.store.clock.now_ms()
        ttl_ms = None if item.copied is None else 0  # what comes as permanent stays so
        if item.expires_at_ms is not None:
            ttl_ms = item.expires_at_ms - now_ms
        try:
            memory.increment(
                item.namespace,
                item.key,
                item.value - judged.counted,
                op_id=f"import/{self._run}/{item.source.import_id}/{item.source.digest}",
                labels=counter_labels(item, judged, self._run),
                ttl_ms=ttl_ms,
                lease=self._lease,
            )
        except REFUSED as error:
            self.refuse(item, _reason(error))
            return
        self.written += 1
        self.slices.count += 1
        ns, reads = memory.store.namespaces.find(item.namespace), reads_of(item, judged, now_ms)
        if ns is not None and reads is not None:
            with memory.store.engine.write() as tx:
                keys = memory.store.engine.array([item.key])
                add_reads(tx, ns[0], keys, {item.key: reads})


def _reason(error: MemtendError) -> str:
    return _MEANWHILE if isinstance(error, ConditionFailed) else str(error)
