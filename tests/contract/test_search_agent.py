"""A search by agent finds what a look at every record would, also by an index that is damaged."""

from __future__ import annotations

from memtend import Labels, Memory
from memtend.drafting import Put
from memtend.model.query import Query
from memtend.model.record import Trust
from memtend.store import narrowing
from memtend.store.quarantine import mark_writer
from tests.fixtures.stores import beside, run_sql

ADA, BOB = Labels(agent="ada"), Labels(agent="bob")


def found(memory: Memory, **conditions: object) -> list[str]:
    query = Query(**{"agent": "ada", "limit": 1_000} | conditions)
    return [record.path for record in memory.search(query)]


def fill(memory: Memory) -> list[str]:
    """In three namespaces, in another order than that of their ids; more than one page."""
    places = [(ns, f"k{n:03}") for ns in ("z", "a/b", "m") for n in range(60)]
    memory.put_many(Put(*place, {"n": 1}, (ADA, BOB)[n % 5 == 0]) for n, place in enumerate(places))
    return sorted(f"{ns}/{key}" for n, (ns, key) in enumerate(places) if n % 5)


def test_all_of_an_agent_comes_by_namespace_and_key(memory: Memory) -> None:
    want = fill(memory)
    assert found(memory) == want
    assert found(memory, limit=7) == want[:7]
    assert found(memory, namespace="m") == [path for path in want if path.startswith("m/")]
    assert found(memory, agent="nobody") == []
    memory.delete("a/b", "k001")
    memory.put("m", "k001", {"n": 2}, labels=BOB)
    assert found(memory) == [path for path in want if path not in ("a/b/k001", "m/k001")]


def test_of_several_values_the_one_that_is_shown_decides(memory: Memory) -> None:
    memory.put("n", "older", 1, labels=ADA)
    beside(memory, "n", "older", 2, labels=BOB)
    memory.put("n", "newer", 1, labels=BOB)
    beside(memory, "n", "newer", 2, labels=ADA)
    assert found(memory) == ["n/newer"]


def test_parts_of_sets_and_hidden_records_are_not_found(memory: Memory) -> None:
    memory.add("n", "set", "x")
    memory.put("n", "seen", 1, labels=Labels(agent="ada", tags=("t",), confidence=0.9))
    memory.put("n", "hidden", 1, labels=Labels(agent="ada", writer="eve"))
    mark_writer(memory.store, "eve", Trust.QUARANTINED, actor="owner")
    assert found(memory) == ["n/seen"]
    assert found(memory, tag="t", confidence_min=0.5) == ["n/seen"]
    assert found(memory, confidence_max=0.5) == []


def test_where_the_total_says_otherwise_every_record_is_looked_at(damageable: Memory) -> None:
    want = fill(damageable)
    run_sql(damageable, "UPDATE tally SET rows = rows + 1 WHERE scope = 'agent'")
    damageable.store.namespaces.load()
    assert narrowing.namespaces_of(damageable.store, "ada", lambda _: True) is None
    assert found(damageable) == want
