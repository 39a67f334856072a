"""Verify the live store: every byte that matters is recomputed or compared.

The engine's own check covers pages and indexes. Every row is hashed, its columns are compared
with its body, totals and tags are counted again, small tables are held against their checksums,
and the audit chain is followed from the first entry to the head.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from xxhash import xxh3_128_intdigest

from memtend.codec.address import read_address
from memtend.codec.compress import Codec
from memtend.codec.envelope import codec_of, path_of, prefix_of, row_hash, unpack
from memtend.codec.statesum import addend, pack_sum
from memtend.errors import AuditBroken, MemtendError
from memtend.limits import FINDINGS_MAX
from memtend.model.findings import StoreFinding, StoreVerifyReport
from memtend.store import messages_checks
from memtend.store.audit import check_chain
from memtend.store.engine import Reader, Row
from memtend.store.meta import Meta, crc_of
from memtend.store.rowcheck import RowCheck

if TYPE_CHECKING:
    from memtend.store.store import Store

CHECKED_TABLES = ("access", "access_grant", "access_log", "alert", "catalog", "delivery",
                  "dictionary", "erasure", "ghost", "inbox", "lane", "lease", "lease_accepted",
                  "lease_grant", "lease_ticket", "log_rows", "member", "message", "metric",
                  "migration", "model", "op", "peer", "pruning", "regret", "replica", "setting",
                  "silence", "trial")  # fmt: skip


def verify_store(store: Store) -> StoreVerifyReport:
    """Look at everything; damage is reported, never raised."""
    return _Verification(store).run()


class _Pairs:
    """Tags with the rows they are of, as their number and the sum of their hashes: two sets that
    are equal are known to be, without either in memory."""

    def __init__(self) -> None:
        self.count = self.sum = 0

    def add(self, tag: object, seq: object) -> None:
        self.count += 1
        self.sum += xxh3_128_intdigest(f"{seq} {tag!r}".encode("utf-8", "surrogatepass"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pairs) and (self.count, self.sum) == (other.count, other.sum)

    __hash__ = None  # type: ignore[assignment]


class _Verification:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: list[StoreFinding] = []
        self._count = 0
        self._rows = 0
        self._audit = 0
        self._paths: dict[int, str] = {}
        self._replicas: dict[int, str] = {}
        self._tags = _Pairs()
        self._totals: Counter[tuple[str, str]] = Counter()
        self._sizes: Counter[tuple[str, str]] = Counter()
        self._highest: Counter[str] = Counter()
        self._sum = 0

    def run(self) -> StoreVerifyReport:
        clock = self._store.clock
        began = clock.monotonic_ns()
        for step in (self._check_engine, self._check_tables):
            try:
                step()
            except (MemtendError, ValueError, TypeError, KeyError) as error:
                self._find("store", f"{step.__name__.removeprefix('_check_')}: {error}")
        return StoreVerifyReport(
            rows=self._rows,
            audit_entries=self._audit,
            damage_count=self._count,
            findings=tuple(self._found),
            seconds=(clock.monotonic_ns() - began) / 1e9,
        )

    def _find(self, where: str, why: str) -> None:
        self._count += 1
        if len(self._found) < FINDINGS_MAX:
            self._found.append(StoreFinding(where=where, why=why))

    def _check_engine(self) -> None:
        for problem in self._store.engine.integrity():
            self._find("engine", problem)

    def _check_tables(self) -> None:
        with self._store.engine.snapshot() as reader:
            meta = Meta.of(reader.fetch("meta"), self._store.url)
            self._paths = {number: str(path) for number, path, _ in reader.fetch("namespaces")}
            self._replicas = {row[0]: row[1] for row in reader.fetch("replicas")}
            self._check = RowCheck(self._store, self._paths, self._replicas)
            for row in reader.stream("stream_all"):
                self._rows += 1
                try:
                    self._check_row(row, meta)
                except (ValueError, TypeError, AttributeError) as error:
                    self._find(f"sibling {row[0]}", f"a column is not of its type: {error}")
            self._check_tags(reader)
            self._check_totals(reader, meta)
            for table in CHECKED_TABLES:
                self._check_sums(reader, table)
            for where, why in messages_checks.problems(reader):
                self._find(where, why)
            try:
                self._audit = check_chain(reader, self._store.key, meta.audit_head, meta.audit_n)
            except AuditBroken as error:
                self._find("audit", str(error))

    def _check_row(self, row: Row, meta: Meta) -> None:
        judged = self._check.judge(row, self._find)
        if judged is None:
            return
        self._sum += addend(judged.digest)
        path, _, body = judged
        if body is None:
            return
        seq, flags, size, value = row[0], row[7], row[12], bytes(row[14])
        if seq > meta.seq:
            where = f"sibling {seq} {path}/{row[2]}"
            self._find(where, f"its sequence number is above the store's {meta.seq}")
        self._highest[body.replica] = max(self._highest[body.replica], body.n)
        for tag in body.tags:
            self._tags.add(tag, seq)
        for scope in (("ns", path), ("agent", body.agent), ("session", body.session)):
            if scope[1] is not None:
                self._totals[scope] += 1  # type: ignore[index]
                self._sizes[scope] += size  # type: ignore[index]
        self._count_tier(codec_of(flags), size, value)

    def _count_tier(self, codec: int, size: int, value: bytes) -> None:
        parts = {"warm": size} if codec else {}
        if codec == Codec.ARCHIVED:
            address = read_address(value)
            parts = {"cold": size, "cold before": address.was_bytes}
            parts["cold kept"] = address.kept_bytes
        for name, part in parts.items():
            self._totals["tier", name] += 1
            self._sizes["tier", name] += part

    def _check_tags(self, reader: Reader) -> None:
        found = _Pairs()
        for tag, seq in reader.stream("stream_tags"):
            found.add(tag, seq)
        if found == self._tags:
            return
        stored = {(tag, seq) for tag, seq in reader.stream("stream_tags")}
        wanted = {
            (tag, row[0]) for row in reader.stream("stream_all") for tag in self._tags_of(row)
        }
        for tag, seq in sorted(stored ^ wanted):
            what = "is missing" if (tag, seq) in wanted else "belongs to no record"
            self._find("tag", f"{tag!r} of {seq} {what}")

    def _tags_of(self, row: Row) -> tuple[str, ...]:
        """None of a damaged row, of which nothing is believed."""
        _, ns, key, field, _, _, exp, flags, *_, packed, value, digest = row
        path = self._paths.get(ns)
        if path is None:
            return ()
        try:
            prefix, name = prefix_of(path), path_of(key, field)
            found = row_hash(prefix, name, flags, exp, bytes(packed), bytes(value))
            return unpack(bytes(packed)).tags if found == bytes(digest) else ()
        except (ValueError, TypeError, AttributeError):
            return ()

    def _check_totals(self, reader: Reader, meta: Meta) -> None:
        names, tallied = set(self._totals), set()
        for scope, name, rows, size in reader.fetch("tallies"):
            names.discard((scope, name))
            if scope == "ns":
                tallied.add(name)
            want = (self._totals[scope, name], self._sizes[scope, name])
            if (rows, size) != want:
                self._find(f"tally {scope} {name}", f"{(rows, size)} instead of {want}")
        for scope, name in names:
            self._find(f"tally {scope} {name}", "is missing")
        # Every namespace has had a record, and whoever has had one keeps a total.
        for path in tallied ^ set(self._paths.values()):
            self._find(f"namespace {path}", "is missing" if path in tallied else "has no total")
        total = sum(n for (scope, _), n in self._totals.items() if scope == "ns")
        size = sum(n for (scope, _), n in self._sizes.items() if scope == "ns")
        if (meta.rows, meta.size) != (total, size):
            self._find("meta", f"totals {(meta.rows, meta.size)} instead of {(total, size)}")
        if not self._count and pack_sum(self._sum) != bytes(meta.sum):
            self._find("meta", "the sum of all records is another: one has vanished or come back")
        own = self._replicas.get(meta.replica_no)
        if own is None or self._highest[own] > meta.n:
            self._find("meta", "its replica or its highest event number is wrong")

    def _check_sums(self, reader: Reader, table: str) -> None:
        for *values, crc in _plain(reader.stream(f"stream_{table}")):
            if crc_of(tuple(values)) != crc:
                self._find(table, f"row {values[0]!r} does not match its checksum")


def _plain(rows: Iterator[Row]) -> Iterator[list[object]]:
    """Rows with driver-specific byte types made plain."""
    for row in rows:
        yield [bytes(v) if isinstance(v, bytearray | memoryview) else v for v in row]
