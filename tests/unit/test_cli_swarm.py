"""`memtend swarm …`: what agents left, told to people and to programs."""

from __future__ import annotations

import pytest

from memtend import AgentMemory
from memtend.memory import Memory
from tests.fixtures.cli import Cli


@pytest.fixture
def told(cli: Cli) -> Cli:
    """The command on a store in which two agents have been at work."""
    with Memory.open("memtend.db") as memory:
        builder = AgentMemory(memory, "builder", "demo", "s1")
        reviewer = AgentMemory(memory, "code reviewer", "demo")
        builder.initialize({"languages": ["python"]})
        builder.record_progress("write tests", done=0.4)
        made = builder.record_decision("storage", "SQLite", rationale="one file")
        builder.record_decision("naming", "short\x1b[31m")
        reviewer.record_decision_outcome(made, "success", agent="builder")
        reviewer.share_knowledge("api", {"retries": 3}, topic="rest", confidence=0.7)
        reviewer.leave()
        builder.snapshot("before")
        AgentMemory(memory, "builder", "other").initialize()
    return cli


def test_swarms_are_listed(told: Cli) -> None:
    assert told("swarm", "list", "--json").json == ["demo", "other"]
    assert "other" in told("swarm", "list").out


def test_a_swarm_is_shown(told: Cli) -> None:
    shown = told("swarm", "show", "demo")
    for text in ("builder", "alive", "write tests 40%", "code reviewer", "offline", "before"):
        assert text in shown.out
    assert "alive 1, silent 0, offline 1; knowledge 1" in shown.told
    data = told("swarm", "show", "demo", "--json").json
    assert [one["agent"] for one in data["agents"]] == ["builder", "code reviewer"]
    assert [one["name"] for one in data["snapshots"]] == ["before"]
    assert "no agent of nobody" in told("swarm", "show", "nobody").told


def test_decisions_are_listed_and_never_steer_a_terminal(told: Cli) -> None:
    shown = told("swarm", "decisions", "demo")
    assert "success" in shown.out
    assert "\x1b" not in shown.out
    [found] = told("swarm", "decisions", "demo", "--type", "storage", "--json").json
    assert (found["decision"], found["outcomes"][0]["agent"]) == ("SQLite", "code reviewer")
    assert told("swarm", "decisions", "demo", "--text", "one FILE", "--json").json == [found]
    assert told("swarm", "decisions", "demo", "--of", "code reviewer", "--json").json == []
    assert "no decision fits" in told("swarm", "decisions", "nobody").told


def test_knowledge_is_listed(told: Cli) -> None:
    assert "70%" in told("swarm", "knowledge", "demo").out
    [found] = told("swarm", "knowledge", "demo", "--type", "api", "--json").json
    assert (found["knowledge"], found["topic"]) == ({"retries": 3}, "rest")
    assert "no knowledge fits" in told("swarm", "knowledge", "demo", "--text", "nothing").told


def test_an_agent_sees_what_its_grants_allow(told: Cli) -> None:
    told("grant", "auditor", "swarm-demo/agent-builder", "read")
    assert told("swarm", "list", "--agent", "auditor", "--json").json == ["demo"]
    shown = told("swarm", "show", "demo", "--agent", "auditor", "--json").json
    assert [one["agent"] for one in shown["agents"]] == ["builder"]
    assert told("swarm", "knowledge", "demo", "--agent", "auditor").status == 18


def test_an_empty_store_has_no_swarm(cli: Cli) -> None:
    assert "no swarm" in cli("swarm", "list").told
    assert cli("swarm", "show", "").status == 10


def test_policies_show_where_a_rule_comes_from(told: Cli) -> None:
    shown = told("policies", "show")
    assert any("neural/outcomes" in line and "layout" in line for line in shown.out.splitlines())
    rules = told("policies", "show", "--json").json["policies"]
    assert (rules["rules"], len(rules["defaults"])) == ([], 15)
    assert "neural" not in told("policies", "show", "--yaml").out
