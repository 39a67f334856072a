"""Erasing what upkeep has kept outside the rows: pruned records, rows that could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import PruneForgotten
from memtend.model.record import Labels
from memtend.model.subject import Subject
from memtend.services import Services
from tests.fixtures.archives import value
from tests.fixtures.pruning import plan_of, pruning, whole
from tests.fixtures.stores import run_sql

NS = "swarm-x/agent-bobby/notes"


@pytest.fixture
def services(tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    with pruning("sqlite://", tmp_path, clock) as opened:
        yield opened
        assert opened.verify_store().ok


def fill(services: Services, agent: str, keys: str, namespace: str = NS) -> list[str]:
    labels = Labels(kind="pattern", agent=agent)
    services.memory.put_many(
        Put(namespace, f"{agent}-{key}", value(ord(key)), labels) for key in keys
    )
    return [f"{namespace}/{agent}-{key}" for key in keys]


@pytest.mark.parametrize("pruned", ["ab", "abc"])
def test_names_of_what_was_pruned_go_with_their_agent(services: Services, pruned: str) -> None:
    """Out of the change log; out of history and regret with the namespace, if that is empty now."""
    paths = fill(services, "bobby", "abc")
    fill(services, "ada", "a", "other")
    services.apply_prune(plan_of(services, *paths[: len(pruned)]))
    report = services.apply_erase(services.plan_erase(Subject.of_agent("bobby")))
    assert report.residue == 0
    assert run_sql(services.memory, "SELECT key FROM log") == []
    assert services.regrets() == []
    assert [one.namespaces for one in services.prunings()] == [{}]
    assert NS not in services.store.namespaces.load()


def test_what_others_had_pruned_beside_it_still_comes_back(services: Services) -> None:
    """Even where nothing else is left in the namespace, and at a path that both wrote."""
    memory = services.memory
    first = services.apply_prune(plan_of(services, *fill(services, "bobby", "ab")))
    memory.put(NS, "bobby-a", "mine now", labels=Labels(agent="ada"))
    paths = [*fill(services, "ada", "a"), f"{NS}/bobby-a"]
    before = whole(memory, NS)
    second = services.apply_prune(plan_of(services, *paths))
    report = services.apply_erase(services.plan_erase(Subject.of_agent("bobby")))
    assert report.residue == 0
    with pytest.raises(PruneForgotten):
        services.undo_prune(first.plan)
    assert services.undo_prune(second.plan).written == 2
    assert whole(memory, NS) == before


@pytest.mark.parametrize("damage", ["exp = 5", "body = X'00'"])
@pytest.mark.parametrize("what", ["record", "agent"])
def test_rows_that_could_not_be_read_are_erased_where_they_are_kept(
    services: Services, tmp_path: Path, what: str, damage: str
) -> None:
    """By name or by whose they are; what is of others stays where it is."""
    fill(services, "bobby", "ab")
    fill(services, "ada", "a")
    run_sql(services.memory, f"UPDATE sibling SET {damage} WHERE key <> 'bobby-b'")
    services.apply_optimize(services.plan_optimize(["damaged"]))
    subjects = {"record": Subject.of_record(NS, "bobby-a"), "agent": Subject.of_agent("bobby")}
    for _ in range(2):  # repeated, it changes nothing
        report = services.apply_erase(services.plan_erase(subjects[what]))
        assert report.residue == 0
        [file] = (tmp_path / "plans/quarantine").iterdir()
        assert [b"ada-a" in line for line in file.read_bytes().splitlines()] == [True]
    assert report.unreadable_rows == 0
