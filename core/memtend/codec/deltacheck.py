"""What a delta may say (CRDT_SPEC 10). Everything is checked before anything is merged.

A body must be exactly the bytes that we would have packed, a value exactly its canonical JSON:
one value, one text, on every replica.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import ormsgpack

from memtend.codec import canonical
from memtend.codec.compress import Damaged
from memtend.codec.envelope import Body, unpack
from memtend.crdt import tally
from memtend.crdt.base import HLC_MAX
from memtend.crdt.rows import RowKind
from memtend.errors import DeltaRefused, InvalidName, InvalidValue, LimitExceeded
from memtend.limits import (
    DELTA_PATH_BYTES_MAX,
    DELTA_SIBLINGS_MAX,
    INTEGER_ABS_MAX,
    LABEL_CHARS_MAX,
    REPLICAS_MAX,
    TAG_CHARS_MAX,
    TAGS_MAX,
    TIME_MS_MAX,
    TTL_MS_MAX,
    VALUE_BYTES_MAX,
)
from memtend.model.delta import Carried, DeltaHead, Item, Told
from memtend.model.dot import Dot
from memtend.model.names import check_name, check_path

_KINDS: Final = frozenset(map(int, RowKind))
_TRUSTS: Final = ("trusted", "unverified", "quarantined")
_MARK_MAX: Final = 2**64 - 1
_WHY_CHARS_MAX: Final = 32


def check_head(head: DeltaHead) -> None:
    """Raise `DeltaRefused` where a head says what no replica may say."""
    for name in ("vv", "since", "floor"):
        vector: Mapping[str, int] = getattr(head, name)
        _need(len(vector) <= REPLICAS_MAX, "it names too many replicas")
        _need(all(0 < n <= INTEGER_ABS_MAX for n in vector.values()), "an event has no number")
    _need(len(head.heard) <= REPLICAS_MAX, "it names too many replicas")
    _need(all(0 <= ms <= TIME_MS_MAX for ms in head.heard.values()), "a time is out of range")
    _need(all(n <= head.vv.get(r, 0) for r, n in head.floor.items()), "its floor is not seen")
    _need(0 <= head.epoch <= INTEGER_ABS_MAX, "its epoch is out of range")
    _need(0 <= head.hlc <= HLC_MAX, "its timestamp is out of range")
    _need(0 <= head.sent_ms <= TIME_MS_MAX, "its time is out of range")


def joined(items: Iterable[Item]) -> Iterator[Item]:
    """One item for each path; raises `DeltaRefused` where paths are out of order."""
    before: tuple[Any, ...] = ()
    for path, group in groupby(items, key=attrgetter("path")):
        if not type(path[0]) is type(path[1]) is type(path[2]) is str or path <= before:
            raise DeltaRefused(why="its keys are out of order")
        before = path
        first, *more = group
        for other in more:
            siblings = (*first.siblings, *other.siblings)
            ended = (*first.ended, *other.ended)
            _need(len(siblings) <= DELTA_SIBLINGS_MAX and len(ended) <= REPLICAS_MAX, _MANY)
            _need(sum(map(_bytes_of, siblings)) <= DELTA_PATH_BYTES_MAX, _MUCH)
            _need(bool(other.siblings or other.ended), "a key says nothing")
            first = first._replace(siblings=siblings, ended=ended)
        yield first


def check_item(head: DeltaHead, item: Item) -> None:
    """Raise `DeltaRefused` where a path, its siblings or its endings are not as they must be."""
    try:
        check_path(item.namespace, item.key)
        if item.field:
            check_name(item.field, "field")
    except InvalidName as error:
        raise DeltaRefused(why=str(error)) from error
    _need(len(item.siblings) <= DELTA_SIBLINGS_MAX, _MANY)
    _need(bool(item.siblings or item.ended), "a key says nothing")
    before: Dot | None = None
    for told in item.siblings:
        if isinstance(told, Carried):
            dot = _check_carried(head, told)
        else:
            dot = told.dot
            _need(type(told.mark) is int and 0 <= told.mark <= _MARK_MAX, "a mark is out of range")
            _need_seen(head.since, dot, "a value is missing that the receiver has not seen")
        _need_seen(head.vv, dot, "an event is not among those that its sender has seen")
        _need(before is None or before < dot, "siblings are out of order")
        before = dot
    _need(len({e.dot.replica for e in item.ended}) == len(item.ended), "an ending is told twice")
    for ended in item.ended:
        _need_seen(head.vv, ended.dot, "an event is not among those that its sender has seen")
        _need(_is_whole(ended.at_ms, TIME_MS_MAX), "a time is out of range")
        _need(_is_text(ended.why, _WHY_CHARS_MAX), "an ending has no reason")


def _check_carried(head: DeltaHead, told: Carried) -> Dot:
    _need(type(told.body) is bytes and type(told.text) is bytes, "a sibling is not bytes")
    _need(len(told.text) <= VALUE_BYTES_MAX, "a value is too long")
    try:
        body = unpack(told.body)
        _need(body.pack() == told.body, "a body is not packed as it must be")
        _check_body(head, body, told)
        value = canonical.decode(told.text)
        _need(canonical.encode(value) == told.text, "a value is not canonical JSON")
        if body.type == RowKind.COUNTER:
            _need(tally.Part.of(told.text).text() == told.text, "a counter cannot be read")
    except (Damaged, ValueError, TypeError, InvalidValue, LimitExceeded, RecursionError) as error:
        raise DeltaRefused(why=f"a sibling cannot be read: {error}") from error
    return body.dot


def _check_body(head: DeltaHead, body: Body, told: Carried) -> None:
    exp = told.exp_ms
    _need(exp is None or _is_whole(exp, TIME_MS_MAX), "a deadline is out of range")
    _need(len(body.replica) == 32, "an id has 128 bits")
    _need(_is_whole(body.n, INTEGER_ABS_MAX) and body.n > 0, "an event has no number")
    _need(_is_whole(body.ts, head.hlc), "a timestamp is later than its sender's")
    _need(type(body.type) is int and body.type in _KINDS, "a kind of value is not known")
    _need(_is_whole(body.created_ms, TIME_MS_MAX), "a time is out of range")
    _need(type(body.size) is int and body.size == len(told.text), "a size is wrong")
    _need(body.ttl_ms is None or _is_whole(body.ttl_ms, TTL_MS_MAX), "a TTL is out of range")
    _need(_is_text(body.kind), "a label is out of range")
    for label in (body.agent, body.session, body.writer):
        _need(label is None or _is_text(label, least=0), "a label is out of range")
    tags = body.tags
    _need(len(tags) <= TAGS_MAX and len(set(tags)) == len(tags), "its tags are out of range")
    _need(all(_is_text(tag, TAG_CHARS_MAX) for tag in tags), "its tags are out of range")
    _need(_is_share(body.importance), "an importance is out of range")
    _need(body.confidence is None or _is_share(body.confidence), "a confidence is out of range")
    for count in (body.success_count, body.failure_count):
        _need(count is None or _is_whole(count, 2**63 - 1), "a count is out of range")
    _need(type(body.pinned) is bool, "a label is out of range")
    _need(body.trust in _TRUSTS, "a trust label is not known")
    _need(body.dictionary is None, "a body names a dictionary")
    if body.extra is not None:
        _need(type(body.extra) is bytes, "a label is out of range")
        extra = ormsgpack.unpackb(body.extra)
        _need(type(extra) is dict and all(type(k) is str for k in extra), "a label is no object")


def _is_whole(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _is_share(value: Any) -> bool:
    return type(value) in (float, int) and math.isfinite(value) and 0 <= value <= 1


def _is_text(value: Any, most: int = LABEL_CHARS_MAX, least: int = 1) -> bool:
    return type(value) is str and least <= len(value) <= most and "\0" not in value


def _need_seen(seen: Mapping[str, int], dot: Dot, why: str) -> None:
    _need(_is_whole(dot.n, seen.get(dot.replica, 0)) and dot.n > 0, why)


def _need(holds: bool, why: str) -> None:
    if not holds:
        raise DeltaRefused(why=why)


def _bytes_of(told: Told) -> int:
    if not isinstance(told, Carried):
        return 0
    _need(type(told.text) is bytes, "a sibling is not bytes")
    return len(told.text)


_MANY: Final = f"a key has more than {DELTA_SIBLINGS_MAX:,} siblings, or too many endings"
_MUCH: Final = f"the siblings of a key are larger than {DELTA_PATH_BYTES_MAX:,} bytes"
