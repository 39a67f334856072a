"""The state that a restore would bring: a backup's, or that of a moment between two states.

Between a backup and a later state of the same line of history, a moment is taken path by path
(`backup.moment`). What the version vector claims to have seen must be in the state; so it joins
later events only if every path is exact, and stays the backup's otherwise: a peer then sends again
what is here already, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from memtend.backup.cleansing import Ledgers
from memtend.backup.layers import Layer, State
from memtend.backup.manifest import Manifest, StoreFacts
from memtend.backup.moment import At, Path, Trail, Uncertain, by_path, states_at
from memtend.backup.root import RootHash, StateSum
from memtend.clock import to_ms
from memtend.codec.envelope import unpack
from memtend.errors import RestoreWrong
from memtend.model.stored import LogRow, SideRow, StoredRow, StoreState


class Later(NamedTuple):
    """A state after the moment, in the same line of history; `what` names it for people.

    `audit` gives the audit entries after a number.
    """

    layer: Layer
    side: Callable[[], Iterable[SideRow]]
    audit: Callable[[int], Iterable[SideRow]]
    facts: StoreState
    what: str


class Witness:
    """Count, sum and, where it is wanted, root of the rows that have passed."""

    def __init__(self, *, root: bool = True) -> None:
        self._rooted = root
        self._begin()

    def _begin(self) -> None:
        self._root = RootHash()
        self._sum = StateSum()
        self._rows = 0

    def over(self, rows: Iterable[StoredRow]) -> Iterator[StoredRow]:
        self._begin()
        for row in rows:
            self.add(row)
            yield row

    def add(self, row: StoredRow) -> None:
        if self._rooted:
            self._root.add(row)
        self._rows += 1
        self._sum.add(row)

    @property
    def found(self) -> tuple[int, str, str]:
        return self._rows, self._sum.hexdigest(), self._root.hexdigest() if self._rooted else ""


class Wished:
    """Iterators start anew at each call, and count what they leave out as they go.

    `close` lets go of the live store, where that is the later state: it could not be replaced.
    """

    def __init__(
        self,
        chosen: State,
        ledgers: Ledgers,
        later: Later | None = None,
        moment_ms: int | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.close = close
        self.chosen = chosen
        self.later = later
        self.ledgers = ledgers
        self._moment_ms = moment_ms
        self.uncertain = Uncertain()
        self.witness = Witness(root=chosen.manifest.root is not None)
        self._seen: dict[str, int] = {}

    @property
    def manifest(self) -> Manifest:
        return self.chosen.manifest

    @property
    def erased(self) -> int:
        return self.ledgers.rows

    @property
    def exact(self) -> bool:
        """Whether all that has been read is as it was at the moment asked for."""
        if self._moment_ms is None or to_ms(self.manifest.at) == self._moment_ms:
            return True
        return self.later is not None and not self.uncertain.count

    def paths(self) -> Iterator[tuple[Path, At]]:
        left = self.ledgers
        rows = left.rows_left(self.witness.over(self.chosen.rows()))
        early = by_path(rows, left.log_left(self.chosen.log()))
        if self.later is None or self._moment_ms is None:
            yield from early
            return
        self.uncertain, self._seen = Uncertain(), {}
        layer = self.later.layer
        late = by_path(self.ledgers.kept(layer.rows()), left.log_left(layer.log()))
        own = {self.manifest.store.replica, self.later.facts.replica}
        trail = Trail(self.later.audit(self.manifest.store.audit_n), self._moment_ms, own)
        for path, at, exact in states_at(early, late, self._moment_ms, trail):
            if exact:
                self._see(at)
            else:
                self.uncertain.add(path)
            yield path, at

    def rows(self) -> Iterator[StoredRow]:
        if self.later is None:
            return self.ledgers.rows_left(self.witness.over(self.chosen.rows()))
        return (row for _, at in self.paths() for row in at.rows)

    def log(self) -> Iterator[LogRow]:
        if self.later is None:
            return self.ledgers.log_left(self.chosen.log())
        return (entry for _, at in self.paths() for entry in at.log)

    def side(self) -> Iterator[SideRow]:
        """The backup's small tables; rows of a later state may need its dictionaries, too."""
        chosen = list(self.chosen.side())
        if self.later is not None:
            held = {row[:3] for row in chosen}
            more = [row for row in self.later.side() if row.table == "dictionary"]
            chosen += [row for row in more if row[:3] not in held]
        return self.ledgers.side(chosen, self.manifest.store.hlc)

    def audit(self, key: bytes) -> Iterator[SideRow]:
        return self.ledgers.audit(self.chosen.audit(), key)

    def access(self) -> Iterator[SideRow]:
        return self.ledgers.access_left(self.chosen.access())

    def facts(self) -> StoreState:
        """Asked after the rows and the log have been read."""
        facts = state_of(self.manifest.store)
        if self.later is None:
            return facts
        vv = dict(facts.vv)
        if not self.uncertain.count:
            for replica, n in self._seen.items():
                vv[replica] = max(vv.get(replica, 0), n)
        seq, hlc = max(facts.seq, self.later.facts.seq), max(facts.hlc, self.later.facts.hlc)
        return facts._replace(vv=vv, seq=seq, hlc=hlc)

    def check(self) -> None:
        """After the rows have been read: raise `RestoreWrong` unless they are what was taken."""
        manifest, (rows, total, root) = self.manifest, self.witness.found
        wrong = []
        if rows != manifest.records:
            wrong.append(f"{rows:,} records instead of {manifest.records:,}")
        if total != manifest.state_sum:
            wrong.append("another sum of all records")
        if manifest.root not in (None, root):
            wrong.append("another root hash")
        if wrong:
            raise RestoreWrong(manifest=str(self.chosen.name), why=", ".join(wrong))

    def _see(self, at: At) -> None:
        for row in at.rows:
            body = unpack(row.body)
            self._seen[body.replica] = max(self._seen.get(body.replica, 0), body.n)
        for entry in at.log:
            self._seen[entry.replica] = max(self._seen.get(entry.replica, 0), entry.n)


def state_of(facts: StoreFacts) -> StoreState:
    """The facts of a manifest as a store states them."""
    given = facts.model_dump()
    given["schema"] = given.pop("schema_version")
    given["audit_head"] = bytes.fromhex(given["audit_head"])
    given["sum"] = bytes.fromhex(given["sum"])
    return StoreState(**given)
