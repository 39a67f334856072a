"""docs/howto/agents.md: the table of old and new names is whole, and every new name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from memtend import AgentMemory
from memtend.cli import docs
from memtend.memory import Memory
from memtend.model.layoutrules import LAYOUT_RULES
from memtend.model.policyfile import Layout
from memtend.policies import load_policies

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "agents.md").read_text()
_OLDER = """
SwarmMemoryManager create_swarm_memory_manager quick_memory_health_check emergency_memory_cleanup
initialize_agent_memory store_agent_decision get_agent_decisions update_agent_progress
get_swarm_coordination_state record_task_outcome get_coordination_strategy
get_memory_health_report optimize_memory get_learning_insights share_knowledge_with_swarm
get_shared_knowledge create_memory_snapshot close
acquire_memory_lock release_memory_lock coordinated_memory_write coordinated_memory_read
register_coordination_callback send_coordination_message get_agent_memory_status
synchronize_with_swarm
store_memory retrieve_memory validate_memory_key parse_memory_key calculate_expiration
log_operation cleanup_expired_memory get_memory_usage_stats store_coordination_state
store_agent_memory retrieve_agent_memory store_swarm_coordination
get_current_usage_snapshot check_memory_health optimize_memory_usage get_memory_trends
generate_memory_report
record_coordination_outcome suggest_coordination_strategy analyze_coordination_trends
optimize_pattern_library
"""
OLDER = _OLDER.split()
"""Everything that the older program's five parts let a caller do."""

TABLE = PAGE.split("## Old names, new names")[1]
ROWS = re.findall(r"^\| (.+) \| (.+) \|$", TABLE, re.MULTILINE)[1:]
NAME = re.compile(r"`([a-zA-Z_.]+)[^`]*`")


def test_every_older_name_is_in_the_table() -> None:
    named = [name for old, _ in ROWS for name in NAME.findall(old)]
    assert sorted(named) == sorted(OLDER)


@pytest.mark.parametrize("new", [new for _, new in ROWS])
def test_what_takes_its_place_exists(new: str) -> None:
    commands = dict(docs.commands())
    for told in re.findall(r"`([^`]+)`", new):
        if told.startswith("memtend "):
            assert told in commands
        elif told.startswith("memory."):
            assert hasattr(Memory, told.removeprefix("memory."))
        elif told not in ("with", "pattern_id"):
            assert hasattr(AgentMemory, told.removeprefix("AgentMemory."))


def test_every_method_is_named_on_the_page() -> None:
    public = {name for name in dir(AgentMemory) if not name.startswith("_")} - {"alock"}
    assert {name for name in public if f"`{name}" not in PAGE and f".{name}" not in PAGE} == set()


def test_the_example_says_what_holds_anyway() -> None:
    file = load_policies(ROOT / "deployments" / "swarm-policies.yaml")
    assert {(rule.pattern, rule.ttl_ms) for rule in file.policies.rules} == {
        (rule.pattern, rule.ttl_ms) for rule in LAYOUT_RULES
    }
    assert file.layout is Layout.SWARM
