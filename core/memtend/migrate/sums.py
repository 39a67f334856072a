"""A sum over the values that a migration makes, by which a rehearsal is compared with the deed.

Rows fall into parts by their old number. Where as many rows of a part were cast in both, the sums
must be equal; where fewer were, some had changed meanwhile, and the part says nothing. A sum finds
what went wrong; it is no proof against somebody who wants two to be equal.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import orjson

from memtend.limits import MIGRATION_PARTS

_MODULUS: Final = 2**128


class Sums:
    """How many rows of each part, and the sum over their contents, each weighed by its number."""

    def __init__(self) -> None:
        self.counts = [0] * MIGRATION_PARTS
        self._sums = [0] * MIGRATION_PARTS

    def add(self, seq: int, content: int) -> None:
        part = seq % MIGRATION_PARTS
        self.counts[part] += 1
        self._sums[part] += content * (2 * seq + 1)

    @property
    def rows(self) -> int:
        return sum(self.counts)

    @property
    def digest(self) -> str:
        return sha256(orjson.dumps(self.told())).hexdigest()

    def compared(self, other: Sums) -> tuple[int, int]:
        """How many parts have as many rows in both, and how many of these have unequal sums."""
        mine, theirs = self._parts(), other._parts()
        same = [(one, two) for one, two in zip(mine, theirs, strict=True) if one[0] == two[0]]
        return len(same), sum(one != two for one, two in same)

    def told(self) -> list[Any]:
        """As JSON: pairs of a count and a sum in hexadecimal; 0 for an empty part."""
        return [[count, f"{total:x}"] if count else 0 for count, total in self._parts()]

    @classmethod
    def heard(cls, told: list[Any]) -> Sums:
        sums = cls()
        for part, one in enumerate(told[:MIGRATION_PARTS]):
            if one:
                sums.counts[part], sums._sums[part] = int(one[0]), int(one[1], 16)
        return sums

    def _parts(self) -> list[tuple[int, int]]:
        return [
            (count, total % _MODULUS)
            for count, total in zip(self.counts, self._sums, strict=True)
        ]  # fmt: skip
