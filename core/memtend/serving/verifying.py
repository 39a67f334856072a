"""Verify the live store: in one piece, or shared among processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memtend.serving.base import Serving

if TYPE_CHECKING:
    from memtend.model.findings import StoreVerifyReport
    from memtend.model.shard import Shard
    from memtend.store.verify_rows import Seen
    from memtend.store.verify_together import Together, View


class Verifying(Serving):
    """Every byte, however many look."""

    def verify_store(self) -> StoreVerifyReport:
        """Check every byte of the live store."""
        from memtend.store.verify import verify_store  # noqa: PLC0415

        return verify_store(self.store)

    @contextmanager
    def verifying_together(self) -> Iterator[Together]:
        """The same for several processes: this one cuts the store into shards, holds the state that
        all look at, and makes one report of what they have seen."""
        from memtend.store.verify_together import together  # noqa: PLC0415

        with together(self.store) as shared:
            yield shared

    def verify_shard(self, view: View, shard: Shard) -> Seen | None:
        """A share of it; None where this process does not see the same state."""
        from memtend.store.verify_together import verify_shard  # noqa: PLC0415

        return verify_shard(self.store, view, shard)
