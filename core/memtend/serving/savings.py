"""What could be saved in the whole store, estimated from rows that are spread over it.

A row stands for as many as there are rows in the store for each of the sample. Of duplicates only
those count that lie in the sample together, so what is told of them is a lower bound.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from memtend.codec.envelope import codec_of, unpack
from memtend.health.facts import SavingFacts
from memtend.limits import COMPRESS_THRESHOLD_BYTES, ZSTD_LEVEL
from memtend.limits_upkeep import (
    DUPLICATE_BYTES_MIN,
    HEALTH_SAMPLE_BYTES,
    HEALTH_SPREAD_ROWS,
    HEALTH_TRIAL_ROWS,
    SAVING_BYTES_MIN,
)
from memtend.store import archived
from memtend.store.statistics import gives_back
from memtend.store.stretches import stretches

if TYPE_CHECKING:
    from memtend.memory import Memory
    from memtend.model.candidate import Alike, Candidate
    from memtend.model.facts import Facts
    from memtend.model.usage import Usage
    from memtend.store.engine import Row
    from memtend.store.looking import Space
    from memtend.store.store import Store

_STUB_BYTES: Final = 90
_GAIN_MIN: Final = 0.1
_ALONE: Final = frozenset({"time", "performance"})
"""Strategies that look at one record by itself."""


def savings_of(memory: Memory, facts: Facts, backlog: int, space: Space) -> SavingFacts:
    """`backlog` is how many records have expired."""
    store = memory.store
    seqs = spread(store, facts.seq)
    mean = facts.bytes // facts.records if facts.records else 0
    worth = space.free_bytes >= SAVING_BYTES_MIN
    known = SavingFacts(
        sweep_bytes=backlog * mean,
        free_bytes=space.free_bytes,
        gives_back=not worth or gives_back(store),
    )
    if not seqs:
        return known
    array = store.engine.array
    rows = store.engine.read("by_seq", (array(_bearable(store, seqs)),))
    scale, of_values = facts.records / len(seqs), facts.records / max(1, len(rows))
    plain, gained = _compressible(rows, memory)
    used = list(archived.usage_of(store, seqs))
    cold, cold_bytes = _cold(memory, facts, used)
    beside = {one.seq: one for one in used}
    found_whole = [_candidate(store, row, beside[row[0]]) for row in rows if row[0] in beside]
    known_well = [one for one in found_whole if one]
    alone = _ALONE & set(memory.config.file.prune.named(None).strategies)
    spare, spare_bytes = _prunable(memory, facts, known_well, alone)
    extra, extra_bytes = _prunable(memory, facts, known_well, {"redundancy"}, _alike(rows))
    found = {
        "sample": len(seqs),
        "duplicates": round(extra * of_values),
        "duplicate_bytes": round(extra_bytes * of_values),
        "compress": round(plain * of_values),
        "compress_bytes": round(gained * of_values),
        "archive": round(cold * scale),
        "archive_bytes": round(cold_bytes * scale),
        "prune": round(spare * of_values),
        "prune_bytes": round(spare_bytes * of_values),
    }
    return known.model_copy(update=found)


def spread(store: Store, last: int) -> list[int]:
    """Rows from all over the order of writing."""
    count = min(last, HEALTH_SPREAD_ROWS)
    if not count:
        return []
    places = [start for start, _ in stretches(1, last + 1, count / last, count)]
    found = store.engine.read("sample_spread", (store.engine.array(places),))
    return sorted(seq for (seq,) in found if seq is not None)


def _bearable(store: Store, seqs: list[int]) -> list[int]:
    """As many of them, at equal distances, as may be read with their values."""
    sizes = store.engine.read("sizes_of", (store.engine.array(seqs),))
    stride = -(-sum(size for _, size in sizes) // HEALTH_SAMPLE_BYTES)
    chosen, total = [], 0
    for seq, size in sizes[:: max(1, stride)]:
        if total + size <= HEALTH_SAMPLE_BYTES:
            chosen.append(seq)
            total += size
    return chosen


def _alike(rows: list[Row]) -> Iterator[Alike]:
    """Records that say what another one of their namespace, kind, agent and writer says, which may
    stay longer than they do."""
    from memtend.model.candidate import Alike  # noqa: PLC0415

    same: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if not row[3] and len(row[14]) >= DUPLICATE_BYTES_MIN and not row[7] >> 4 & 15:
            same[row[1], *row[8:12]].append(row)
    for told in same.values():
        keeper, *extras = sorted(told, key=lambda row: (row[6] is not None, -(row[6] or 0), row[0]))
        yield from (Alike(row[0], keeper[0], "", 1.0) for row in extras)


def _compressible(rows: list[Row], memory: Memory) -> tuple[int, int]:
    """Long values that are stored as text although their policy wants them compressed."""
    import zstandard  # noqa: PLC0415 — most processes never compress

    path, policy = memory.store.namespaces.path, memory.config.policy
    long = [
        row for row in rows
        if not codec_of(row[7]) and len(row[14]) >= COMPRESS_THRESHOLD_BYTES
        and policy(path(row[1]), row[2]).compression.enabled
    ]  # fmt: skip
    trial = long[:HEALTH_TRIAL_ROWS]
    if not trial:
        return 0, 0
    packer = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
    before = sum(len(row[14]) for row in trial)
    share = 1 - sum(len(packer.compress(bytes(row[14]))) for row in trial) / before
    gained = round(sum(len(row[14]) for row in long) * share)
    return (len(long), gained) if share >= _GAIN_MIN else (0, 0)


def _cold(memory: Memory, facts: Facts, used: list[Usage]) -> tuple[int, int]:
    """What the archive's rules would take."""
    from memtend.archive.plan import plan_archive  # noqa: PLC0415

    now_ms = memory.store.clock.now_ms()
    plan = plan_archive(used, memory.config.file.archive, facts, now_ms)
    sizes = {one.seq: one.value_bytes for one in used}
    taken = [sizes[one.seq] - _STUB_BYTES for one in plan.decisions]
    return len(taken), sum(taken)


def _prunable(
    memory: Memory,
    facts: Facts,
    found: list[Candidate],
    wanted: Collection[str],
    alike: Iterable[Alike] = (),
) -> tuple[int, int]:
    """What strategies would let go of, shields and all."""
    from memtend.prune.plan import plan_prune  # noqa: PLC0415

    policy, now_ms = memory.config.file.prune.named(None), memory.store.clock.now_ms()
    plan = plan_prune(found, policy, facts, now_ms, strategies=wanted, alike=alike)
    gone = plan.to_delete()
    return len(gone), sum(one.size_bytes for one in gone)


def _candidate(store: Store, row: Row, used: Usage) -> Candidate | None:
    import orjson  # noqa: PLC0415

    from memtend.model.candidate import Candidate  # noqa: PLC0415
    from memtend.upcast.facts import facts_of  # noqa: PLC0415

    try:
        body = unpack(bytes(row[13]))
        text = store.text_of(body, codec_of(row[7]), bytes(row[14]))
        told = facts_of(body.kind, orjson.loads(text))
    except ValueError:  # damage is another check's matter
        return None
    return Candidate(
        used.seq, used.namespace, used.key, body.kind, body.agent, body.importance, body.confidence,
        body.success_count, body.failure_count, body.pinned, used.created_ms, used.written_ms,
        used.expires_ms, used.read_ms, used.accesses, used.row_bytes, archived=False, facts=told,
    )  # fmt: skip
