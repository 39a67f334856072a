"""Layers of changes merged, and laid into a full backup: each against the state that was changed.

A history here is a list of states. What one state changed of the state before is a layer, made the
way a store makes it: all siblings of every touched path, and the log entries that joined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

import ormsgpack
from hypothesis import given
from hypothesis import strategies as st

from memtend.backup.cut import Cut, cut
from memtend.backup.layers import Layer, Merged
from memtend.backup.manifest import SegmentRef
from memtend.backup.synthetic import changed_log, changed_paths, splice
from memtend.codec.segment import Row, Table, decode, key_of
from memtend.model.stored import LogRow, StoredRow
from tests.fixtures.backups import MadeSnapshot, row

TARGET, CAP = 1_500, 12_000
KEYS = [f"k{n:02d}" for n in range(40)]
REPLICAS = ("a" * 32, "b" * 32)


class Changed(NamedTuple):
    """What a store gives as changed after `after`."""

    snapshot: MadeSnapshot
    after: int

    def rows(self) -> Iterator[StoredRow]:
        return self.snapshot.changed_rows(self.after)

    def log(self) -> Iterator[LogRow]:
        return self.snapshot.log(self.after)


class Event(NamedTuple):
    """Writes `siblings` values at a path, or with none ends it; `replica` is whose dot that was."""

    namespace: str
    key: str
    field: str
    siblings: tuple[bytes, ...]
    replica: str


EVENTS = st.builds(
    Event,
    st.sampled_from(["n1", "n1/x", "n2"]),
    st.sampled_from(KEYS),
    st.sampled_from(["", "", "f1", "f2"]),
    st.lists(st.binary(min_size=1, max_size=400), max_size=3).map(tuple),
    st.sampled_from(REPLICAS),
)
HISTORIES = st.lists(st.lists(EVENTS, max_size=30), min_size=1, max_size=8)


def states(history: Sequence[Sequence[Event]]) -> list[MadeSnapshot]:
    """The state after each part of the history."""
    rows: dict[tuple[str, str, str], list[StoredRow]] = {}
    log: dict[tuple[str, ...], LogRow] = {}
    seq, found = 0, []
    for part in history:
        for event in part:
            seq += 1
            path = event[:3]
            rows.pop(path, None)
            if not event.siblings:
                entry = LogRow(*path, event.replica, seq, seq, 1_750_000_000_000, "deleted")
                log[*path, event.replica] = entry
            for value in event.siblings:
                seq += 1
                made = row(event.namespace, event.key, value, seq=seq, n=seq)
                rows.setdefault(path, []).append(made._replace(field=event.field))
        stored = [one for path in sorted(rows) for one in rows[path]]
        made_log = [log[at] for at in sorted(log)]
        snapshot = MadeSnapshot(tuple(stored), tuple(made_log))
        found.append(snapshot._replace(facts=snapshot.facts._replace(seq=seq)))
    return found


def layers_of(found: Sequence[MadeSnapshot]) -> list[Layer]:
    changes = (Changed(now, before.state.seq) for before, now in pairwise(found))
    return [found[0], *changes]


@given(HISTORIES)
def test_layers_give_the_state_that_was_changed(history: list[list[Event]]) -> None:
    found = states(history)
    merged = Merged(layers_of(found))
    assert tuple(merged.rows()) == found[-1].stored
    assert tuple(merged.log()) == found[-1].logged


@given(HISTORIES, st.data())
def test_it_does_not_matter_which_layers_are_merged_first(
    history: list[list[Event]], data: st.DataObject
) -> None:
    layers = layers_of(states(history))
    at = data.draw(st.integers(1, len(layers)))
    whole, below = Merged(layers), Merged(layers[:at])
    grouped = Merged([below, *layers[at:]])
    assert list(grouped.rows()) == list(whole.rows())
    assert list(grouped.log()) == list(whole.log())


@given(HISTORIES)
def test_a_layer_may_reach_back_to_the_first(history: list[list[Event]]) -> None:
    """What a differential backup does."""
    found = states(history)
    differential = Changed(found[-1], found[0].state.seq)
    merged = Merged([found[0], differential])
    assert tuple(merged.rows()) == found[-1].stored
    assert tuple(merged.log()) == found[-1].logged


class Shelf:
    """Segments by name, and which of them were read."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}
        self.read_names: set[str] = set()

    def put(self, one: Cut | SegmentRef) -> SegmentRef:
        if isinstance(one, SegmentRef):
            return one
        data = one.seal()
        name = sha256(data).hexdigest()
        self.data[name] = data
        return SegmentRef(
            object=name,
            kind=one.kind,
            table=one.table,
            first=one.first,
            last=one.last,
            rows=one.rows,
            raw_bytes=one.raw_bytes,
            stored_bytes=len(data),
        )

    def read(self, ref: SegmentRef) -> Iterator[Row]:
        self.read_names.add(ref.object)
        return decode(self.data[ref.object])[1]


def cut_small(rows: Sequence[Row], table: Table) -> Iterator[Cut]:
    return cut(rows, table, "0001", target=TARGET, cap=CAP)


@given(HISTORIES)
def test_a_full_backup_put_together_is_the_one_that_would_be_taken(
    history: list[list[Event]],
) -> None:
    """Segment for segment: they share their objects. Where a cap cuts, the rows are the same."""
    found = states(history)
    now, deltas, shelf = found[-1], layers_of(found)[1:], Shelf()
    for table, before, after, changes in (
        (Table.SIBLING, found[0].stored, now.stored, changed_paths(deltas)),
        (Table.LOG, found[0].logged, now.logged, changed_log(deltas)),
    ):
        base = [shelf.put(one) for one in cut_small(before, table)]
        wanted = [shelf.put(one) for one in cut_small(after, table)]
        spliced = splice(base, changes, shelf.read, table, "0001", target=TARGET, cap=CAP)
        refs = [shelf.put(one) for one in spliced]
        assert [one for ref in refs for one in shelf.read(ref)] == list(after)
        assert [ref.object for ref in refs] == [ref.object for ref in wanted]


@given(st.sampled_from(KEYS), st.binary(min_size=1, max_size=300))
def test_untouched_segments_are_not_read(key: str, value: bytes) -> None:
    stored = tuple(row("n", one, ormsgpack.packb(one) * 60, seq=1, n=1) for one in KEYS)
    changed = tuple(row("n", key, value, seq=2, n=2) if one.key == key else one for one in stored)
    shelf = Shelf()
    base = [shelf.put(one) for one in cut_small(stored, Table.SIBLING)]
    changes = changed_paths([Changed(MadeSnapshot(changed), 1)])
    spliced = splice(base, changes, shelf.read, Table.SIBLING, "0001", target=TARGET, cap=CAP)
    refs = [shelf.put(one) for one in spliced]
    assert len(base) > 4
    assert len(shelf.read_names) <= 2
    assert len({ref.object for ref in base} - {ref.object for ref in refs}) <= 2
    assert [one for ref in refs for one in shelf.read(ref)] == sorted(changed, key=key_of)
