"""A source in batches, each judged by what the store holds at its names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from memtend.limits_foreign import IMPORT_BATCH_BYTES, IMPORT_BATCH_ITEMS
from memtend.migrate.copies import judge_copy
from memtend.migrate.items import Found, ImportItem, PassedOver, Quarantined
from memtend.migrate.judging import ERASED, Judged, first_known_ms, judge
from memtend.model.subject import Owned
from memtend.store.ledger import Filter
from memtend.store.standing import field_standings, standings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtend.memory import Memory
    from memtend.model.standing import Standing

Seen = Callable[[int], None]
"""Is told how many more items have been read."""
Judgement = tuple[ImportItem, Judged]


class Batch(NamedTuple):
    items: list[ImportItem]
    aside: list[Quarantined | PassedOver]


def batches(found: Iterable[Found]) -> Iterator[Batch]:
    """In the source's order, none larger in items or bytes than its limit by more than one item."""
    batch, size = Batch([], []), 0
    for one in found:
        if isinstance(one, ImportItem):
            batch.items.append(one)
            size += len(one.text)
        else:
            batch.aside.append(one)
            size += len(one.data) if isinstance(one, Quarantined) else 0
        count = len(batch.items) + len(batch.aside)
        if count >= IMPORT_BATCH_ITEMS or size >= IMPORT_BATCH_BYTES:
            yield batch
            batch, size = Batch([], []), 0
    if batch.items or batch.aside:
        yield batch


class Judge:
    """Says what items are to one store. The ledger of erasures is read once."""

    def __init__(self, memory: Memory) -> None:
        self._memory, self._store = memory, memory.store
        self._config = memory.config
        self._ledger = Filter.load(memory.store.engine)

    def judge(self, items: Sequence[ImportItem]) -> list[Judgement]:
        now_ms = self._store.clock.now_ms()
        if any(item.copied for item in items):
            return self._judge_copies(items, now_ms)
        found = standings(self._store, [(item.namespace, item.key) for item in items])
        return [
            (item, self._one(item, found.get((item.namespace, item.key)), now_ms)) for item in items
        ]

    def _judge_copies(self, items: Sequence[ImportItem], now_ms: int) -> list[Judgement]:
        """Records of another store, among them elements of sets and fields of maps."""
        places = [(item.namespace, item.key, item.field) for item in items]
        found = field_standings(self._store, [place for place in places if place[2]])
        whole = standings(self._store, [place[:2] for place in places if not place[2]])
        found |= {(*path, ""): standing for path, standing in whole.items()}
        return [
            (item, self._copy(item, found.get(place), now_ms))
            for item, place in zip(items, places, strict=True)
        ]

    def _one(self, item: ImportItem, standing: Standing | None, now_ms: int) -> Judged:
        if self._ledger and self._is_erased(item):
            return ERASED
        ttl_ms = self._config.policy(item.namespace, item.key).ttl_ms
        return judge(item, standing, ttl_ms=ttl_ms, now_ms=now_ms)

    def _copy(self, item: ImportItem, standing: Standing | None, now_ms: int) -> Judged:
        if self._ledger and self._is_erased(item):
            return ERASED
        return judge_copy(item, standing, self._total(item, standing), now_ms=now_ms)

    def _total(self, item: ImportItem, standing: Standing | None) -> int | None:
        """What the counter there has counted, where a counter is to come."""
        if not item.counter or standing is None:
            return None
        record = self._memory.read(item.namespace, item.key)
        return record.value if record and isinstance(record.value, int) else None

    def _is_erased(self, item: ImportItem) -> bool:
        labels = item.labels
        owned = Owned(labels.agent, labels.writer, labels.session, labels.tags)
        return self._ledger.forbids(item.namespace, item.key, owned, first_known_ms(item))
