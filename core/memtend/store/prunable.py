"""What pruning decides on: every live record, in one ordered pass.

Bodies are read, not checked against their hashes: what is to go is opened and checked before it
goes. A value is opened only when a rule asks what it says of itself, and only if it lies in the
store; of one in the archive its labels are known, and the rest is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Final

import orjson
import ormsgpack

from memtend.codec.compress import Codec
from memtend.codec.envelope import QUARANTINED_FLAG, type_of, unpack
from memtend.crdt.hlc import COUNTER_BITS
from memtend.crdt.rows import RowKind
from memtend.formats import BODY_FORMAT
from memtend.model.candidate import Candidate
from memtend.model.shard import WHOLE, Shard
from memtend.store.shards import numbers_in
from memtend.upcast.facts import Said
from memtend.upcast.family import AML

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Row
    from memtend.store.store import Store

_CODEC_BITS: Final = 15
_ARCHIVED: Final = int(Codec.ARCHIVED)
_END: Final = (None, None)
"""Stands behind the last row, and beside none."""
# Places in the packed list, which has the format's number in front.
_TS, _CREATED, _KIND, _AGENT = 3, 5, 8, 9
_IMPORTANCE, _CONFIDENCE, _SUCCESSES, _FAILURES, _PINNED = 12, 13, 14, 15, 16


class Survey:
    """Candidates, to be passed over once. `left_out` then counts what cannot be read.

    Only items of `kinds` come with what they say of themselves. Those of one `shard` are a part;
    `now_ms` is when they are looked at, so that parts go by the same time.
    """

    def __init__(
        self,
        store: Store,
        kinds: Collection[str] = AML.kinds,
        shard: Shard = WHOLE,
        now_ms: int | None = None,
    ) -> None:
        self._store = store
        self._kinds = sorted(kinds)
        self._shard = shard
        self._now_ms = store.clock.now_ms() if now_ms is None else now_ms
        self.left_out: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Candidate]:
        store, now_ms = self._store, self._now_ms
        unpackb, new, loads = ormsgpack.unpackb, tuple.__new__, orjson.loads
        with store.engine.snapshot() as reader:
            paths = numbers_in(reader, self._shard)
            rows = self._rows(reader, sorted(paths))
            beside = False
            for row, after in pairwise(chain(rows, (_END,))):
                ns, key, field, seq, exp, flags, size, packed, count, read_ms, value = row
                same = after[1] == key and after[0] == ns
                alone, beside = not (beside or same), same
                if exp is not None and exp <= now_ms:
                    continue
                try:
                    body = unpackb(packed)
                    if body[0] != BODY_FORMAT:
                        raise ValueError(body[0])
                    kind = body[_KIND]
                    said = held = None
                    codec = flags & _CODEC_BITS
                    if value is not None:
                        if codec:
                            said = Said(kind, self._load, (codec, packed, value))
                        else:
                            said = Said(kind, loads, value)
                    if not alone or field or flags > _CODEC_BITS:
                        held = _held(flags, field, alone=alone)
                    yield new(Candidate, (
                        seq, paths[ns], key, kind, body[_AGENT], body[_IMPORTANCE],
                        body[_CONFIDENCE], body[_SUCCESSES], body[_FAILURES], body[_PINNED],
                        body[_CREATED], body[_TS] >> COUNTER_BITS, exp, read_ms, count or 0, size,
                        codec == _ARCHIVED, said, held,
                    ))  # fmt: skip
                except (ValueError, TypeError, LookupError):
                    self.left_out["damaged"] += 1  # `verify` finds it, and names it

    def _rows(self, reader: Reader, numbers: list[int]) -> Iterator[Row]:
        array = self._store.engine.array
        if self._shard.is_whole:
            return reader.stream("stream_prunable", (array(self._kinds),))
        return reader.stream("stream_prunable_of", (array(self._kinds), array(numbers)))

    def _load(self, stored: tuple[int, bytes, bytes]) -> Any:
        codec, packed, value = stored
        return orjson.loads(self._store.text_of(unpack(bytes(packed)), codec, bytes(value)))


def _held(flags: int, field: str, *, alone: bool) -> str | None:
    """Why nothing is decided of it, in a word."""
    kind = type_of(flags)
    if flags & QUARANTINED_FLAG:
        return "quarantined"
    if kind == RowKind.COUNTER:
        return "counter"
    if field or kind != RowKind.PLAIN:
        return "set"
    return None if alone else "siblings"
