"""Letting go of the change log (CRDT_SPEC 5.5).

An entry is needed only so that a delta names its path. Once it joins the floor, whoever has not
seen its event is sent every key instead; so it may go at any time, and goes when every peer has
seen it, or after a week. Until then the newest backup of each target must have it as well: an
increment that cannot read the log since its base has to be a full backup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import ormsgpack

from memtend.limits import BACKUPS_LISTED_MAX, LOG_KEEP_MS, SLICE_ROWS_MAX
from memtend.store.lines import Lines
from memtend.store.meta import crc_of
from memtend.store.peers import live, peers_in

if TYPE_CHECKING:
    from memtend.model.stored import SideRow
    from memtend.store.engine import Reader, Row
    from memtend.store.store import Store

LOG_DROPPED: Final = "log_dropped"
"""The setting that says up to where in the change sequence entries have been let go."""


def drop_log(store: Store, *, keep_ms: int = LOG_KEEP_MS, actor: str) -> int:
    """Let go of entries older than `keep_ms`, and of those that everybody has seen; how many.

    Safe to repeat and to cut off: an entry and its part of the floor go in one transaction.
    """
    dropped, batch = 0, []
    for row in list(_ripe(store, store.clock.now_ms() - keep_ms)):
        batch.append(row)
        if len(batch) == SLICE_ROWS_MAX:
            dropped += _drop(store, batch, actor)
            batch = []
    return dropped + (_drop(store, batch, actor) if batch else 0)


def dropped_after(side: Iterable[SideRow], seq: int) -> bool:
    """Whether entries of the log that were written after this change have been let go."""
    told = (r for r in side if r.table == "setting" and r.name == LOG_DROPPED)
    return any(int(ormsgpack.unpackb(row.cells)[0]) > seq for row in told)


def _ripe(store: Store, until_ms: int) -> Iterator[Row]:
    with store.engine.snapshot() as reader:
        seen = _seen_by_all(store, reader)
        backed_up = _backed_up(reader)
        replicas = {row[0]: row[1] for row in reader.fetch("replicas")}
        for ns, key, field, r, n, seq, at_ms, *_ in reader.stream("stream_log_rows"):
            everywhere = n <= seen.get(replicas[r], 0) and seq <= backed_up
            if at_ms <= until_ms or everywhere:
                yield ns, key, field, r, n, seq


def _seen_by_all(store: Store, reader: Reader) -> Mapping[str, int]:
    """What every live peer has seen. Without peers nothing: people still ask why a key is gone.

    What was put into a place counts, too: with a floor above that, the next push would have to put
    everything there anew.
    """
    found = peers_in(reader, store.url)
    places = [peer for peer in found if peer.is_place and peer.seen]
    first, *others = [peer.seen for peer in [*live(found), *places]] or [{}]
    return {r: min([n, *(other.get(r, 0) for other in others)]) for r, n in first.items()}


def _backed_up(reader: Reader) -> int:
    """Up to where the newest backup of every target has read the log."""
    newest: dict[str, int] = {}
    for _, url, _, seq, *_ in reader.fetch("catalogs", (BACKUPS_LISTED_MAX,)):
        newest[url] = max(newest.get(url, 0), seq)
    return min(newest.values(), default=2**63 - 1)


def _drop(store: Store, batch: list[Row], actor: str) -> int:
    with store.change(actor, [("setting", (LOG_DROPPED,))]) as (change, [found]):
        lines = Lines(change)
        floor: dict[str, int] = {}
        for _, _, _, r, n, _ in batch:
            floor[lines.ids[r]] = max(floor.get(lines.ids[r], 0), n)
        change.tx.run_many("drop_log", [(*row[:4], row[5]) for row in batch])
        lines.advance({}, floor)
        upto = str(max(int(found[0][0]) if found else 0, *(row[5] for row in batch)))
        change.tx.run("save_setting", (LOG_DROPPED, upto, crc_of((LOG_DROPPED, upto))))
        change.note("log", f"{len(batch):,} entries let go")
    return len(batch)
