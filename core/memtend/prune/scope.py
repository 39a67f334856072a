"""What has a limit of its own, the store or an agent: what it holds, and who goes first."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from memtend.limits import MIB
from memtend.prune.lowest import Lowest


class Mark(NamedTuple):
    """Above `limit` space is made, down to `low`."""

    limit: int
    low: int


class Scope:
    """`held` is what the whole of it takes, None where that is only known once all was seen.

    `kept` counts what is shielded, `kept_from_rules` those of them that other rules named too.
    """

    def __init__(self, name: str, mark: Mark, held: int | None) -> None:
        self.name = name
        self.seen = 0
        self.freed = 0
        self.kept: Counter[str] = Counter()
        self.kept_from_rules: Counter[str] = Counter()
        self.lowest = Lowest(None if held is None else max(0, held - mark.low))
        self._mark = mark
        self._held = held

    @property
    def need_bytes(self) -> int:
        """What is still to be freed; 0 where it is not over its limit."""
        left = self._left()
        return left - self._mark.low if left > self._mark.limit else 0

    def why(self) -> str:
        return f"{self.name} holds {_size(self._left())}, more than {_size(self._mark.limit)}"

    def note(self, need_bytes: int) -> str:
        kept = ", ".join(f"{count:,} {word}" for word, count in sorted(self.kept.items()))
        short = f"{self.name} stays {_size(need_bytes)} above its low-water mark"
        return f"{short}: what else it holds is shielded ({kept})" if kept else short

    def _left(self) -> int:
        return (self.seen if self._held is None else self._held) - self.freed


def _size(count: int) -> str:
    return f"{count / MIB:,.1f} MiB" if count >= MIB else f"{count:,} bytes"
