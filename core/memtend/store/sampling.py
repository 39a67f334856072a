"""A look at every row, a stretch at a time: how far it has come is kept in the store.

Each look reads the next few rows as a verification would. When the last one was looked at, it
begins again from the first. Rows that were found damaged are looked at every time, until they are
whole, replaced or gone.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from memtend.errors import StoreBusy, StoreFull, StoreUnavailable
from memtend.limits_upkeep import (
    HEALTH_DAMAGED_MAX,
    HEALTH_SAMPLE_BYTES,
    HEALTH_SAMPLE_ROWS,
    HEALTH_TAGS_MAX,
)
from memtend.model.findings import StoreFinding
from memtend.store.meta import crc_of
from memtend.store.rowcheck import RowCheck

if TYPE_CHECKING:
    from memtend.codec.envelope import Body
    from memtend.store.engine import Row
    from memtend.store.store import Store

SETTING: Final = "health"
_STEPS: Final = 8


class Pass(NamedTuple):
    """One way through the rows: `after` is the last that was looked at, `rows` how many were.

    `in_full`: somebody wants it to be gone to its end at once. `whole_ms` and `whole_rows` say when
    the way before this one came to its end, and how many rows it saw.
    """

    after: int = 0
    rows: int = 0
    began_ms: int = 0
    damaged: tuple[int, ...] = ()
    in_full: bool = False
    whole_ms: int | None = None
    whole_rows: int = 0


class Looked(NamedTuple):
    """What one look found. `dictionaries` are those that rows name, `missing` those not there."""

    passed: Pass
    rows: int
    ended: bool
    findings: tuple[StoreFinding, ...]
    missing: tuple[int, ...] = ()


def remembered(store: Store) -> Pass:
    """How far the looks have come. One that cannot be read begins anew."""
    rows = store.engine.read("setting", (SETTING,))
    try:
        told = orjson.loads(rows[0][0]) if rows else {}
        found = Pass(**{**told, "damaged": tuple(told.get("damaged", ()))})
    except (ValueError, TypeError, AttributeError):
        return Pass()
    numbers = (found.after, found.rows, found.began_ms, found.whole_rows, *found.damaged)
    return found if all(isinstance(one, int) for one in numbers) else Pass()


def look(store: Store, *, in_full: bool = False, since: Pass | None = None) -> Looked:
    """Look at the next rows, behind those of `since` or of the look before.

    `in_full` begins at the first one, unless such a way is under way, and takes larger steps: call
    it with what it returned until one `ended`, for the store may not let it write that down.
    """
    before = since or remembered(store)
    if not before.began_ms or (in_full and not before.in_full):
        began_ms = store.clock.now_ms()
        before = before._replace(after=0, rows=0, began_ms=began_ms, in_full=in_full)
    page, ended = _page(store, before.after, _STEPS if in_full else 1)
    seqs = sorted({*before.damaged, *page})
    rows = store.engine.read("by_seq", (store.engine.array(seqs),))
    checked = _Stretch(store, rows)
    gone = set(page) - {row[0] for row in rows}  # somebody deleted it between the two questions
    passed = before._replace(
        after=page[-1] if page else before.after,
        rows=before.rows + len(page) - len(gone),
        damaged=tuple(sorted(checked.damaged))[:HEALTH_DAMAGED_MAX],
    )
    if ended:
        now_ms = store.clock.now_ms()
        passed = Pass(damaged=passed.damaged, whole_ms=now_ms, whole_rows=passed.rows)
    _remember(store, passed)
    return Looked(passed, len(rows), ended, tuple(checked.findings), checked.missing)


def _page(store: Store, after: int, steps: int) -> tuple[list[int], bool]:
    """The next rows by number, and whether they are the last ones."""
    limit = steps * HEALTH_SAMPLE_ROWS
    found = store.engine.read("sample_after", (after, limit))
    page: list[int] = []
    total = 0
    for seq, size in found:
        total += size if isinstance(size, int) else 0
        if page and total > steps * HEALTH_SAMPLE_BYTES:
            return page, False
        page.append(seq)
    return page, len(found) < limit


class _Stretch:
    """Some rows, each held against its hash, its body, the index and its tags."""

    def __init__(self, store: Store, rows: list[Row]) -> None:
        self._store = store
        self.findings: list[StoreFinding] = []
        self.damaged: set[int] = set()
        numbers = sorted({row[1] for row in rows if isinstance(row[1], int)})
        paths: dict[int, str] = dict(store.engine.read("paths_of", (store.engine.array(numbers),)))
        replicas = {row[0]: str(row[1]) for row in store.engine.read("replicas")}
        check = RowCheck(store, paths, replicas)
        bodies: dict[int, Body] = {}
        for row in rows:
            self._seq = row[0]
            try:
                judged = check.judge(row, self._find)
            except (ValueError, TypeError, AttributeError) as error:
                self._find(f"sibling {row[0]}", f"a column is not of its type: {error}")
                continue
            if judged and judged.body:
                bodies[row[0]] = judged.body
                self._check_index(row, f"sibling {row[0]} {judged.path}/{row[2]}")
        self._check_tags(bodies)
        named = {one.dictionary for one in bodies.values() if one.dictionary}
        there = {row[0] for row in store.engine.read("dictionary_ids")} if named else set()
        self.missing = tuple(sorted(named - there))

    def _find(self, where: str, why: str) -> None:
        self._find_in(self._seq, where, why)

    def _find_in(self, seq: int, where: str, why: str) -> None:
        self.findings.append(StoreFinding(where=where, why=why))
        self.damaged.add(seq)

    def _check_index(self, row: Row, where: str) -> None:
        """A PostgreSQL server has its own checksums, and each question is a round trip."""
        seq, ns, key, field, r, n, *_ = row
        if self._store.engine.kind == "sqlite":
            found = self._store.engine.read("seq_at", (ns, key, field, n, r))
            if [one for (one,) in found] != [seq] and self._is_there(seq):
                self._find(where, "the index does not lead to it")

    def _is_there(self, seq: int) -> bool:
        """Still: somebody may have written since the rows were read."""
        return bool(self._store.engine.read("sizes_of", (self._store.engine.array([seq]),)))

    def _check_tags(self, bodies: dict[int, Body]) -> None:
        """Of the first few tags: whether each of these rows is found by them."""
        wanted: dict[str, set[int]] = defaultdict(set)
        for seq, body in bodies.items():
            for tag in body.tags:
                if tag in wanted or len(wanted) < HEALTH_TAGS_MAX:
                    wanted[tag].add(seq)
        array, read = self._store.engine.array, self._store.engine.read
        for tag, seqs in wanted.items():
            for seq, found in read("tag_on", (tag, array(sorted(seqs)))):
                if not found and self._is_there(seq):
                    self._find_in(seq, "tag", f"{tag!r} of {seq} is missing")


def _remember(store: Store, passed: Pass) -> None:
    """Where that is not possible now, the next look begins at the same place."""
    text = orjson.dumps(passed._asdict()).decode()
    with suppress(StoreBusy, StoreFull, StoreUnavailable), store.engine.write() as tx:
        tx.run("save_setting", (SETTING, text, crc_of((SETTING, text))))
