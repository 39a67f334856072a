"""What the rows of a store, or of a part of it, say when every one of them is hashed.

What parts say adds up: several processes look at a part each, and the sums of all are compared
with the store's own at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from xxhash import xxh3_128_intdigest

from memtend.codec.address import read_address
from memtend.codec.compress import Codec
from memtend.codec.envelope import codec_of
from memtend.codec.statesum import addend
from memtend.limits import FINDINGS_MAX

if TYPE_CHECKING:
    from memtend.store.engine import Row
    from memtend.store.rowcheck import RowCheck


class Pairs:
    """Tags with the rows they are of, as their number and the sum of their hashes: two sets that
    are equal are known to be, without either in memory."""

    def __init__(self) -> None:
        self.count = self.sum = 0

    def add(self, tag: object, seq: object) -> None:
        self.count += 1
        self.sum += xxh3_128_intdigest(f"{seq} {tag!r}".encode("utf-8", "surrogatepass"))

    def join(self, other: Pairs) -> None:
        self.count += other.count
        self.sum += other.sum

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pairs) and (self.count, self.sum) == (other.count, other.sum)

    __hash__ = None  # type: ignore[assignment]


class Seen:
    """Counts, sums and findings of rows. A plain class: nobody who passes it on looks inside.

    `found` holds where something is wrong, and what, after the number of the row: the lowest rows
    first, and not all of them.
    """

    def __init__(self) -> None:
        self.rows = self.sum = self.damage_count = 0
        self.found: list[tuple[int, str, str]] = []
        self.tags = Pairs()
        self.totals: Counter[tuple[str, str]] = Counter()
        self.sizes: Counter[tuple[str, str]] = Counter()
        self.highest: dict[str, int] = {}

    def look(self, rows: Iterable[Row], check: RowCheck, seq_max: int) -> None:
        """Judge each row. `seq_max` is the store's change number: none can have a higher one."""
        for row in rows:
            self.rows += 1
            try:
                self._judge(row, check, seq_max)
            except (ValueError, TypeError, AttributeError) as error:
                self._find(row[0], f"sibling {row[0]}", f"a column is not of its type: {error}")

    def join(self, other: Seen) -> None:
        """Add what was seen of other rows."""
        self.rows += other.rows
        self.sum += other.sum
        self.damage_count += other.damage_count
        self.found = self.lowest([*self.found, *other.found])
        self.tags.join(other.tags)
        self.totals.update(other.totals)
        self.sizes.update(other.sizes)
        for replica, n in other.highest.items():
            self.highest[replica] = max(self.highest.get(replica, 0), n)

    @staticmethod
    def lowest(found: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
        return sorted(found, key=lambda one: one[0])[:FINDINGS_MAX]

    def _find(self, seq: int, where: str, why: str) -> None:
        self.damage_count += 1
        self.found.append((seq, where, why))
        if len(self.found) >= 2 * FINDINGS_MAX:
            self.found = self.lowest(self.found)

    def _judge(self, row: Row, check: RowCheck, seq_max: int) -> None:
        seq = row[0]
        judged = check.judge(row, lambda where, why: self._find(seq, where, why))
        if judged is None:
            return
        self.sum += addend(judged.digest)
        path, _, body = judged
        if body is None:
            return
        flags, size, value = row[7], row[12], bytes(row[14])
        if seq > seq_max:
            where = f"sibling {seq} {path}/{row[2]}"
            self._find(seq, where, f"its sequence number is above the store's {seq_max}")
        self.highest[body.replica] = max(self.highest.get(body.replica, 0), body.n)
        for tag in body.tags:
            self.tags.add(tag, seq)
        for scope, name in (("ns", path), ("agent", body.agent), ("session", body.session)):
            if name is not None:
                self.totals[scope, name] += 1
                self.sizes[scope, name] += size
        self._count_tier(codec_of(flags), size, value)

    def _count_tier(self, codec: int, size: int, value: bytes) -> None:
        parts = {"warm": size} if codec else {}
        if codec == Codec.ARCHIVED:
            address = read_address(value)
            parts = {"cold": size, "cold before": address.was_bytes}
            parts["cold kept"] = address.kept_bytes
        for name, part in parts.items():
            self.totals["tier", name] += 1
            self.sizes["tier", name] += part
