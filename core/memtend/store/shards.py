"""Cut a store into shards by its totals: no row is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.model.shard import Shard, shards_of

if TYPE_CHECKING:
    from memtend.store.engine import Reader


def cut(reader: Reader, shards_max: int) -> tuple[Shard, ...]:
    """At most `shards_max` shards, of about the same number of rows each."""
    return shards_of(dict(reader.fetch("ns_totals")), shards_max)


def numbers_in(reader: Reader, shard: Shard) -> dict[int, str]:
    """The namespaces of a shard: the numbers by which the rows know them, with their names."""
    found = ((number, str(path)) for number, path, _ in reader.fetch("namespaces"))
    return {number: path for number, path in found if shard.holds(path)}
