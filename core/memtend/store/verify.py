"""Verify the live store: every byte that matters is recomputed or compared.

The engine's own check covers pages and indexes. Every row is hashed, its columns are compared
with its body, totals and tags are counted again, small tables are held against their checksums,
and the audit chain is followed from the first entry to the head.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from memtend.codec.envelope import path_of, prefix_of, row_hash, unpack
from memtend.codec.statesum import pack_sum
from memtend.errors import AuditBroken, MemtendError
from memtend.limits import FINDINGS_MAX
from memtend.model.findings import StoreFinding, StoreVerifyReport
from memtend.store import messages_checks
from memtend.store.audit import check_chain
from memtend.store.engine import Reader, Row
from memtend.store.meta import Meta, crc_of
from memtend.store.rowcheck import RowCheck
from memtend.store.verify_rows import Pairs, Seen

if TYPE_CHECKING:
    from memtend.store.store import Store

CHECKED_TABLES = ("access", "access_grant", "access_log", "alert", "catalog", "delivery",
                  "dictionary", "erasure", "ghost", "inbox", "lane", "lease", "lease_accepted",
                  "lease_grant", "lease_ticket", "log_rows", "member", "message", "metric",
                  "migration", "model", "op", "peer", "pruning", "regret", "replica", "setting",
                  "silence", "trial")  # fmt: skip

FAULTS: Final = (MemtendError, ValueError, TypeError, KeyError)
"""What reading a damaged store may end with: it is damage, too."""


def verify_store(store: Store) -> StoreVerifyReport:
    """Look at everything; damage is reported, never raised."""
    began = store.clock.monotonic_ns()
    check = Verification(store)
    for step, look in (("engine", check.check_engine), ("tables", check.check_tables)):
        try:
            look()
        except FAULTS as error:
            check.late.add("store", f"{step}: {error}")
    return check.report(began)


class Findings:
    """What is wrong somewhere. All are counted, the first are kept."""

    def __init__(self) -> None:
        self.count = 0
        self.kept: list[StoreFinding] = []

    def add(self, where: str, why: str) -> None:
        self.count += 1
        if len(self.kept) < FINDINGS_MAX:
            self.kept.append(StoreFinding(where=where, why=why))


class Verification:
    """One look at a store. What is found is told in one order, in whichever it was looked at."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.seen = Seen()
        self.engine, self.sums, self.tables = Findings(), Findings(), Findings()
        self.late = Findings()
        self._audit = 0

    def report(self, began_ns: int) -> StoreVerifyReport:
        parts = (self.engine, self.sums, self.tables, self.late)
        lowest = Seen.lowest(self.seen.found)
        rows = (StoreFinding(where=where, why=why) for _, where, why in lowest)
        found = chain(self.engine.kept, rows, self.sums.kept, self.tables.kept, self.late.kept)
        return StoreVerifyReport(
            rows=self.seen.rows,
            audit_entries=self._audit,
            damage_count=self.seen.damage_count + sum(part.count for part in parts),
            findings=tuple(islice(found, FINDINGS_MAX)),
            seconds=(self._store.clock.monotonic_ns() - began_ns) / 1e9,
        )

    def check_engine(self) -> None:
        for problem in self._store.engine.integrity():
            self.engine.add("engine", problem)

    def check_tables(self) -> None:
        with self._store.engine.snapshot() as reader:
            self.begin(reader)
            check = RowCheck(self._store, self.paths, self.replicas)
            self.seen.look(reader.stream("stream_all"), check, self.meta.seq)
            self.compare(reader, self.count_tags(reader))
            self.check_sums(reader)

    def begin(self, reader: Reader) -> None:
        self.meta = Meta.of(reader.fetch("meta"), self._store.url)
        self.paths = {number: str(path) for number, path, _ in reader.fetch("namespaces")}
        self.replicas: dict[int, str] = {row[0]: row[1] for row in reader.fetch("replicas")}

    def count_tags(self, reader: Reader) -> Pairs:
        found = Pairs()
        for tag, seq in reader.stream("stream_tags"):
            found.add(tag, seq)
        return found

    def compare(self, reader: Reader, tags: Pairs) -> None:
        """Hold what all rows add up to against what the store says of itself."""
        if tags != self.seen.tags:
            self._name_tags(reader)
        self._check_totals(reader)

    def _name_tags(self, reader: Reader) -> None:
        stored = {(tag, seq) for tag, seq in reader.stream("stream_tags")}
        wanted = {
            (tag, row[0]) for row in reader.stream("stream_all") for tag in self._tags_of(row)
        }
        for tag, seq in sorted(stored ^ wanted):
            what = "is missing" if (tag, seq) in wanted else "belongs to no record"
            self.sums.add("tag", f"{tag!r} of {seq} {what}")

    def _tags_of(self, row: Row) -> tuple[str, ...]:
        """None of a damaged row, of which nothing is believed."""
        _, ns, key, field, _, _, exp, flags, *_, packed, value, digest = row
        path = self.paths.get(ns)
        if path is None:
            return ()
        try:
            prefix, name = prefix_of(path), path_of(key, field)
            found = row_hash(prefix, name, flags, exp, bytes(packed), bytes(value))
            return unpack(bytes(packed)).tags if found == bytes(digest) else ()
        except (ValueError, TypeError, AttributeError):
            return ()

    def _check_totals(self, reader: Reader) -> None:
        meta, totals, sizes = self.meta, self.seen.totals, self.seen.sizes
        names, tallied = set(totals), set()
        for scope, name, rows, size in reader.fetch("tallies"):
            names.discard((scope, name))
            if scope == "ns":
                tallied.add(name)
            want = (totals[scope, name], sizes[scope, name])
            if (rows, size) != want:
                self.sums.add(f"tally {scope} {name}", f"{(rows, size)} instead of {want}")
        for scope, name in sorted(names, key=str):
            self.sums.add(f"tally {scope} {name}", "is missing")
        # Every namespace has had a record, and whoever has had one keeps a total.
        for path in sorted(tallied ^ set(self.paths.values()), key=str):
            self.sums.add(f"namespace {path}", "is missing" if path in tallied else "has no total")
        total = sum(n for (scope, _), n in totals.items() if scope == "ns")
        size = sum(n for (scope, _), n in sizes.items() if scope == "ns")
        if (meta.rows, meta.size) != (total, size):
            self.sums.add("meta", f"totals {(meta.rows, meta.size)} instead of {(total, size)}")
        known = self.engine.count + self.seen.damage_count + self.sums.count
        if not known and pack_sum(self.seen.sum) != bytes(meta.sum):
            why = "the sum of all records is another: one has vanished or come back"
            self.sums.add("meta", why)
        own = self.replicas.get(meta.replica_no)
        if own is None or self.seen.highest.get(own, 0) > meta.n:
            self.sums.add("meta", "its replica or its highest event number is wrong")

    def check_sums(self, reader: Reader) -> None:
        """What does not depend on the rows: small tables, messages, the audit trail."""
        for table in CHECKED_TABLES:
            for *values, crc in _plain(reader.stream(f"stream_{table}")):
                if crc_of(tuple(values)) != crc:
                    self.tables.add(table, f"row {values[0]!r} does not match its checksum")
        for where, why in messages_checks.problems(reader):
            self.tables.add(where, why)
        try:
            head, entries = self.meta.audit_head, self.meta.audit_n
            self._audit = check_chain(reader, self._store.key, head, entries)
        except AuditBroken as error:
            self.tables.add("audit", str(error))


def _plain(rows: Iterator[Row]) -> Iterator[list[object]]:
    """Rows with driver-specific byte types made plain."""
    for row in rows:
        yield [bytes(v) if isinstance(v, bytearray | memoryview) else v for v in row]
