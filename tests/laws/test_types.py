"""One set of laws for every replicated type, and proof that the laws bite (CRDT_SPEC 9.1, 9.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.crdt.causal import VersionVector, merge_dots
from memtend.crdt.counters import GCounter, PNCounter, Totals
from memtend.crdt.lww import LWWRegister
from memtend.crdt.lwwset import LWWElementSet
from memtend.crdt.mv import MVRegister
from memtend.crdt.orset import ORSet
from tests.laws.kinds import KINDS, Kind, Step, keep_the_laws, steps

FOUND_WITHIN = 5_000

histories = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=15
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**64) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@settings(max_examples=200, deadline=None)
@given(history=histories)
def test_type_keeps_the_laws(kind: Kind, history: list[Step]) -> None:
    """Order, grouping and repetition of merges do not matter, and nothing seen is lost."""
    keep_the_laws(kind, history)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@settings(max_examples=200, deadline=None)
@given(data=json_values)
def test_hostile_state_is_a_value_error(kind: Kind, data: Any) -> None:
    """Whatever arrives is a state, which then encodes again, or a ValueError (CRDT_SPEC 9.6)."""
    try:
        state = type(kind.bottom).decode(data)
    except ValueError:
        return
    assert type(state).decode(state.encode()) == state


def _adds(a: GCounter, b: GCounter) -> GCounter:
    keys = {*a.totals, *b.totals}
    return GCounter({r: a.totals.get(r, 0) + b.totals.get(r, 0) for r in keys})


def _adds_totals(a: PNCounter, b: PNCounter) -> PNCounter:
    if a.epoch != b.epoch:
        return max(a, b, key=lambda counter: counter.epoch)
    none = Totals()
    pairs = {r: (a.totals.get(r, none), b.totals.get(r, none)) for r in {*a.totals, *b.totals}}
    return PNCounter(
        a.epoch, {r: Totals(x.plus + y.plus, x.minus + y.minus) for r, (x, y) in pairs.items()}
    )


def _writes_zeros(counter: PNCounter, hlc: int) -> PNCounter:
    return PNCounter(counter.epoch, {replica: Totals() for replica in counter.totals})


def _forgets_the_others(counter: PNCounter, replica: str, by: int = 1) -> PNCounter:
    return PNCounter(counter.epoch, {replica: counter.totals.get(replica, Totals()).add(by)})


def _takes_regardless(a: MVRegister, b: MVRegister) -> MVRegister:
    return MVRegister(a.seen.join(b.seen), merge_dots(a.siblings, {}, b.siblings, b.seen))


def _unseen_write(register: MVRegister, dot: Any, value: bytes, context: Any = None) -> MVRegister:
    return MVRegister(register.seen, {dot: value})


def _unseen_add(held: ORSet, element: str, dot: Any) -> ORSet:
    return ORSet(held.seen, {**held.dots, element: frozenset({dot})})


def _forgets_removals(a: ORSet, b: ORSet) -> ORSet:
    return ORSet(a.seen.join(b.seen), {**a.dots, **b.dots})


def _first_on_a_tie(a: LWWRegister, b: LWWRegister) -> LWWRegister:
    return a if a.hlc >= b.hlc else b


def _latter_wins(a: LWWElementSet, b: LWWElementSet) -> LWWElementSet:
    return LWWElementSet({**a.times, **b.times})


def _overwrites(a: VersionVector, b: VersionVector) -> VersionVector:
    return VersionVector({**a, **b})


DEFECTS = (
    (GCounter, "merge", _adds),
    (PNCounter, "merge", _adds_totals),
    (PNCounter, "reset", _writes_zeros),
    (PNCounter, "increment", _forgets_the_others),
    (MVRegister, "merge", _takes_regardless),
    (MVRegister, "write", _unseen_write),
    (ORSet, "add", _unseen_add),
    (ORSet, "merge", _forgets_removals),
    (LWWRegister, "merge", _first_on_a_tie),
    (LWWElementSet, "merge", _latter_wins),
    (VersionVector, "merge", _overwrites),
)


@pytest.mark.parametrize(
    ("broken", "method", "defect"), DEFECTS, ids=lambda item: getattr(item, "__name__", item)
)
def test_planted_defect_is_found(
    broken: type, method: str, defect: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The laws find each wrong method."""
    (kind,) = [kind for kind in KINDS if type(kind.bottom) is broken]
    monkeypatch.setattr(broken, method, defect)
    assert any(_breaks(kind, seed) for seed in range(FOUND_WITHIN))


def _breaks(kind: Kind, seed: int) -> bool:
    try:
        keep_the_laws(kind, steps(seed))
    except (AssertionError, ValueError):
        return True
    return False
