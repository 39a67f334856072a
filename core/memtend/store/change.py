"""One write transaction being composed: what it drops, adds, counts and says in the audit trail.

Everything is gathered first and written at the end, in a fixed order and as few statements as
there are kinds of rows. Each mutation mints one dot and one sequence number (CRDT_SPEC 1.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ormsgpack
from xxhash import xxh3_128_digest

from memtend.codec.address import read_address
from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import (
    PLAIN_EDGE,
    QUARANTINED,
    Body,
    edge_of,
    flags_of,
    path_of,
    prefix_of,
    row_hash,
)
from memtend.codec.statesum import addend, pack_sum
from memtend.crdt.hlc import tick
from memtend.formats import BODY_FORMAT
from memtend.model.dot import Dot
from memtend.store.audit import Entry, seal
from memtend.store.drafts import (
    AGENT,
    KIND,
    SESSION,
    TAGS,
    TRUST,
    WRITER,
    Described,
    Draft,
    Old,
    pack_extra,
)
from memtend.store.engine import Row, Transaction
from memtend.store.meta import Meta, crc_of

__all__ = [
    "AGENT",
    "KIND",
    "SESSION",
    "TAGS",
    "TRUST",
    "WRITER",
    "Change",
    "Described",
    "Draft",
    "Old",
    "pack_extra",
]


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
        self._replica_id = bytes.fromhex(replica)
        self._seal_key = key
        self._actor = actor
        self.n, self.seq, self.hlc = meta.n, meta.seq, meta.hlc
        self.rows, self.size = meta.rows, meta.size
        self.sum = addend(meta.sum)
        self.config = meta.config
        self._inserts: list[Row] = []
        self._drops: list[int] = []
        self._tags: list[Row] = []
        self._untags: list[Row] = []
        self._logs: list[Row] = []
        self._shares: dict[tuple[str, str | None, str | None], list[int]] = {}
        self._tiers: dict[str, list[int]] = {}
        self._totals: dict[tuple[str, str], tuple[int, int]] | None = None
        self._audit: list[tuple[str, str]] = []
        self.contested: set[int] = set()
        """Namespaces in which this change leaves siblings beside what it writes."""

    def mint(self) -> Dot:
        """The dot of the next mutation; `seq` and `hlc` advance with it."""
        self.n = n = self.n + 1
        self.seq += 1
        self.hlc = tick(self.hlc, self.now_ms)
        return Dot(self._replica, n)

    def drop(self, old: Old, namespace: str, *, taken: bool = False) -> Body | None:
        """Take a stored sibling out (`taken`: a statement has). The caller mints or logs why."""
        body = old.unpacked()
        if not taken:
            self._drops.append(old.seq)
        self.sum -= addend(old.hash)
        if codec := old.flags & 15:
            self._count_tier(codec, -1, old.size, old.stub)
        if body is None:
            self._count(namespace, None, None, -1, -old.size)
        else:
            self._count(namespace, body.agent, body.session, -1, -old.size)
            self._untags += [(tag, old.seq) for tag in body.tags]
        return body

    def add(
        self,
        ns: tuple[int, bytes],
        draft: Draft,
        labels: Described,
        created_ms: int,
        exp: int | None,
        extra: bytes | None,
    ) -> None:
        """Insert a sibling under the dot and sequence number minted last."""
        namespace, key, field, data, codec, dictionary, text_size, content = draft[:8]
        kind, n, seq, agent = draft.type, self.n, self.seq, labels[AGENT]
        packed = ormsgpack.packb(
            (BODY_FORMAT, self._replica_id, n, self.hlc, kind, created_ms, text_size,
             draft.ttl_ms, *labels, dictionary, extra)
        )  # fmt: skip
        flags = flags_of(codec, kind, quarantined=labels[TRUST] == QUARANTINED)
        path = path_of(key, field) if field else key.encode()
        edge = PLAIN_EDGE if flags == 0 and exp is None else edge_of(flags, exp)
        digest = xxh3_128_digest(b"".join((ns[1], path, edge, packed, data)))
        size = len(packed) + len(data)
        self.sum += addend(digest)
        if codec:
            self._count_tier(codec, 1, size, data)
        self._inserts.append(
            (seq, ns[0], key, field, self.meta.replica_no, n, exp, flags, labels[KIND], agent,
             labels[WRITER], content, size, packed, data, digest)
        )  # fmt: skip
        self._count(namespace, agent, labels[SESSION], 1, size)
        if tags := labels[TAGS]:
            self._tags += [(tag, seq) for tag in tags]

    def insert(self, namespace: str, body: Body, columns: Row) -> None:
        """Insert a sibling whose event was minted elsewhere or before: all columns but `seq` and
        `hash`. It gets the next sequence number."""
        _, key, field, _, _, exp, flags, _, _, _, _, size, packed, value = columns
        self.seq += 1
        digest = row_hash(prefix_of(namespace), path_of(key, field), flags, exp, packed, value)
        self.sum += addend(digest)
        if codec := flags & 15:
            self._count_tier(codec, 1, size, value)
        self._count(namespace, body.agent, body.session, 1, size)
        self._tags += [(tag, self.seq) for tag in body.tags]
        self._inserts.append((self.seq, *columns, digest))

    def log(
        self,
        ns: int,
        key: str,
        field: str,
        dot: tuple[int, int],
        why: str,
        at_ms: int | None = None,
    ) -> None:
        """Remember an event whose sibling is gone, under the sequence number minted last."""
        r, n = dot
        row = (ns, key, field, r, n, self.seq, self.now_ms if at_ms is None else at_ms, why)
        self._logs.append((*row, crc_of(row)))

    def note(self, action: str, detail: str) -> None:
        self._audit.append((action, detail))

    def tallies(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Rows and bytes by which each namespace, agent and session grows or shrinks."""
        if self._totals is not None:
            return self._totals
        totals: dict[tuple[str, str], tuple[int, int]] = {}
        self._totals = totals
        for share, (rows, size) in self._shares.items():
            for scope, name in zip(("ns", "agent", "session"), share, strict=True):
                if name is not None:
                    had = totals.get((scope, name), (0, 0))
                    totals[scope, name] = (had[0] + rows, had[1] + size)
        for name, (rows, size) in self._tiers.items():
            totals["tier", name] = (rows, size)
        return totals

    def begin_line(self, number: int, replica: str) -> None:
        """From here on write under another id, whose row is there already."""
        self.meta = self.meta._replace(replica_no=number, n=0)
        self.n, self._replica, self._replica_id = 0, replica, bytes.fromhex(replica)
        self.tx.run("save_meta", self.meta.params())

    def write_rows(self) -> None:
        """Write the records gathered so far."""
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
            from memtend.store.ghosts import lay  # noqa: PLC0415 — a put needs none of it

            run_many("log", self._logs)
            lay(self.tx, self._logs)
        self._drops, self._untags, self._inserts, self._tags, self._logs = [], [], [], [], []

    def flush(self) -> None:
        """Write everything. The order matters to no reader: it is one transaction."""
        self.write_rows()
        run, run_many = self.tx.run, self.tx.run_many
        tallies = [(*share, *grown) for share, grown in self.tallies().items() if any(grown)]
        if tallies:
            run_many("tally", tallies)
        audit_n, head = self._write_audit()
        meta = self.meta._replace(
            hlc=self.hlc, seq=self.seq, n=self.n, rows=self.rows, size=self.size,
            sum=pack_sum(self.sum), audit_n=audit_n, audit_head=head,
            config=self.config,
        )  # fmt: skip
        run("advance_meta", (*meta[4:13], crc_of(meta)))

    def _write_audit(self) -> tuple[int, bytes]:
        n, head = self.meta.audit_n, bytes(self.meta.audit_head)
        for action, detail in self._audit:
            n += 1
            entry = Entry(n, self.now_ms, action, self._actor, detail)
            head = seal(self._seal_key, head, entry)
            self.tx.run("audit", (*entry, head))
        return n, head

    def grow(self, namespace: str, agent: str | None, session: str | None, size: int) -> None:
        """Rows of this share were replaced one by one, and take so many bytes more."""
        self._count(namespace, agent, session, 0, size)

    def grow_warm(self, rows: int, size: int) -> None:
        """So many more of the rows that were replaced are compressed."""
        self._totals = None
        tier = self._tiers.setdefault("warm", [0, 0])
        tier[0], tier[1] = tier[0] + rows, tier[1] + size

    def _count(
        self, namespace: str, agent: str | None, session: str | None, rows: int, size: int
    ) -> None:
        self.rows += rows
        self.size += size
        self._totals = None
        share = self._shares.get((namespace, agent, session))
        if share is None:
            self._shares[namespace, agent, session] = [rows, size]
        else:
            share[0] += rows
            share[1] += size

    def _count_tier(self, codec: int, rows: int, size: int, stub: bytes | None) -> None:
        """Plain rows are not counted: they are what the others leave of the total."""
        self._totals = None
        if codec != Codec.ARCHIVED:
            self._grow_tier("warm", rows, size)
            return
        self._grow_tier("cold", rows, size)
        try:
            address = read_address(bytes(stub or b""))
        except Damaged:
            return  # `verify` finds such a row, and the totals that it leaves too high
        self._grow_tier("cold before", rows, address.was_bytes)
        self._grow_tier("cold kept", rows, address.kept_bytes)

    def _grow_tier(self, name: str, rows: int, size: int) -> None:
        tier = self._tiers.setdefault(name, [0, 0])
        tier[0] += rows
        tier[1] += size * rows
