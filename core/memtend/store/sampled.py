"""Which keys are in the sample of accesses: those whose hash lies below a bound that halves.

So it is decided everywhere alike, without a list, and the share of keys that are in is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from memtend.model.policy import path_digest, path_hash
from memtend.store.meta import crc_of
from memtend.store.sql_learning import SAMPLE

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Transaction

READ, WRITE, MISS = range(3)
HALVINGS_MAX: Final = 63
_HALF: Final = 2**63
NOBODY: Final = 0
"""A bound below which there is no hash."""


def hash_of(place: tuple[str, str]) -> int:
    """As a canary takes its keys."""
    return path_hash(*place)


def digest_of(place: tuple[str, str]) -> int:
    return path_digest(*place)


def digest_from(bound: int) -> int:
    """The lowest digest of what is not below a bound; the highest there is, for no bound at all."""
    return min(bound - _HALF, _HALF - 1)


def below(halvings: int) -> int:
    """Paths whose hash is below it are in a sample that was halved so often."""
    return 2**64 >> halvings


class Sample(NamedTuple):
    """How often the sample was halved, and how many rows it has at most."""

    halvings: int = 0
    rows: int = 0

    @property
    def rate(self) -> float:
        """The share of keys that are in it."""
        return float(2.0**-self.halvings)

    @classmethod
    def of(cls, text: str | None) -> Sample:
        """From its setting; anew where that says nothing."""
        try:
            told = orjson.loads(text or "{}")
            found = cls(int(told.get("halvings", 0)), int(told.get("rows", 0)))
        except (ValueError, TypeError, AttributeError):
            return cls()
        return found if 0 <= found.halvings <= HALVINGS_MAX and found.rows >= 0 else cls()

    @classmethod
    def now(cls, reader: Reader) -> Sample:
        rows = reader.fetch("setting", (SAMPLE,))
        return cls.of(rows[0][0] if rows else None)

    def save(self, tx: Transaction) -> None:
        row = (SAMPLE, orjson.dumps(self._asdict()).decode())
        tx.run("save_setting", (*row, crc_of(row)))
