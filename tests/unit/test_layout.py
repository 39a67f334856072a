"""The layout's paths: every name comes back, no two places meet, nothing leads elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.errors import InvalidName
from memtend.model.layout import (
    Kind,
    Place,
    SwarmLayout,
    locate,
    names_of,
    outcome_place,
    pattern_place,
    place_of,
)
from memtend.model.layoutrules import LAYOUT_RULES
from memtend.model.pattern import compile_pattern
from memtend.model.policyset import PolicySet

TRICKY = st.sampled_from(["a", "a/b", "a_b", "q=a", "..", "*", "agent-x", "outcome", "state", " "])
CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
SHORT = TRICKY | st.text(CHARACTERS, min_size=1, max_size=7)
NAMES = SHORT | st.text(CHARACTERS, min_size=1, max_size=20)

PLACES: dict[Kind, tuple[int, Callable[..., Place]]] = {
    Kind.STATE: (1, SwarmLayout.state),
    Kind.HEARTBEAT: (1, SwarmLayout.heartbeat),
    Kind.CURSOR: (2, SwarmLayout.cursor),
    Kind.DECISION: (3, SwarmLayout.decision),
    Kind.DECISION_OUTCOME: (3, SwarmLayout.decision_outcome),
    Kind.PROGRESS: (2, SwarmLayout.progress),
    Kind.KNOWLEDGE: (3, SwarmLayout.knowledge),
    Kind.COORDINATION: (2, SwarmLayout.coordination),
    Kind.SNAPSHOT: (1, SwarmLayout.snapshot),
    Kind.SESSION: (1, SwarmLayout.session),
}
"""How many names lead to a place of each kind."""


@st.composite
def places(draw: st.DrawFn) -> tuple[Kind, str | None, tuple[str, ...], Place]:
    kind = draw(st.sampled_from([*PLACES, Kind.OUTCOME, Kind.PATTERN, Kind.SWARM]))
    swarm = draw(NAMES)
    names: tuple[str, ...] = tuple(draw(NAMES) for _ in range(PLACES.get(kind, (0, None))[0]))
    try:
        if kind is Kind.SWARM:
            return kind, swarm, (), SwarmLayout(swarm).shared
        if kind in PLACES:
            return kind, swarm, names, PLACES[kind][1](SwarmLayout(swarm), *names)
        number = draw(NAMES)
        make: Any = outcome_place if kind is Kind.OUTCOME else pattern_place
        return kind, None, (number,), make(number)
    except InvalidName:  # too long once it is quoted
        return Kind.SWARM, "x", (), SwarmLayout("x").shared


@given(places())
def test_every_name_comes_back(made: tuple[Kind, str | None, tuple[str, ...], Place]) -> None:
    kind, swarm, names, place = made
    assert locate(*place) == (kind, swarm, names)
    assert place_of(place.path) == place


@given(places(), places())
def test_two_places_are_one_only_for_the_same_names(
    one: tuple[Kind, str | None, tuple[str, ...], Place],
    two: tuple[Kind, str | None, tuple[str, ...], Place],
) -> None:
    assert (one[:3] == two[:3]) == (one[3].path == two[3].path)


@given(SHORT, SHORT)
def test_an_agent_never_gets_into_the_memory_of_another(mine: str, other: str) -> None:
    """A grant on one agent's namespace covers another agent only if it is the same one."""
    layout = SwarmLayout("demo")
    covered = compile_pattern(layout.agent(mine)).governs(layout.state(other).path)
    assert covered == (mine == other)


@pytest.mark.parametrize("name", ["", "x" * 97, "é" * 17, None, 7])
def test_what_is_no_name_is_refused(name: Any) -> None:
    with pytest.raises(InvalidName):
        SwarmLayout(name)
    with pytest.raises(InvalidName):
        SwarmLayout("demo").state(name)


def test_a_task_may_be_a_sentence() -> None:
    place = SwarmLayout("demo").progress("builder", "Ship version 2 (really!)")
    assert place.path == (
        "swarm-demo/agent-builder/progress/q=Ship=20version=202=20=28really=21=29"
    )


def test_the_longest_names_fit_into_one_path() -> None:
    longest = "x" * 96
    layout = SwarmLayout(longest)
    layout.decision(longest, longest, longest)
    layout.decision_outcome(longest, longest, longest)
    layout.knowledge(longest, longest, "x" * 160)
    layout.progress(longest, "x" * 160)


@pytest.mark.parametrize(
    "path",
    [
        "swarm-fx/agent-a1/state",
        "swarm-fx/global/coordination",
        "neural/outcomes/o0",
        "neural/patterns/pattern_optimization_850792ba",
        "swarm-fx/agent-a1/decisions/task_assignment",
        "swarm-fx/agent-a1/progress/t1",
        "swarm-fx/global/knowledge/optimization",
        "swarm-fx/snapshots/snapshot_fx_a1_1",
    ],
)
def test_paths_of_the_older_program_are_found_where_agents_look(path: str) -> None:
    place = place_of(path)
    assert place.path == path
    assert locate(*place) is not None


@pytest.mark.parametrize(
    ("path", "days"),
    [
        ("swarm-demo/agent-a/state", 7),
        ("swarm-demo/agent-a/progress/t", 7),
        ("swarm-demo/agent-a/decisions/kind/d1", 14),
        ("swarm-demo/global/knowledge/kind/a", 90),
        ("neural/patterns/p1", 365),
        ("neural/outcomes/o1", 365),
        ("swarm-demo/session-s1/context", 1),
        ("swarm-demo/coordination/checkpoint/a", 1 / 24),
        ("swarm-demo/global/coordination", 1 / 24),
        ("swarm-demo/agent-a/heartbeat", 1 / 24),
    ],
)
def test_each_category_has_its_retention(path: str, days: float) -> None:
    namespace, _, key = path.rpartition("/")
    policies = PolicySet().behind(LAYOUT_RULES)
    assert policies.resolve(namespace, key).ttl_ms == days * 86_400_000


def test_what_the_layout_does_not_know_is_left_alone() -> None:
    """A program's own records live as long as the policy file says, wherever it keeps them."""
    policies = PolicySet().behind(LAYOUT_RULES)
    assert policies.resolve("swarm-demo/agent-a/notes", "mine").ttl_ms is None
    assert policies.resolve("neural", "weights").ttl_ms is None
    assert policies.resolve("global/monitoring", "snapshot-1").ttl_ms is None


@given(SHORT)
def test_an_address_is_its_owner_as_well(name: str) -> None:
    """So that who erases an agent erases what was sent to its inbox in a swarm."""
    address = SwarmLayout("demo").agent(name)
    assert names_of(address) == (address, name)
    assert names_of(f"{address}/deeper") == (f"{address}/deeper",)
    assert names_of("ada") == ("ada",)
