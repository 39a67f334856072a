"""Users' functions that settle conflicts for readers; the commands that settle them for good."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from memtend.clock import ManualClock
from memtend.errors import InvalidName, InvalidPolicy, InvalidValue, ResolverFailed, ResolverUnknown
from memtend.memory import Memory
from memtend.model.policy import Policy, Reading
from memtend.model.query import Query
from memtend.model.version import Resolver, Version
from memtend.policies import load_policies
from memtend.resolving import conflict, settle, settle_all
from tests.fixtures.cli import Cli
from tests.fixtures.replicas import Make, sync
from tests.fixtures.stores import beside, set_policies

NS = "notes/shared"
BY_UNION = Policy(pattern="notes/*", resolver="union")


def union(versions: Sequence[Version]) -> list[Any]:
    return sorted({item for version in versions for item in version.value})


def contested(memory: Memory, policy: Policy = BY_UNION) -> Memory:
    set_policies(memory, policy)
    memory.put(NS, "k", [1, 2])
    beside(memory, NS, "k", [2, 3])
    return memory


@pytest.fixture
def shared(memory: Memory) -> Memory:
    memory.resolvers.register("union", union)
    return contested(memory)


def test_readers_are_shown_what_the_function_makes(shared: Memory) -> None:
    assert shared.get(NS, "k") == [1, 2, 3]
    assert shared.get_many(NS, ["k"]) == {"k": [1, 2, 3]}
    assert shared.scan(NS) == [("k", [1, 2, 3])]
    record = shared.read(NS, "k")
    assert record is not None
    assert (record.value, record.conflicts) == ([1, 2, 3], 1)
    assert [one.value for one in shared.search(Query(text="1,2,3"))] == [[1, 2, 3]]
    assert len(shared.siblings(NS, "k")) == 2  # shown, not stored
    assert shared.update(NS, "k", lambda before: [*before, 4]) == [1, 2, 3, 4]
    assert [one.value for one in shared.siblings(NS, "k")] == [[1, 2, 3, 4]]


def test_a_single_value_is_shown_as_it_is(shared: Memory) -> None:
    shared.put(NS, "one", "no list")
    assert shared.get(NS, "one") == "no list"


def test_whoever_opened_the_store_together_knows_the_same(shared: Memory) -> None:
    assert Memory(shared.store, agent="ada").get(NS, "k") == [1, 2, 3]


def test_versions_come_in_the_same_order_everywhere(replica: Make) -> None:
    told: list[list[tuple[Any, str | None, str]]] = []

    def first(versions: Sequence[Version]) -> Any:
        told.append([(one.value, one.writer, one.replica) for one in versions])
        assert [one.at for one in versions] == sorted(one.at for one in versions)
        return versions[0].value

    a = replica(resolvers={"first": first}, agent="ada")
    b = replica("file", resolvers={"first": first}, agent="bob")
    for memory, value in ((a, "x"), (b, "y")):
        set_policies(memory, Policy(pattern="notes/*", resolver="first"))
        memory.put(NS, "k", value)
    sync(a, b)
    assert a.get(NS, "k") == b.get(NS, "k")
    assert told[0] == told[1]
    assert {who for _, who, _ in told[0]} == {"ada", "bob"}


def failing(_: Sequence[Version]) -> Any:
    raise KeyError("gone")


def endless(versions: Sequence[Version]) -> Any:
    return endless(versions)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (failing, "KeyError: 'gone'"),
        (lambda _: object(), "not JSON serializable"),
        (lambda _: float("nan"), "nan is not a JSON number"),
        (lambda _: 2**60, "exceeds"),
        (endless, "RecursionError"),
        (None, "TypeError"),
    ],
)
def test_a_function_that_fails_loses_nothing(memory: Memory, function: Resolver, why: str) -> None:
    memory.resolvers.register("union", function)
    contested(memory)
    for read in (memory.get, memory.read, lambda *_: memory.scan(NS)):
        with pytest.raises(ResolverFailed, match=why):
            read(NS, "k")
    assert [one.value for one in memory.siblings(NS, "k")] == [[1, 2], [2, 3]]
    view = conflict(memory, NS, "k")
    assert view is not None
    assert (len(view.siblings), len(view.problems)) == (2, 1)
    assert settle(memory, NS, "k", take=1) == [1, 2]
    assert memory.get(NS, "k") == [1, 2]


def test_a_function_may_do_what_it_likes_with_what_it_is_given(memory: Memory) -> None:
    def greedy(versions: Sequence[Version]) -> Any:
        versions[0].value.clear()
        return versions[1].value

    memory.resolvers.register("union", greedy)
    contested(memory)
    assert [memory.get(NS, "k") for _ in range(2)] == [[2, 3], [2, 3]]
    assert len(conflict(memory, NS, "k").problems) == 0  # type: ignore[union-attr]


def test_a_function_that_is_not_pure_settles_nothing(memory: Memory) -> None:
    answers = iter(range(99))
    memory.resolvers.register("union", lambda _: next(answers))
    contested(memory)
    with pytest.raises(ResolverFailed, match="two answers"):
        settle(memory, NS, "k", strategy="function:union")
    _, report = settle_all(memory, "**", "function:union", apply=True)
    assert (report.written, report.refused) == (0, 1)
    assert len(memory.siblings(NS, "k")) == 2


def test_a_function_settles_for_good(shared: Memory) -> None:
    assert settle(shared, NS, "k", strategy="function:union") == [1, 2, 3]
    assert [one.value for one in shared.siblings(NS, "k")] == [[1, 2, 3]]
    assert conflict(shared, NS, "k") is None


def test_a_name_that_nobody_registered(memory: Memory) -> None:
    contested(memory)
    with pytest.raises(ResolverUnknown, match="'union', which is not known here"):
        memory.get(NS, "k")
    with pytest.raises(InvalidName):
        memory.resolvers.register("two words", union)
    beside(memory, "plain/ns", "k", 1)
    beside(memory, "plain/ns", "k", 2)
    with pytest.raises(InvalidValue, match="'newest' is neither lww nor function:NAME"):
        settle(memory, "plain/ns", "k", strategy="newest")
    with pytest.raises(InvalidValue, match="neither"):
        settle_all(memory, "**", "multi_value")


def test_an_installed_package_offers_functions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    (tmp_path / "merging.py").write_text("def longest(versions):\n"
                                         "    return max(v.value for v in versions)\n")  # fmt: skip
    info = tmp_path / "merging-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: merging\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[memtend.resolvers]\nlongest = merging:longest\nbroken = merging:missing\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with Memory.open("sqlite://", clock=clock) as memory:
        contested(memory, Policy(pattern="notes/*", resolver="longest"))
        assert "merging" not in sys.modules
        assert memory.get(NS, "k") == [2, 3]
        assert {"longest", "broken"} <= set(memory.resolvers.names())
        set_policies(memory, Policy(pattern="notes/*", resolver="broken"))
        with pytest.raises(ResolverFailed, match="missing"):
            memory.get(NS, "k")
    sys.modules.pop("merging")


def test_the_policy_file_names_a_function() -> None:
    text = 'namespaces:\n  - {namespace: "a", ttl: 1h, conflict_strategy: "function:%s"}\n'
    [rule] = load_policies(text % "my.union-2").policies.rules
    assert (rule.resolver, rule.strategy) == ("my.union-2", "function:my.union-2")
    for name in ("", "two words", "x" * 65, "1st"):
        with pytest.raises(InvalidPolicy, match=r"line 2: .* names no function"):
            load_policies(text % name)
    with pytest.raises(ValueError, match="not beside it"):
        Policy(pattern="a", reading=Reading.MV, resolver="union")


def test_conflicts_from_the_command_line(cli: Cli) -> None:
    def contest() -> None:
        with Memory.open("memtend.db") as memory:
            memory.put(NS, "k", "older")
            beside(memory, NS, "k", {"newer": True})

    assert "no key has conflicting values" in cli("conflicts", "list").told
    contest()
    [listed] = cli("conflicts", "list", "notes/*", "--json").json
    assert (listed["key"], listed["siblings"], listed["values"]) == ("k", 2, 2)
    assert "notes/shared/k" in cli("conflicts", "list").out
    shown = cli("conflicts", "show", NS, "k", "--json").json
    assert [one["value"] for one in shown["siblings"]] == ["older", {"newer": True}]
    assert shown["shows"] == {"lww": {"newer": True}, "mv": ["older", {"newer": True}]}
    told = cli("conflicts", "show", NS, "k")
    assert "older" in told.out
    assert f"--seen {shown['seen']}" in told.told
    got = cli("get", NS, "k")
    assert "1 more concurrent values: memtend conflicts show notes/shared k" in got.told
    late = cli("conflicts", "resolve", NS, "k", "--take", "1", "--seen", "other", "--json")
    assert (late.status, late.error["code"]) == (15, 15)
    done = cli("conflicts", "resolve", NS, "k", "--take", "1", "--seen", shown["seen"], "--json")
    assert done.json["value"] == "older"
    assert cli("get", NS, "k").told == ""
    assert cli("conflicts", "show", NS, "k").status == 17
    assert [one["action"] for one in cli("audit", "show", "--json").json][-1] == "resolve"
    contest()
    assert cli("conflicts", "resolve", NS, "k", "--value", '{"merged": 1}').status == 0
    assert json.loads(cli("get", NS, "k").out) == {"merged": 1}


def test_all_conflicts_at_once(cli: Cli) -> None:
    with Memory.open("memtend.db") as memory:
        for key in ("a", "b"):
            for value in (1, 2):
                beside(memory, NS, key, value)
    everything = ("conflicts", "resolve", "--all", "--strategy", "lww", "--namespace", "notes/*")
    plan = cli(*everything)
    assert "would settle 2 conflicts" in plan.told
    assert len(cli(*everything, "--json").json["decisions"]) == 2
    assert "2 conflicts settled, 0 left" in cli(*everything, "--apply").told
    assert cli("list", NS, "--json").json == [{"key": "a", "value": 2}, {"key": "b", "value": 2}]
    assert cli(*everything, "--apply", "--json").json["written"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("resolve",),
        ("resolve", NS, "k"),
        ("resolve", NS, "k", "--take", "1", "--strategy", "lww"),
        ("resolve", NS, "k", "--take", "0"),
        ("resolve", "--all"),
        ("resolve", NS, "k", "--all", "--strategy", "lww"),
        ("resolve", "--all", "--take", "1"),
    ],
)
def test_what_makes_no_sense_is_refused(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli("conflicts", *arguments).status == 2
