"""The multi-value register (CRDT_SPEC 3.4): concurrent writes are all kept, older ones dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from memtend.crdt.base import Json, integer, items, text
from memtend.crdt.causal import EMPTY, Dot, VersionVector, covers, merge_dots
from memtend.limits import REPLICAS_MAX


@dataclass(frozen=True, slots=True)
class MVRegister:
    """Values by the event that wrote them; `seen` also names the events that are gone."""

    seen: VersionVector = EMPTY
    siblings: Mapping[Dot, bytes] = field(default_factory=dict)

    @property
    def values(self) -> tuple[bytes, ...]:
        """All concurrent values, in the order of their canonical JSON."""
        return tuple(sorted(self.siblings.values()))

    def write(self, dot: Dot, value: bytes, context: Mapping[str, int] | None = None) -> MVRegister:
        """Replace what the writer has read: all that is here, or what `context` covers."""
        read = self.seen if context is None else context
        kept = {d: v for d, v in self.siblings.items() if not covers(read, d)}
        return MVRegister(self.seen.with_dot(dot), {**kept, dot: value})

    def merge(self, other: MVRegister) -> MVRegister:
        kept = merge_dots(self.siblings, self.seen, other.siblings, other.seen)
        return MVRegister(self.seen.join(other.seen), kept)

    def delta(self, known: MVRegister) -> MVRegister:
        """All or nothing: a part of the siblings would say that the others are gone."""
        return MVRegister() if known.merge(self) == known else self

    def encode(self) -> Json:
        siblings = [[*dot, value.decode()] for dot, value in sorted(self.siblings.items())]
        return [self.seen.encode(), siblings]

    @classmethod
    def decode(cls, data: Json) -> Self:
        seen, listed = items(data, 2)
        vector = VersionVector.decode(seen)
        siblings: dict[Dot, bytes] = {}
        for replica, n, value in (items(item, 3) for item in items(listed)):
            dot = Dot(text(replica), integer(n))
            if dot in siblings or not vector.contains(dot) or len(siblings) >= REPLICAS_MAX:
                raise ValueError("a sibling is repeated, unseen or one too many")
            siblings[dot] = text(value).encode()
        return cls(vector, siblings)
