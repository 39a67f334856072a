"""How many keys came to hold concurrent values, at a cost that grows with the changes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memtend.store.store import Store


def conflicts_since(store: Store, seq: int) -> int:
    """Keys written after change `seq` that have more than one sibling now."""
    [(count,)] = store.engine.read("conflicts_since", (seq,))
    return int(count)
