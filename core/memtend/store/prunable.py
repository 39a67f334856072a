"""What pruning decides on: every live record of which one value is shown, in one ordered pass.

Bodies are read, not checked against their hashes: what is to go is opened and checked before it
goes. A value is opened only where its kind says something of itself and it lies in the store; of
one in the archive its labels are known, and the rest is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import orjson
import ormsgpack

from memtend.codec.compress import Codec
from memtend.codec.envelope import QUARANTINED_FLAG, unpack
from memtend.crdt.hlc import millis
from memtend.formats import BODY_FORMAT
from memtend.model.candidate import Candidate
from memtend.upcast.facts import Facts, facts_of
from memtend.upcast.family import AML

if TYPE_CHECKING:
    from memtend.store.engine import Row
    from memtend.store.store import Store

_CODEC_BITS: Final = 15
_TYPE_BITS: Final = 0xF0
# Places in the packed list, which has the format's number in front.
_TS, _CREATED, _KIND, _AGENT = 3, 5, 8, 9
_IMPORTANCE, _CONFIDENCE, _SUCCESSES, _FAILURES, _PINNED = 12, 13, 14, 15, 16


class Survey:
    """Candidates, to be passed over once. `left_out` counts the rest when that is done, by why."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.left_out: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Candidate]:
        store, now_ms = self._store, self._store.clock.now_ms()
        with store.engine.snapshot() as reader:
            paths = {number: path for number, path, _ in reader.fetch("namespaces")}
            rows = reader.stream("stream_prunable", (store.engine.array(sorted(AML.kinds)),))
            for row in self._alone(rows):
                ns, key, _, seq, exp, flags, size, packed, count, read_ms, value = row
                if exp is not None and exp <= now_ms:
                    continue
                try:
                    body = ormsgpack.unpackb(packed)
                    if body[0] != BODY_FORMAT:
                        continue
                    kind = body[_KIND]
                    facts = None if value is None else self._facts(kind, flags, packed, value)
                    found = Candidate(
                        seq, paths[ns], key, kind, body[_AGENT], body[_IMPORTANCE],
                        body[_CONFIDENCE], body[_SUCCESSES], body[_FAILURES], body[_PINNED],
                        body[_CREATED], millis(body[_TS]), exp, read_ms, count or 0, size,
                        flags & _CODEC_BITS == Codec.ARCHIVED, facts,
                    )  # fmt: skip
                except (ValueError, TypeError, LookupError):
                    self.left_out["damaged"] += 1  # `verify` finds it, and names it
                    continue
                yield found

    def _alone(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Rows of plain values with no sibling beside them, shown to readers."""
        before: Row | None = None
        beside = False
        for row in rows:
            if before is not None and before[1] == row[1] and before[0] == row[0]:
                beside = True
                continue
            if before is not None and self._is_shown(before, beside):
                yield before
            before, beside = row, False
        if before is not None and self._is_shown(before, beside):
            yield before

    def _is_shown(self, row: Row, beside: bool) -> bool:
        flags = row[5]
        if not (beside or flags & (QUARANTINED_FLAG | _TYPE_BITS) or row[2]):
            return True
        why = "sibling" if beside and not row[2] else "counter or set"
        self.left_out["quarantined" if flags & QUARANTINED_FLAG else why] += 1
        return False

    def _facts(self, kind: str, flags: int, packed: bytes, value: bytes) -> Facts | None:
        if flags & _CODEC_BITS:
            value = self._store.text_of(unpack(bytes(packed)), flags & _CODEC_BITS, bytes(value))
        return facts_of(kind, orjson.loads(value))
