"""Which records say the same, and which of them stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend import Labels, Memory
from memtend.alike.groups import Told, exact, may_stand_in
from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.model.record import Trust
from memtend.store import duplicates
from memtend.store.quarantine import mark_writer
from tests.fixtures.stores import beside, run_sql

TEXT = {"text": "Take the lock before the first write, and never after it. " * 2}


@pytest.fixture
def memory(clock: ManualClock) -> Iterator[Memory]:
    with Memory.open("sqlite://", clock=clock) as opened:
        yield opened


def found(memory: Memory) -> dict[str, str]:
    """Each extra, with the one that stays."""
    rows = run_sql(memory, "SELECT seq, ns, key FROM sibling")
    paths = {seq: f"{memory.store.namespaces.path(ns)}/{key}" for seq, ns, key in rows}
    alike = list(duplicates.exact(memory.store))
    assert all(paths[one.keeper] == one.keeper_path for one in alike)
    return {paths[one.seq]: one.keeper_path for one in alike}


def tell(memory: Memory, *keys: str, value: Any = TEXT, **labels: Any) -> None:
    for key in keys:
        memory.put("notes", key, value, labels=Labels(**labels))


def test_of_equal_values_the_oldest_stays(memory: Memory, clock: ManualClock) -> None:
    for key in "bca":
        tell(memory, key)
        clock.advance(1_000)
    assert found(memory) == {"notes/c": "notes/b", "notes/a": "notes/b"}


def test_what_is_pinned_stays_and_then_what_lives_longest(memory: Memory) -> None:
    memory.put("notes", "short", TEXT, ttl_ms=1_000)
    memory.put("notes", "long", TEXT, ttl_ms=9_000)
    assert found(memory) == {"notes/short": "notes/long"}
    tell(memory, "forever")
    assert set(found(memory).values()) == {"notes/forever"}
    tell(memory, "pinned", pinned=True)
    assert set(found(memory).values()) == {"notes/pinned"}


@pytest.mark.parametrize(
    "other",
    [{"kind": "pattern"}, {"agent": "bob"}, {"writer": "bob"}, {"trust": Trust.TRUSTED}],
    ids=lambda other: next(iter(other)),
)
def test_what_is_told_apart_by_a_label_is_no_copy(memory: Memory, other: dict[str, Any]) -> None:
    tell(memory, "a", kind="note")
    tell(memory, "b", **{"kind": "note"} | other)
    assert found(memory) == {}
    tell(memory, "c", kind="note", tags=("x",), importance=0.9, session="s", confidence=0.1)
    assert found(memory) == {"notes/c": "notes/a"}


def test_namespaces_are_apart_and_short_values_are_states(memory: Memory) -> None:
    memory.put("one", "a", TEXT)
    memory.put("two", "a", TEXT)
    tell(memory, "a", "b", value="done")
    assert found(memory) == {}


def test_compressed_and_plain_are_equal_where_their_text_is(memory: Memory) -> None:
    long = {"text": "word " * 400}
    tell(memory, "a", "b", value=long)
    assert found(memory) == {"notes/b": "notes/a"}


def test_what_is_gone_hidden_or_disputed_is_no_copy(memory: Memory, clock: ManualClock) -> None:
    tell(memory, "kept")
    memory.put("notes", "expired", TEXT, ttl_ms=1_000)
    clock.advance(2_000)
    tell(memory, "disputed")
    beside(memory, "notes", "disputed", {"another": "word"})
    tell(memory, "hidden", writer="mallory")
    mark_writer(memory.store, "mallory", Trust.QUARANTINED, actor="owner")
    assert found(memory) == {}


def test_one_number_for_two_values_makes_no_copy(memory: Memory) -> None:
    tell(memory, "a")
    tell(memory, "b", value={"text": TEXT["text"].upper()})
    run_sql(memory, "UPDATE sibling SET content = 7")
    assert found(memory) == {}


def test_a_damaged_record_is_no_copy(memory: Memory) -> None:
    tell(memory, "a", "b")
    run_sql(memory, "UPDATE sibling SET hash = zeroblob(16) WHERE key = 'a'")
    assert found(memory) == {}


def test_sets_larger_than_a_page(memory: Memory) -> None:
    memory.put_many(Put("notes", f"k{n:04}", TEXT) for n in range(1_100))
    assert set(found(memory).values()) == {"notes/k0000"}
    assert len(found(memory)) == 1_099


@pytest.mark.parametrize(
    ("namespace", "key", "may"),
    [
        ("notes", "a", True),
        ("neural/patterns", "p1", True),
        ("swarm-s/global/knowledge", "howto/ada/git", True),
        ("swarm-s/agent-ada/decisions", "plan/d1", True),
        ("swarm-s/agent-ada/decision-outcomes", "d1/ada", False),
        ("swarm-s/agent-ada/progress", "t1", False),
        ("swarm-s/agent-ada", "state", False),
        ("swarm-s/coordination", "vote/ada", False),
        ("neural/outcomes", "o1", False),
    ],
)
def test_where_the_key_says_something_nothing_is_a_copy(
    namespace: str, key: str, may: bool
) -> None:
    assert may_stand_in(namespace, key) is may


tolds = st.lists(
    st.builds(
        Told,
        seq=st.integers(1, 99),
        namespace=st.just("n"),
        key=st.text("abc", min_size=1, max_size=3),
        pinned=st.booleans(),
        exp_ms=st.none() | st.integers(1, 5),
        created_ms=st.integers(1, 5),
        text=st.sampled_from((b"x", b"y")),
    ),
    unique_by=(lambda one: one.seq, lambda one: one.key),
)  # fmt: skip


@given(tolds)
def test_one_of_each_set_stays_whatever_numbers_a_replica_gives(told: list[Told]) -> None:
    """Sequence numbers are each replica's own; who stays must not depend on them."""
    alike = list(exact(told))
    assert len(alike) == len(told) - len({one.text for one in told})
    assert not {one.seq for one in alike} & {one.keeper for one in alike}
    elsewhere = [one._replace(seq=1_000 - one.seq) for one in reversed(told)]
    assert {one.keeper_path for one in exact(elsewhere)} == {one.keeper_path for one in alike}
