"""What was erased stays erased: the ledgers, held against everything that a backup would bring.

The ledgers of the live store, of the chosen backup and of the newest one are taken together. Rows
and log entries that they name are left out, and so are access counts and grants; the audit trail
keeps its entries, without the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import ormsgpack

from memtend.crdt.hlc import millis
from memtend.model.stored import LogRow, SideRow, StoredRow
from memtend.store.audit import Entry, redacted
from memtend.store.interned import ERASURE_KEY
from memtend.store.ledger import Filter
from memtend.store.messages_moving import is_erased
from memtend.store.meta import crc_of
from memtend.store.redacting import named

ERASURE, SETTING, GRANT = "erasure", "setting", "access_grant"


class Ledgers:
    """`sides` are the small tables of all that may know of erasures, the live store's first."""

    def __init__(self, sides: Sequence[Iterable[SideRow]]) -> None:
        kept = [[row for row in side if _is_ledger(row)] for side in sides]
        self._filter = Filter.of_side(*kept)
        self._entries: dict[tuple[str, str], SideRow] = {}
        self._keys: dict[str, SideRow] = {}
        for row in (row for side in kept for row in side):
            if row.table == SETTING:
                self._add_key(row)
            else:
                place = (row.name, row.field)
                held = self._entries.get(place)
                if held is None or _upto(held) < _upto(row):
                    self._entries[place] = row
        self.rows = 0

    def rows_left(self, rows: Iterable[StoredRow]) -> Iterator[StoredRow]:
        """Counts in `rows` what is held back."""
        self.rows = 0
        for row in rows:
            if self._filter and self._filter.erased(row):
                self.rows += 1
            else:
                yield row

    def kept(self, rows: Iterable[StoredRow]) -> Iterator[StoredRow]:
        """The same, uncounted."""
        return (row for row in rows if not (self._filter and self._filter.erased(row)))

    def log_left(self, log: Iterable[LogRow]) -> Iterator[LogRow]:
        if not self._filter:
            return iter(log)
        return (entry for entry in log if not self._filter.erased_log(entry))

    def access_left(self, access: Iterable[SideRow]) -> Iterator[SideRow]:
        for row in access:
            if self._filter:
                _, at_ms = ormsgpack.unpackb(row.cells)
                mark = self._filter.names(row.name, row.field)
                if mark.at_hlc >= 0 and at_ms <= millis(mark.at_hlc):
                    continue
            yield row

    def side(self, chosen: Iterable[SideRow], hlc: int) -> Iterator[SideRow]:
        """The small tables of the chosen backup, of whose `hlc` they are, with all ledgers."""
        for row in chosen:
            if _is_ledger(row):
                continue
            if row.table == GRANT and self._filter:
                marks = (self._filter.label(kind, row.name) for kind in ("agent", "writer"))
                if hlc <= max(mark.at_hlc for mark in marks):
                    continue
            if self._filter and is_erased(self._filter, row):
                continue
            yield row
        yield from self._keys.values()
        yield from self._entries.values()

    def audit(self, trail: Iterable[SideRow], key: bytes) -> Iterator[SideRow]:
        """The trail without erased names; `key` seals it."""
        for row in trail:
            at_ms, action, actor, detail, seal = ormsgpack.unpackb(row.cells)
            entry = Entry(int(row.name), at_ms, action, actor, detail)
            by_detail, by_actor = named(self._filter, entry) if self._filter else (False, False)
            if by_detail or by_actor:
                fresh = redacted(key, entry, actor=by_actor)
                cells = ormsgpack.packb((at_ms, action, fresh.actor, fresh.detail, seal))
                yield row._replace(cells=cells)
            else:
                yield row

    def _add_key(self, row: SideRow) -> None:
        """The first keeps its name; others whose key differs get one of their own."""
        text = ormsgpack.unpackb(row.cells)[0]
        if all(ormsgpack.unpackb(held.cells)[0] != text for held in self._keys.values()):
            name = row.name
            if name in self._keys:
                name = f"{ERASURE_KEY}:{len(self._keys)}"
            self._keys[name] = setting_row(name, text)


def setting_row(name: str, value: str) -> SideRow:
    return SideRow(SETTING, name, "", ormsgpack.packb((value, crc_of((name, value)))))


def _is_ledger(row: SideRow) -> bool:
    return row.table == ERASURE or (row.table == SETTING and row.name.startswith(ERASURE_KEY))


def _upto(row: SideRow) -> int:
    at_hlc, *_ = ormsgpack.unpackb(row.cells)
    return int(at_hlc)
