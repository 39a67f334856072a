"""What somebody saw when looking at a key, and how to write without dropping what came since."""

from __future__ import annotations

from typing import Any, NamedTuple

from memtend.model.record import Record


class Look(NamedTuple):
    """Every visible value of a key, elements of its set and fields of its map among them.

    `context` is what this replica had seen of everything at that instant. A write or delete with
    `ctx=look.context` replaces what was seen and leaves what was written since beside it.
    """

    records: tuple[Record, ...]
    context: dict[str, int]

    @property
    def values(self) -> list[Any]:
        """The concurrent values of the key itself, in the order of their canonical JSON."""
        return [record.value for record in self.records if not record.field]
