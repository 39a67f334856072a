"""Defects planted in the code of the store itself, which histories on real stores must find (9.3).

Each replaces one function, or one number, by one that is wrong in one way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

import pytest

from memtend.crdt import tally
from memtend.crdt.causal import merge_dots
from memtend.limits import SWEEP_MARGIN_MS
from memtend.model.delta import DeltaHead
from memtend.store import (
    adapting,
    expiry,
    opening,
    placing,
    sync_admit,
    sync_merge,
    sync_out,
    sync_windows,
)
from memtend.store.change import Change
from memtend.store.lines import Lines
from memtend.store.meta import Meta
from memtend.store.peers import Peer, peers_in
from memtend.store.sync_in import Received

Plant: TypeAlias = Callable[[pytest.MonkeyPatch], None]
Vector: TypeAlias = Mapping[str, int]
Siblings: TypeAlias = Mapping[Any, Any]


def losers_dropped_at_merge(patch: pytest.MonkeyPatch) -> None:
    def merge(mine: Siblings, seen: Vector, theirs: Siblings, they_saw: Vector) -> Siblings:
        kept = merge_dots(mine, seen, theirs, they_saw)
        return {dot: kept[dot] for dot in sorted(kept)[-1:]}

    patch.setattr(sync_merge, "merge_dots", merge)


def rows_taken_regardless(patch: pytest.MonkeyPatch) -> None:
    def merge(mine: Siblings, seen: Vector, theirs: Siblings, they_saw: Vector) -> Siblings:
        return merge_dots(mine, {}, theirs, they_saw)

    patch.setattr(sync_merge, "merge_dots", merge)


def no_gap_check(patch: pytest.MonkeyPatch) -> None:
    _head(patch, lambda head: head._replace(since={}))


def floor_of_delta_ignored(patch: pytest.MonkeyPatch) -> None:
    _head(patch, lambda head: head._replace(floor={}))


def log_dropped_without_floor(patch: pytest.MonkeyPatch) -> None:
    advance = Lines.advance
    patch.setattr(Lines, "advance", lambda lines, vv, _floor: advance(lines, vv, {}))


def vector_not_advanced(patch: pytest.MonkeyPatch) -> None:
    advance = Lines.advance
    patch.setattr(Lines, "advance", lambda lines, _vv, floor: advance(lines, {}, floor))


def sweep_without_log_entry(patch: pytest.MonkeyPatch) -> None:
    _log(patch, lambda _change, dot, why: None if why == "swept" else dot)


def counter_swept_silently(patch: pytest.MonkeyPatch) -> None:
    def told(change: Change, dot: tuple[int, int], why: str) -> tuple[int, int] | None:
        own = dot == (change.meta.replica_no, change.n)
        return None if own and why == "swept" else dot

    _log(patch, told)


def sweep_one_tick_early(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(expiry, "SWEEP_MARGIN_MS", SWEEP_MARGIN_MS - 1)


def counter_swept_unheard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(expiry, "heard_by", lambda _peers, now_ms: now_ms)


def parts_swept_one_by_one(patch: pytest.MonkeyPatch) -> None:
    def may_go(_change: Change, old: Any, until: int, _counters_until: int) -> bool:
        return old.exp is not None and old.exp <= until

    patch.setattr(expiry, "_may_go", may_go)


def copy_keeps_the_id(patch: pytest.MonkeyPatch) -> None:
    def adopt(tx: Any, _clock: Any, meta: Meta, file_id: str) -> Meta:
        meta = meta._replace(file_id=file_id)
        tx.run("save_meta", meta.params())
        return meta

    patch.setattr(opening, "_adopt", adopt)


def restore_keeps_the_id(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(adapting, "_begin_line", lambda _tx, found, _fresh, _ms: found.replica_no)


def retired_heard(patch: pytest.MonkeyPatch) -> None:
    def living(found: Iterable[Peer]) -> list[Peer]:
        return [peer._replace(retired_ms=None) for peer in found]

    patch.setattr(sync_admit, "peers_in", lambda reader, url: living(peers_in(reader, url)))


def fast_clock_believed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sync_admit, "PEER_AHEAD_MS_MAX", 10**9)
    patch.setattr("memtend.crdt.hlc.PEER_AHEAD_MS_MAX", 10**9)


def unnamed_keys_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sync_merge, "everything", sync_windows.told_only)


def all_peers_told_alike(patch: pytest.MonkeyPatch) -> None:
    """What one peer was told is left out for another."""
    patch.setattr(sync_out, "descends", lambda _seen, _other: True)


def increment_replaces_the_others(patch: pytest.MonkeyPatch) -> None:
    increment = tally.increment

    def wrong(*given: Any, **facts: Any) -> tally.Written:
        return increment(*given, **facts)[0], ()

    patch.setattr(tally, "increment", wrong)


def reset_keeps_the_epoch(patch: pytest.MonkeyPatch) -> None:
    reset = tally.reset

    def wrong(*given: Any, **facts: Any) -> tally.Written:
        return reset(*given, **facts)[0]._replace(text=tally.Part().text()), ()

    patch.setattr(tally, "reset", wrong)


def write_keeps_what_it_saw(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(placing, "seen_by", lambda _change, _old, ctx: ctx is None)


def _head(patch: pytest.MonkeyPatch, wrong: Callable[[DeltaHead], DeltaHead]) -> None:
    fill = Received.fill
    patch.setattr(Received, "fill", lambda received, pages: wrong(fill(received, pages)))


def _log(patch: pytest.MonkeyPatch, chosen: Callable[..., tuple[int, int] | None]) -> None:
    log = Change.log

    def wrong(
        change: Change, ns: int, key: str, field: str, dot: tuple[int, int], why: str, *more: Any
    ) -> None:
        if (told := chosen(change, dot, why)) is not None:
            log(change, ns, key, field, told, why, *more)

    patch.setattr(Change, "log", wrong)


PLANTED: Final[tuple[Plant, ...]] = (
    losers_dropped_at_merge,
    rows_taken_regardless,
    no_gap_check,
    floor_of_delta_ignored,
    log_dropped_without_floor,
    vector_not_advanced,
    sweep_without_log_entry,
    counter_swept_silently,
    sweep_one_tick_early,
    counter_swept_unheard,
    parts_swept_one_by_one,
    copy_keeps_the_id,
    restore_keeps_the_id,
    retired_heard,
    fast_clock_believed,
    unnamed_keys_kept,
    all_peers_told_alike,
    increment_replaces_the_others,
    reset_keeps_the_epoch,
    write_keeps_what_it_saw,
)
