"""Bringing parts of a store back: what differs from a backup is written again as new events.

Nothing is taken away: records added since stay, and so do set elements. A record comes back with
its labels, its creation time and its deadline (a deadline that has passed brings nothing back), all
its siblings beside each other, and the newest of them last. A counter is moved by the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import ormsgpack

from memtend.backup.moment import At, Path, joined
from memtend.backup.restore_plan import Scope
from memtend.codec.address import read_address
from memtend.codec.compress import Codec, compress, decompress
from memtend.codec.envelope import LABELS, Body, codec_of, content_of, type_of, unpack
from memtend.crdt import tally
from memtend.crdt.rows import RowKind, Sibling
from memtend.limits import ZSTD_LEVEL
from memtend.model.stored import SideRow, StoredRow
from memtend.store.change import Draft

TextOf = Callable[[Body, int, bytes], bytes]


class Again(NamedTuple):
    """What to do about one path: write `drafts`, or move a counter `by` so much.

    `new`: nothing is visible there now. `size` is what comes, as stored.
    """

    path: Path
    drafts: tuple[Draft, ...]
    by: int
    new: bool
    seq: int
    size: int


class Reassertion:
    """Compares path by path, and counts what needs nothing done."""

    def __init__(self, scope: Scope, now_ms: int, theirs: TextOf, ours: TextOf) -> None:
        self._scope = scope
        self._now_ms = now_ms
        self._theirs, self._ours = theirs, ours
        self.unchanged = self.expired = self.rows = self.archived = 0

    def over(
        self, wished: Iterable[tuple[Path, At]], live: Iterable[tuple[Path, At]]
    ) -> Iterator[Again]:
        for path, there, here in joined(wished, live):
            if there is not None and self._scope.covers(path[0], path[1]):
                found = self._compare(path, there.rows, here.rows if here else ())
                if found is not None:
                    yield found

    def _compare(
        self, path: Path, there: Sequence[StoredRow], here: Sequence[StoredRow]
    ) -> Again | None:
        agent = self._scope.agent
        rows = list(there)  # of a record that is partly of this agent, all: a part is not its value
        if not any(agent is None or unpack(row.body).agent == agent for row in rows):
            return None
        self.rows += len(rows)
        visible = self._visible(rows)
        if not visible:
            self.expired += 1
            return None
        self.archived += any(codec_of(row.flags) == Codec.ARCHIVED for row in visible)
        shown = self._visible(here)
        seq, size = visible[-1].seq, sum(len(row.body) + len(row.value) for row in visible)
        if type_of(visible[0].flags) == RowKind.COUNTER:
            by = self._count(visible, self._theirs) - self._count(shown, self._ours)
            if not by:
                self.unchanged += 1
                return None
            return Again(path, (), by, not shown, seq, size)
        wanted = {self._meaning(row, self._theirs) for row in visible}
        if wanted == {self._meaning(row, self._ours) for row in shown}:
            self.unchanged += 1
            return None
        visible.sort(key=lambda row: unpack(row.body).ts)
        drafts = tuple(self._draft(row, first=number == 0) for number, row in enumerate(visible))
        return Again(path, drafts, 0, not shown, seq, size)

    def _visible(self, rows: Sequence[StoredRow]) -> list[StoredRow]:
        now_ms = self._now_ms
        if any(type_of(row.flags) == RowKind.COUNTER for row in rows):
            parts = [row for row in rows if type_of(row.flags) == RowKind.COUNTER]
            return parts if any(row.exp_ms is None or row.exp_ms > now_ms for row in parts) else []
        return [row for row in rows if row.exp_ms is None or now_ms < row.exp_ms]

    def _count(self, rows: Sequence[StoredRow], text_of: TextOf) -> int:
        parts = []
        for row in rows:
            body = unpack(row.body)
            text = text_of(body, codec_of(row.flags), row.value)
            if type_of(row.flags) == RowKind.COUNTER:
                parts.append(Sibling(body.dot, body.ts, None, text, RowKind.COUNTER))
        return tally.value(parts, 0) or 0

    def _meaning(self, row: StoredRow, text_of: TextOf) -> tuple[Any, ...]:
        """What a reader sees, whoever wrote it when."""
        body, codec = unpack(row.body), codec_of(row.flags)
        archived = codec == Codec.ARCHIVED
        text = read_address(row.value).digest if archived else text_of(body, codec, row.value)
        return archived, body.type, row.exp_ms, tuple(body)[LABELS], body.extra, text

    def _draft(self, row: StoredRow, *, first: bool) -> Draft:
        """The first replaces what is there; the others have seen nothing, and so stand beside."""
        body, codec = unpack(row.body), codec_of(row.flags)
        if codec == Codec.ARCHIVED:
            data, content = row.value, row.content
        else:
            text = self._theirs(body, codec, row.value)
            data, codec, content = text, Codec.RAW, content_of(text)
            if codec_of(row.flags) != Codec.RAW:
                data, codec = compress(text, ZSTD_LEVEL), Codec.ZSTD
        return Draft(
            row.namespace, row.key, row.field, data, codec, None, body.size, content,
            tuple(body)[LABELS], body.extra, body.ttl_ms if row.exp_ms is not None else None,
            body.type, row.exp_ms, body.created_ms, None if first else {},
        )  # fmt: skip


def opener(side: Iterable[SideRow]) -> TextOf:
    """Opens values of a backup with the dictionaries that came with it."""
    import zstandard  # noqa: PLC0415 — most stores have no dictionary

    found = {
        int(row.name): zstandard.ZstdCompressionDict(ormsgpack.unpackb(row.cells)[1])
        for row in side
        if row.table == "dictionary"
    }

    def text_of(body: Body, codec: int, data: bytes) -> bytes:
        dictionary = None if body.dictionary is None else found.get(body.dictionary)
        return decompress(codec, data, body.size, dictionary)

    return text_of
