"""How long each category lives, and who has the last word on it. On each engine."""

from __future__ import annotations

import pytest

from memtend.clock import ManualClock
from memtend.explain import explain
from memtend.memory import Memory
from memtend.model.policy import Policy
from memtend.model.policyfile import Layout, PolicyFile
from memtend.model.policyset import PolicySet
from memtend.policies import dump_policies, load_policies
from tests.fixtures.agents import Join
from tests.fixtures.stores import set_policies

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HOME = "swarm-demo/agent-builder"


def test_each_category_ends_in_its_time(join: Join, memory: Memory, clock: ManualClock) -> None:
    agent = join("builder", session="s1")
    agent.initialize()
    agent.record_decision("storage", "SQLite")
    agent.record_progress("build")
    agent.share_knowledge("api", "v1")
    agent.learn_pattern("split", conditions={}, actions=[])
    agent.record_task_outcome("build", "success")
    agent.update_session_context(branch="main")
    agent.record_coordination("checkpoint", 1)
    agent.snapshot("before")

    def alive() -> set[str]:
        found = {
            "state": agent.state(), "decisions": agent.decisions(), "progress": agent.progress(),
            "knowledge": agent.knowledge(), "patterns": agent.patterns(),
            "outcomes": agent.outcomes(), "session": agent.session_context(),
            "coordination": agent.coordination(), "snapshots": agent.snapshots(),
        }  # fmt: skip
        return {name for name, value in found.items() if value}

    left = alive()
    assert len(left) == 9
    passed = 0
    for after_ms, ends in (
        (HOUR_MS, {"coordination"}), (DAY_MS, {"session"}), (7 * DAY_MS, {"state", "progress"}),
        (14 * DAY_MS, {"decisions"}), (30 * DAY_MS, {"snapshots"}), (90 * DAY_MS, {"knowledge"}),
        (365 * DAY_MS, {"patterns", "outcomes"}),
    ):  # fmt: skip
        clock.advance(after_ms - passed - 1)
        assert alive() == left, after_ms
        clock.advance(1)
        passed = after_ms
        left -= ends
        assert alive() == left, after_ms


def test_a_write_without_the_facade_lives_as_long(join: Join, memory: Memory) -> None:
    """Whoever puts a record where agents keep theirs means such a record."""
    join("builder").initialize()
    memory.put(f"{HOME}/decisions", "storage/mine", {"decision": "SQLite"})
    record = memory.read(f"{HOME}/decisions", "storage/mine")
    assert record is not None
    assert record.expires_at is not None
    found = explain(memory, f"{HOME}/decisions", "storage/mine")
    assert found.ttl_from == "layout 'swarm-*/agent-*/decisions': 14d"
    assert found.rules[0].why.endswith("(a default of the layout)")


def test_a_store_without_agents_is_left_alone(memory: Memory) -> None:
    """Names that look alike are no reason to let anything end."""
    memory.put(f"{HOME}/decisions", "storage", "SQLite")
    memory.put("neural/patterns", "mine", 1)
    for place in ((f"{HOME}/decisions", "storage"), ("neural/patterns", "mine")):
        record = memory.read(*place)
        assert record is not None
        assert record.expires_at is None
    assert not memory.config.file.policies.defaults


def test_reading_alone_changes_nothing(join: Join, memory: Memory) -> None:
    agent = join("builder")
    agent.decisions()
    agent.swarm_state()
    agent.health_report()
    agent.coordination_strategy()
    assert memory.store.meta().seq == 0
    assert not agent.memory.config.laid_out


def test_any_rule_of_the_file_that_matches_wins(join: Join, memory: Memory) -> None:
    set_policies(
        memory, Policy(pattern="swarm-*", ttl_ms=3 * DAY_MS), Policy(pattern="**", ttl_ms=DAY_MS)
    )
    agent = join("builder")
    agent.initialize()
    agent.learn_pattern("split", conditions={}, actions=[], pattern_id="p1")
    found = explain(agent.memory, HOME, "state")
    assert found.ttl_from == "policy 'swarm-*': 3d"
    assert "the policy file goes first" in found.rules[2].why
    assert explain(agent.memory, "neural/patterns", "p1").ttl_from == "policy '**': 1d"


def test_the_file_may_say_no_or_yes_to_the_layout(join: Join, memory: Memory) -> None:
    memory.config.set_policies(PolicyFile(layout=Layout.NONE), "operator")
    agent = join("builder")
    agent.initialize()
    assert agent.memory.config.policy(HOME, "state").ttl_ms is None
    memory.config.set_policies(PolicyFile(layout=Layout.SWARM), "operator")
    agent.update_state(step=2)
    assert agent.memory.config.policy(HOME, "state").ttl_ms == 7 * DAY_MS
    memory.config.set_policies(PolicyFile(), "operator")
    agent.update_state(step=3)
    assert agent.memory.config.policy(HOME, "state").ttl_ms == 7 * DAY_MS


def test_the_first_write_is_audited_and_holds_for_everybody(join: Join, memory: Memory) -> None:
    other = Memory(memory.store)
    join("builder").initialize()
    join("tester").initialize()
    entries = memory.store.engine.read("audits", (0, 100))
    assert [row[2] for row in entries].count("layout") == 1
    other.put(f"{HOME}/progress", "t", 1)
    record = other.read(f"{HOME}/progress", "t")
    assert record is not None
    assert record.expires_at is not None


def test_defaults_are_not_taken_for_rules_of_the_file(join: Join, memory: Memory) -> None:
    """Who edits what holds now and sets it again has not made the defaults their own."""
    join("builder").initialize()
    memory.config.refresh(memory.store.meta().config)
    file = memory.config.file
    assert file.policies.defaults
    memory.config.set_policies(file.model_copy(update={"layout": Layout.NONE}), "operator")
    assert memory.config.file.policies == PolicySet()


@pytest.mark.parametrize(
    "text",
    [
        "layout: none",
        "layout: swarm",
        "compression: {algorithm: none}",
        "{layout: swarm, compression: {level: 9, default_threshold_bytes: 10}}",
    ],
)
def test_a_file_with_a_layout_reads_back_the_same(text: str) -> None:
    file = load_policies(text)
    assert load_policies(dump_policies(file)) == file
    assert PolicyFile.model_validate_json(file.model_dump_json()) == file
