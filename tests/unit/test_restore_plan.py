"""The pure parts of a restore: merging by path, moments between two states, diffs and scopes."""

from __future__ import annotations

import ormsgpack
from hypothesis import given
from hypothesis import strategies as st

from memtend.backup.moment import At, Trail, by_path, joined, states_at
from memtend.backup.restore_plan import Diff, Scope
from memtend.codec.envelope import Body, path_of, prefix_of, row_hash
from memtend.crdt.hlc import pack
from memtend.model.plan import Action
from memtend.model.stored import LogRow, SideRow, StoredRow

REPLICA = "a" * 32
MS = st.integers(min_value=1, max_value=40)
Events = list[tuple[int, str, bool]]


def row(key: str, n: int, at_ms: int) -> StoredRow:
    body = Body(REPLICA, n, pack(at_ms, 0), 0, at_ms, 1, None, "note").pack()
    digest = row_hash(prefix_of("a"), path_of(key, ""), 0, None, body, b"1")
    return StoredRow("a", key, "", n, None, 0, body, b"1", digest)


def state_after(events: Events, until_ms: int) -> tuple[list[StoredRow], list[LogRow]]:
    """What a store holds after the events up to an instant: the newest write, or what ended it."""
    rows: dict[str, StoredRow] = {}
    log: dict[str, LogRow] = {}
    for n, (at_ms, key, writes) in enumerate(events, 1):
        if at_ms > until_ms:
            break
        if writes:
            rows[key] = row(key, n, at_ms)
        elif key in rows:
            del rows[key]
            log[key] = LogRow("a", key, "", REPLICA, n, n, at_ms, "deleted")
    return [rows[key] for key in sorted(rows)], [log[key] for key in sorted(log)]


def trail_of(events: Events, after_ms: int, *, batches: bool) -> list[SideRow]:
    """The audit entries of these writes, as if each had come alone or all in batches."""
    entries = []
    for n, (at_ms, key, writes) in enumerate(events, 1):
        detail = f"3 records, changes {n} to {n + 2}" if batches else f"a/{key}"
        cells = (at_ms, "put" if writes else "delete", "owner", detail, bytes(16))
        if at_ms > after_ms:
            entries.append(SideRow("audit", f"{n:020d}", "", ormsgpack.packb(cells)))
    return entries


@given(
    st.lists(st.tuples(MS, st.sampled_from("xyz"), st.booleans()), max_size=30),
    st.tuples(MS, MS, MS),
    st.booleans(),
)
def test_what_is_exact_is_what_was(
    events: Events, instants: tuple[int, int, int], batches: bool
) -> None:
    """For every history and every moment between two known states.

    Where each write has its own audit entry, only what was written between the earlier state and
    the moment can be uncertain.
    """
    events = sorted(events, key=lambda event: event[0])
    before_ms, moment_ms, after_ms = sorted(instants)
    early, late = state_after(events, before_ms), state_after(events, after_ms)
    truth = dict(by_path(*state_after(events, moment_ms)))
    trail = Trail(trail_of(events, before_ms, batches=batches), moment_ms)
    chosen = list(states_at(by_path(*early), by_path(*late), moment_ms, trail))
    written = {key for at_ms, key, _ in events if before_ms < at_ms <= moment_ms}
    for path, at, exact in chosen:
        wanted = truth.pop(path, At())
        assert exact or batches or path[1] in written
        if exact:
            assert at.rows == wanted.rows
        else:
            assert at == dict(by_path(*early)).get(path, At())
    assert truth == {}
    if moment_ms in (before_ms, after_ms) and before_ms == after_ms:
        assert all(one.exact for one in chosen)


@given(
    st.dictionaries(st.text("ab", min_size=1, max_size=3), st.integers()),
    st.dictionaries(st.text("ab", min_size=1, max_size=3), st.integers()),
)
def test_joining_is_a_union(left: dict[str, int], right: dict[str, int]) -> None:
    """Every path once, in order, with what each side has."""
    sides = [[(("n", key, ""), side[key]) for key in sorted(side)] for side in (left, right)]
    found = list(joined(*sides))
    assert [path[1] for path, _, _ in found] == sorted(left.keys() | right.keys())
    for (_, key, _), one, other in found:
        assert (one, other) == (left.get(key), right.get(key))


def test_a_diff_counts_and_names() -> None:
    live = by_path([row("changed", 1, 1), row("gone", 2, 1), row("same", 3, 1)])
    wished = by_path([row("changed", 4, 2), row("new", 5, 2), row("same", 3, 1)])
    diff = Diff(now_ms=10)
    diff.compare(live, wished)
    assert (diff.added, diff.changed, diff.removed, diff.unchanged) == (1, 1, 1, 1)
    assert {(d.action, d.key) for d in diff.decisions()} == {
        (Action.IMPORT, "new"),
        (Action.UPDATE, "changed"),
        (Action.DELETE, "gone"),
    }
    [change] = diff.namespaces()
    assert (change.namespace, change.added, change.changed, change.removed) == ("a", 1, 1, 1)


def test_a_scope_covers_what_it_names() -> None:
    """A pattern covers all below it; with a key the namespace is meant exactly."""
    assert Scope().whole
    assert Scope(namespace="task/*").covers("task/4/log", "k")
    assert not Scope(namespace="task/*").covers("tasks", "k")
    assert Scope(namespace="task", key="k").covers("task", "k")
    assert not Scope(namespace="task", key="k").covers("task/4", "k")


def test_a_value_that_has_only_moved_is_unchanged() -> None:
    """Archived or compressed since the backup: another row of the same write."""
    written = row("k", 1, 5)
    moved = written._replace(seq=9, flags=4, value=b"elsewhere", hash=b"h" * 16)
    again = row("k", 2, 6)
    diff = Diff(now_ms=10)
    diff.compare(by_path([moved]), by_path([written]))
    assert (diff.unchanged, diff.changed) == (1, 0)
    diff.compare(by_path([again]), by_path([written]))
    assert (diff.unchanged, diff.changed) == (1, 1)
