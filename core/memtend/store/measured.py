"""What metrics read of a store: counts that end at a bound, and a sample of its rows.

Nothing here costs more in a larger store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import codec_of, unpack
from memtend.limits_upkeep import METRIC_COUNT_MAX, METRIC_SAMPLE_ROWS, METRIC_SAMPLE_STRETCHES
from memtend.store.messages_books import now_ms as messages_now_ms
from memtend.store.messages_upkeep import message_facts
from memtend.store.meta import Meta
from memtend.store.stretches import windows
from memtend.store.upkeep import sound

if TYPE_CHECKING:
    from memtend.model.message import MessageFacts
    from memtend.store.engine import Row
    from memtend.store.store import Store

_DAY_MS = 24 * 3_600_000
_SERVER_CACHE = (
    "SELECT blks_hit, blks_read FROM pg_stat_database WHERE datname = current_database()"
)


class Sampled(NamedTuple):
    """Rows and bytes by kind, as estimated for the whole store. `text_bytes` of values as JSON are
    `value_bytes` as stored, in the sample; archived values are left out."""

    kinds: dict[str, tuple[float, float]]
    text_bytes: int
    value_bytes: int


class Regretted(NamedTuple):
    """Of what one rule has pruned, in all namespaces."""

    rule: str
    pruned: int
    missed: int


class Backlog(NamedTuple):
    """What waits, counted up to `METRIC_COUNT_MAX`. `messages_age_ms` is None where none waits."""

    expired: int
    expiring_day: int
    ghosts: int
    leases: int
    tickets: int
    messages: MessageFacts
    messages_age_ms: int | None


def backlog(store: Store, meta: Meta) -> Backlog:
    now_ms, read = store.clock.now_ms(), store.engine.read
    most = METRIC_COUNT_MAX
    [(server_ms,)] = read("lease_now")
    lease_ms = now_ms if server_ms is None else server_ms
    messages = message_facts(store)
    oldest = messages.oldest_ms
    return Backlog(
        expired=_one(read("count_expired", (-1, now_ms, most))),
        expiring_day=_one(read("count_expired", (now_ms, now_ms + _DAY_MS, most))),
        ghosts=_one(read("count_ghosts", (most,))),
        leases=_one(read("count_leases", (meta.lease_epoch, lease_ms))),
        tickets=_one(read("count_tickets", (lease_ms,))),
        messages=messages,
        messages_age_ms=None if oldest is None else max(0, messages_now_ms(store) - oldest),
    )


def sample(store: Store) -> Sampled:
    with store.engine.snapshot() as reader:
        total = Meta.of(reader.fetch("meta"), store.url).rows
        where = windows(reader, total, METRIC_SAMPLE_ROWS, METRIC_SAMPLE_STRETCHES)
        rows = [row for window in where for row in reader.fetch("sample_rows", window)]
    return _judged(rows, total)


def regrets(store: Store) -> tuple[Regretted, ...]:
    found: dict[str, Regretted] = {}
    for rule, _, pruned, missed, _ in sound(store.engine.read("stream_regret")):
        before = found.get(rule, Regretted(rule, 0, 0))
        found[rule] = Regretted(rule, before.pruned + pruned, before.missed + missed)
    return tuple(found.values())


def standing_alerts(store: Store) -> dict[str, int]:
    """How many alerts stand, by level."""
    return {level: int(count) for level, count in store.engine.read("standing_alerts")}


def server_cache_share(store: Store) -> float | None:
    """Of the pages that a database server was asked for, how many it had in memory, since its
    statistics began. SQLite does not tell."""
    if store.engine.kind != "postgresql":
        return None
    [(hits, reads)] = store.engine.script(_SERVER_CACHE)
    return hits / (hits + reads) if hits + reads else None


def _judged(rows: list[Row], total: int) -> Sampled:
    stands_for = total / len(rows) if rows else 0.0
    kinds: dict[str, tuple[float, float]] = {}
    text_bytes = value_bytes = 0
    for kind, size, flags, packed, length in rows:
        try:
            is_here = codec_of(flags) != Codec.ARCHIVED
            text = unpack(bytes(packed)).size if is_here else 0
            held_bytes = int(size)
        except (Damaged, ValueError, TypeError):
            continue  # damage can put anything anywhere; verification finds it
        count, held = kinds.get(kind, (0.0, 0.0))
        kinds[kind] = count + stands_for, held + held_bytes * stands_for
        if is_here:
            text_bytes += text
            value_bytes += length
    return Sampled(kinds, text_bytes, value_bytes)


def _one(rows: list[Row]) -> int:
    return int(rows[0][0])
