"""Write what a cleared plan says, in slices, each a short transaction under the lease's fence.

Order: 1 read a page, cast, encode and compress it, without any lock; 2 take out what is still there
of it and put the new versions in, with how far the run has come, in one transaction; 3 go on behind
the last row. A crash leaves whole slices: whatever is written says so itself, has a number above
the plan's basis, and is not looked at again. Running again does the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from memtend.limits import MIGRATION_REFUSALS_MAX, SLICE_ROWS_MAX
from memtend.migrate.casting import Backward, Forward, Look, Move
from memtend.migrate.parts import Refusal
from memtend.migrate.sums import Sums
from memtend.slices import Slices
from memtend.store import recasting
from memtend.store.recasting import Renewed, Written, pages

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.migrations import Migration
    from memtend.store.restating import Squeezed
    from memtend.store.store import Store

Squeeze = Callable[[str, str, str, bytes], "Squeezed"]
"""Namespace, key, kind and text to what is stored, as the policies want it."""
_FIRST_ROWS: Final = 128
_LAST_ROWS: Final = 16


@dataclass
class Progress:
    """How far a run has come. `cursor` is the last old row that it has dealt with for good."""

    cursor: int = 0
    written: int = 0
    refused: int = 0
    grown: int = 0
    slices: int = 0
    longest_ms: float = 0.0
    sums: Sums = field(default_factory=Sums)
    kept: list[Refusal] = field(default_factory=list)
    moves: dict[Move, int] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """For the history, so that a run that was cut off goes on where it was."""
        return {
            "cursor": self.cursor,
            "written": self.written,
            "refused": self.refused,
            "grown_bytes": self.grown,
            "sums": self.sums.told(),
        }

    @classmethod
    def heard(cls, facts: dict[str, Any]) -> Progress:
        return cls(
            cursor=int(facts.get("cursor", 0)),
            written=int(facts.get("written", 0)),
            refused=int(facts.get("refused", 0)),
            grown=int(facts.get("grown_bytes", 0)),
            sums=Sums.heard(facts.get("sums", [])),
        )


class Recasting:
    """One run over a store, forward or back. `run` is its line of the history."""

    def __init__(
        self,
        store: Store,
        looker: Forward | Backward,
        run: Migration,
        *,
        squeeze: Squeeze,
        lease: Lease | None,
    ) -> None:
        self._store = store
        self._looker = looker
        self._squeeze = squeeze
        self._lease = lease
        self._slices = Slices(store.clock, first=_FIRST_ROWS, least=_LAST_ROWS, share=0.5)
        self.facts: dict[str, Any] = orjson.loads(run.facts)
        self.progress = Progress.heard(self.facts)
        self.run = run

    def work(self, upto: int) -> Progress:
        """Everything that was written up to `upto`. Raises where the lease is lost."""
        page_rows = SLICE_ROWS_MAX
        for page in pages(self._store, self._looker.kinds, self.progress.cursor, upto, page_rows):
            part: list[Renewed] = []
            for aged in page:
                look = self._looker(aged)
                if look is None:
                    continue
                if look.move is not Move.CAST:
                    self._stays(look)
                    continue
                part.append(self._renewed(look))
                if len(part) >= self._slices.size:
                    self._write(part, aged.seq)
                    part = []
            if part:
                self._write(part, page[-1].seq)
        return self.progress

    def _stays(self, look: Look) -> None:
        """Count it, and name the first of those that nobody may have expected."""
        progress, aged = self.progress, look.aged
        progress.moves[look.move] = progress.moves.get(look.move, 0) + 1
        if look.move not in (Move.REFUSED, Move.EDITED, Move.MOVED_ON):
            return
        progress.refused += look.move is Move.REFUSED
        if len(progress.kept) < MIGRATION_REFUSALS_MAX:
            progress.kept.append(
                Refusal(
                    namespace=aged.namespace, key=aged.row[2], seq=aged.seq,
                    kind=look.kind, why=look.why,
                )
            )  # fmt: skip

    def _renewed(self, look: Look) -> Renewed:
        aged = look.aged
        data, codec, dictionary = self._squeeze(
            aged.namespace, aged.row[2], look.kind, look.text
        )  # fmt: skip
        return Renewed(aged, len(look.text), look.content, data, codec, dictionary, look.extra)

    def _write(self, part: list[Renewed], upto: int) -> None:
        """`upto` is the last row that was looked at."""
        progress = self.progress

        def recorded(written: Written) -> Migration:
            progress.cursor = upto
            progress.written += len(written.seqs)
            progress.grown += written.grown_bytes
            for one in part:
                seq = one.aged.seq
                if seq in written.seqs:
                    progress.sums.add(seq, one.content)
            facts = orjson.dumps(self.facts | progress.told()).decode()
            return self.run._replace(facts=facts)

        note = f"{{rows}} records, {self.run.wanted}, run {self.run.run}"
        self._slices.timed(
            recasting.renew, self._store, part, lease=self._lease, note=note, recorded=recorded
        )
        progress.slices += 1
        progress.longest_ms = max(progress.longest_ms, self._slices.longest_ms)
