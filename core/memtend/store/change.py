"""One write transaction being composed: what it drops, adds, counts and says in the audit trail.

Everything is gathered first and written at the end, in a fixed order and as few statements as
there are kinds of rows. Each mutation mints one dot and one sequence number (CRDT_SPEC 1.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import ormsgpack

from memtend.codec.compress import Damaged
from memtend.codec.envelope import Body, flags_of, path_of, row_hash, unpack
from memtend.crdt.hlc import millis, tick
from memtend.errors import QuotaExceeded
from memtend.model.dot import Dot
from memtend.store.audit import Entry, seal
from memtend.store.engine import Row, Transaction
from memtend.store.meta import Meta, crc_of


class Old(NamedTuple):
    """A stored sibling that a write may replace, in the column order of statement `old`."""

    seq: int
    n: int
    exp: int | None
    flags: int
    size: int
    body: bytes
    key: str
    field: str
    ns: int
    r: int

    def unpacked(self) -> Body | None:
        """The body, or None where it is damaged: such a row can still be replaced or deleted."""
        try:
            return unpack(self.body)
        except Damaged:
            return None


class Stored(NamedTuple):
    """A value made ready outside the write lock: checked, encoded, compressed, hashed."""

    data: bytes
    codec: int
    dictionary: int | None
    size: int
    content: int


class Change:
    """`now_ms` is read once; every dot of the change gets its own timestamp above the last."""

    def __init__(
        self,
        tx: Transaction,
        meta: Meta,
        replica: str,
        now_ms: int,
        key: bytes,
        actor: str,
        array: Callable[[Sequence[int]], Any],
    ) -> None:
        self._array = array
        self.tx = tx
        self.meta = meta
        self.now_ms = now_ms
        self._replica = replica
        self._seal_key = key
        self._actor = actor
        self.n, self.seq, self.hlc = meta.n, meta.seq, meta.hlc
        self.rows, self.size = meta.rows, meta.size
        self.config = meta.config
        self._inserts: list[Row] = []
        self._drops: list[int] = []
        self._tags: list[Row] = []
        self._untags: list[Row] = []
        self._logs: list[Row] = []
        self._tallies: dict[tuple[str, str], tuple[int, int]] = {}
        self._audit: list[tuple[str, str]] = []

    def mint(self) -> Dot:
        """The dot of the next mutation; `seq` and `hlc` advance with it."""
        self.n += 1
        self.seq += 1
        self.hlc = tick(self.hlc, self.now_ms)
        return Dot(self._replica, self.n)

    def drop(self, old: Old, namespace: str) -> Body | None:
        """Take a stored sibling out. The caller mints, or logs, the event that does so."""
        body = old.unpacked()
        self._drops.append(old.seq)
        if body is None:
            self._count(namespace, None, None, -1, -old.size)
        else:
            self._count(namespace, body.agent, body.session, -1, -old.size)
            self._untags += [(tag, old.seq) for tag in body.tags]
        return body

    def add(
        self,
        ns: int,
        prefix: bytes,
        namespace: str,
        path: tuple[str, str],
        value: Stored,
        body: Body,
        exp: int | None,
    ) -> None:
        """Insert a sibling under the dot and sequence number minted last."""
        key, field = path
        packed = body.pack()
        flags = flags_of(value.codec, body.type, quarantined=body.trust == "quarantined")
        digest = row_hash(prefix, path_of(key, field), flags, exp, packed, value.data)
        size = len(packed) + len(value.data)
        self._inserts.append(
            (self.seq, ns, key, field, self.meta.replica_no, body.n, exp, flags, body.kind,
             body.agent, body.writer, value.content, size, packed, value.data, digest)
        )  # fmt: skip
        self._count(namespace, body.agent, body.session, 1, size)
        self._tags += [(tag, self.seq) for tag in body.tags]

    def log(self, ns: int, key: str, field: str, dot: tuple[int, int], why: str) -> None:
        """Remember an event whose sibling is gone, under the sequence number minted last."""
        r, n = dot
        row = (ns, key, field, r, n, self.seq, self.now_ms, why)
        self._logs.append((*row, crc_of(row)))

    def note(self, action: str, detail: str) -> None:
        self._audit.append((action, detail))

    def grown(self) -> Iterable[tuple[str, str, int]]:
        """`(scope, name, bytes)` of everything that this change makes larger."""
        return ((scope, name, by) for (scope, name), (_, by) in self._tallies.items() if by > 0)

    def check_quota(self, scope: str, name: str, limit: int, held: int) -> None:
        would = held + self._tallies.get((scope, name), (0, 0))[1]
        if would > limit:
            raise QuotaExceeded(scope=scope, name=name, would=would, limit=limit)

    @property
    def expires_base_ms(self) -> int:
        """Deadlines count from the timestamp of the write (CRDT_SPEC 6.1)."""
        return millis(self.hlc)

    def flush(self) -> None:
        """Write everything. The order matters to no reader: it is one transaction."""
        run, run_many = self.tx.run, self.tx.run_many
        if len(self._drops) == 1:
            run("delete", (self._drops[0],))
        elif self._drops:
            run("delete_many", (self._array(self._drops),))
        if self._untags:
            run_many("untag", self._untags)
        if len(self._inserts) == 1:
            run("insert", self._inserts[0])
        elif self._inserts:
            run_many("insert", self._inserts)
        if self._tags:
            run_many("tag", self._tags)
        if self._logs:
            run_many("log", self._logs)
        for (scope, name), (rows, size) in self._tallies.items():
            if rows or size:
                run("tally", (scope, name, rows, size))
        audit_n, head = self._write_audit()
        meta = self.meta._replace(
            hlc=self.hlc, seq=self.seq, n=self.n, rows=self.rows, size=self.size,
            audit_n=audit_n, audit_head=head, config=self.config,
        )  # fmt: skip
        run("advance_meta", (*meta[4:12], crc_of(meta)))

    def _write_audit(self) -> tuple[int, bytes]:
        n, head = self.meta.audit_n, bytes(self.meta.audit_head)
        for action, detail in self._audit:
            n += 1
            entry = Entry(n, self.now_ms, action, self._actor, detail)
            head = seal(self._seal_key, head, entry)
            self.tx.run("audit", (*entry, head))
        return n, head

    def _count(
        self, namespace: str, agent: str | None, session: str | None, rows: int, size: int
    ) -> None:
        self.rows += rows
        self.size += size
        tallies = self._tallies
        for scope in (("ns", namespace), ("agent", agent), ("session", session)):
            if scope[1] is not None:
                had = tallies.get(scope, (0, 0))  # type: ignore[arg-type]
                tallies[scope] = (had[0] + rows, had[1] + size)  # type: ignore[index]


def pack_extra(extra: dict[str, object]) -> bytes | None:
    return ormsgpack.packb(extra) if extra else None
