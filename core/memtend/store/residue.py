"""What the tables still say of something erased: every row of every table is looked at.

The ledger decides, as it does for a restore, so that both agree on what was erased. What belongs to
an earlier erasure that was cut off is counted apart, and so are names that an operator has set by
himself, in policies, grants and leases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from memtend.limits import ERASE_TEXT_BYTES_MIN
from memtend.model.stored import LogRow, StoredRow
from memtend.model.subject import Subject, SubjectKind
from memtend.store import alerts_erasing, figured, learned_erasing, pruned_erasing
from memtend.store.closing import naming_operations
from memtend.store.interned import is_closed
from memtend.store.ledger import Filter
from memtend.store.messages_erasing import traces
from memtend.store.redacting import remaining

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Row
    from memtend.store.erasing import Eraser
    from memtend.store.store import Store

_SET_BY_PEOPLE: Final = (
    "stream_setting", "stream_access_grant", "stream_lease", "stream_lease_accepted",
    "stream_lease_grant", "stream_lease_ticket",
)  # fmt: skip


class Residue:
    """One pass over a snapshot. `texts` loses what the store has a right to contain."""

    def __init__(
        self, store: Store, subject: Subject, eraser: Eraser, texts: Sequence[bytes]
    ) -> None:
        self._subject = subject
        self._upto = eraser.upto
        self.texts = list(texts)
        self.tables: Counter[str] = Counter()
        self.settings = self.unfinished = self.others = 0
        with store.engine.snapshot() as reader:
            self._all = Filter.load(reader)
            self._ledger = self._all.only(eraser.entries, paths=subject.by_label)
            self._paths = {number: path for number, path, _ in reader.fetch("namespaces")}
            live = self._siblings(reader)
            self._names(reader, live)
            self._small(reader)

    def _siblings(self, reader: Reader) -> dict[int, set[str]]:
        live: dict[int, set[str]] = {}
        for row in reader.stream("stream_all"):
            seq, ns, key, field, _, _, exp, flags, *labels, body, value, digest = row
            stored = StoredRow(
                self._paths.get(ns, ""), key, field, seq, exp, flags, bytes(body), bytes(value),
                bytes(digest),
            )  # fmt: skip
            if self._all.erased(stored):
                own = self._ledger.erased(stored)
                self.tables["sibling"] += own
                self.unfinished += not own
            elif self._subject.kind in (SubjectKind.AGENT, SubjectKind.WRITER):
                self.others += self._subject.name in labels[1:3]  # agent, writer
            live.setdefault(ns, set()).add(key)
            self._keep((stored.namespace, key, field, stored.body, stored.value))
        for tag, seq in reader.stream("stream_tags"):
            mine = self._subject.kind is SubjectKind.TAG and tag == self._subject.name
            self.tables["tag"] += mine and seq <= self._upto
        return live

    def _names(self, reader: Reader, live: dict[int, set[str]]) -> None:
        used = set(live)
        for ns, key, field, _, n, seq, at_ms, why, _ in reader.stream("stream_log_rows"):
            path = self._paths.get(ns, "")
            row = LogRow(path, key, field, "", n, seq, at_ms, why)
            self.tables["log"] += self._ledger.erased_log(row)
            used.add(ns)
            self._keep((path, key))
        for ns, key, *_ in reader.stream("stream_access"):
            gone = key not in live.get(ns, ())
            self.tables["access"] += (
                gone and self._ledger.names(self._paths.get(ns, ""), key).seq >= 0
            )
            used.add(ns)
        for number, path in self._paths.items():
            covered = path == self._subject.namespace or self._subject.covers_name(path)
            self.tables["namespace"] += covered and number not in used and not is_closed(path)
        paths = set(self._paths.values())
        for scope, name, rows, _ in reader.fetch("tallies"):
            if scope == "ns":
                self.tables["tally"] += name not in paths
            elif scope in ("agent", "session"):
                self.tables["tally"] += rows == 0 and name == self._subject.name
                if rows:
                    self._keep((name,))

    def _small(self, reader: Reader) -> None:
        for table, gone, row in traces(reader, self._ledger):
            self.tables[table] += gone
            if not gone:
                self._keep(bytes(one) if isinstance(one, memoryview) else one for one in row)
        self.tables += pruned_erasing.traces(reader, self._subject)
        self._keep(pruned_erasing.names(reader))
        self.tables += alerts_erasing.traces(reader, self._subject)
        self._keep(alerts_erasing.texts(reader))
        self.tables += learned_erasing.traces(reader, self._subject)
        self._keep(learned_erasing.texts(reader))
        ended, others = figured.gone(reader)
        self.tables["metric"] += len(ended)
        self._keep(others)
        self.tables["op"] += naming_operations(reader, self.names_text)
        self.tables["audit"] += remaining(reader, self._ledger)
        for _, data, *_ in reader.fetch("stream_dictionary"):
            self.tables["dictionary"] += any(text in bytes(data) for text in self.texts)
        for row in reader.stream("stream_audit", (0,)):
            self._keep(row)
        for statement in _SET_BY_PEOPLE:
            for row in reader.stream(statement):
                self.settings += any(map(self._contains, _texts(row)))
                self._keep(row)

    def _contains(self, text: str) -> bool:
        """A short name lies in other words by chance."""
        name = self._subject.name
        return text == name or (len(name) >= ERASE_TEXT_BYTES_MIN and name in text)

    def names_text(self, text: str) -> bool:
        return any(one.decode("utf-8", "replace") in text for one in self.texts)

    def _keep(self, row: Iterable[object]) -> None:
        """A text that something else contains proves nothing about the files."""
        if self.texts:
            data = b"\0".join(
                part.encode() if isinstance(part, str) else part
                for part in row
                if isinstance(part, str | bytes)
            )
            self.texts = [text for text in self.texts if text not in data]


def _texts(row: Row) -> Iterator[str]:
    return (part for part in row if isinstance(part, str))
