"""Lines of history within one transaction: their numbers, what is seen of them, their floors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from memtend.crdt.causal import join
from memtend.errors import LimitExceeded
from memtend.limits import REPLICAS_MAX
from memtend.store.interned import replica_row
from memtend.store.meta import crc_of

if TYPE_CHECKING:
    from memtend.store.change import Change
    from memtend.store.engine import Row


class Lines:
    """`seen` is the version vector at the beginning of the transaction, `own` who writes now."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._rows: dict[str, Row] = {row[1]: row[:5] for row in change.tx.fetch("replicas")}
        self.ids: dict[int, str] = {row[0]: replica for replica, row in self._rows.items()}
        self.own = self.ids[change.meta.replica_no]
        self.seen = {replica: row[2] for replica, row in self._rows.items() if row[2]}
        self.floor = {replica: row[3] for replica, row in self._rows.items() if row[3]}
        if change.n:
            self.seen[self.own] = change.n

    def number(self, replica: str) -> int:
        """The number of a replica, given now if it has none."""
        row = self._rows.get(replica)
        if row is None:
            number = max(self.ids) + 1
            if len(self.ids) >= REPLICAS_MAX:
                what, limit = "replicas", REPLICAS_MAX
                raise LimitExceeded(what=what, name=replica, actual=number, limit=limit)
            row = (number, replica, 0, 0, self._change.now_ms)
            self._change.tx.run("add_replica", replica_row(*row))
            self._rows[replica], self.ids[number] = row, replica
        return int(row[0])

    def begin(self, fresh: str) -> None:
        """End our own line and begin another under a fresh id."""
        change, ended = self._change, self.own
        self._save(ended, change.n, self._rows[ended][3])
        change.begin_line(self.number(fresh), fresh)
        self.own = fresh

    def advance(self, vv: Mapping[str, int], floor: Mapping[str, int]) -> dict[str, int]:
        """Join vectors into what is seen and let go of; returns all that is seen now."""
        own = {self.own: self._change.n} if self._change.n else {}
        seen, let_go = join(join(self.seen, vv), own), join(self.floor, floor)
        for replica in sorted({*seen, *let_go}):
            self.number(replica)
            row = self._rows[replica]
            # Our own events are counted in the meta row.
            upto = row[2] if replica == self.own else seen.get(replica, 0)
            if (upto, let_go.get(replica, 0)) != row[2:4]:
                self._save(replica, upto, let_go.get(replica, 0))
        return seen

    def _save(self, replica: str, seen: int, floor: int) -> None:
        number, _, _, _, created_ms = self._rows[replica]
        row = self._rows[replica] = (number, replica, seen, floor, created_ms)
        self._change.tx.run("save_replica", (seen, floor, crc_of(row), number))
