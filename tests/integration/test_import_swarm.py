"""An imported swarm goes on: its agents read what they kept, and learning finds its outcomes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memtend import AgentMemory
from memtend.clock import ManualClock
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.verify import verify_store
from tests.fixtures.claude_flow import NOON, rows
from tests.fixtures.foreign import snapshot
from tests.fixtures.swarm_file import SwarmFile

GOLDEN = Path(__file__).parents[1] / "golden/legacy"
LATER_MS = 1_795_220_000_000  # an hour before the sample's entries were made
SAID = "2026-11-21T00:30:00"
AT = datetime(2026, 11, 21, 0, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(LATER_MS)


@pytest.fixture
def services(store_url: str, tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    settings = Settings(plans_url=str(tmp_path / "plans"))
    with open_services(store_url, clock=clock, settings=settings) as opened:
        yield opened
        report = verify_store(opened.store)
        assert report.ok, report.findings


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The sample of the original program, and what its other calls would have stored."""
    root = Path(shutil.copytree(GOLDEN / "swarm", tmp_path / "source"))
    theirs = SwarmFile(root / "memory.db")
    agent = "swarm-fx/agent-a1"
    theirs.put(
        f"{agent}/decisions/storage",
        {"decision_type": "storage", "decision_data": {"use": "SQLite"}, "timestamp": SAID},
    )
    theirs.put(f"{agent}/progress/Task 1", {"status": "done", "progress_data": {"n": 3}})
    theirs.put(
        "swarm-fx/global/knowledge/api",
        {"knowledge_data": {"limit": 5}, "shared_by": "a1", "timestamp": SAID},
    )
    theirs.put("swarm-fx/agent-My Agent/state", {"status": "idle"}, agent_name="My Agent")
    theirs.put("swarm-fx/session-s1/context", {"goal": "ship"}, session_id="s1")
    theirs.put("swarm-fx/snapshots/before", {"timestamp": SAID, "active_agents": 2})
    theirs.put("swarm-fx/agent-a1/notes/gone", {"n": 1}, expires_at="2026-11-20T00:00:00")
    theirs.put("global/monitoring/snapshot-1763683440", {"memory_mb": 1.5})
    return root  # fmt: skip


def test_agents_of_an_imported_swarm_go_on(
    services: Services, source: Path, clock: ManualClock
) -> None:
    before = snapshot(source)
    plan = services.plan_import(str(source))
    report = services.apply_import(plan)
    assert (report.written, report.expired, report.quarantined) == (20, 1, 0)
    again = services.apply_import(services.plan_import(str(source)))
    assert (again.written, again.unchanged) == (0, 20)
    assert snapshot(source) == before

    clock.advance(2 * 3_600_000)
    with AgentMemory(services.memory, "a1", "fx", session="s1") as agent:
        assert agent.state() == {"status": "active"}
        assert agent.state("My Agent") == {"status": "idle"}
        (decision,) = agent.decisions()
        assert (decision.decision_type, decision.decision) == ("storage", {"use": "SQLite"})
        assert (decision.at, decision.agent) == (AT, "a1")
        (task,) = agent.progress()
        assert (task.task, task.status, task.data) == ("Task 1", "done", {"n": 3})
        (known,) = agent.knowledge()
        assert (known.knowledge_type, known.knowledge, known.agent) == ("api", {"limit": 5}, "a1")
        assert agent.session_context() == {"goal": "ship"}
        (pattern,) = agent.patterns()
        assert pattern.pattern_type == "optimization"
        assert pattern.description.startswith("Pattern for optimization")
        (info,) = agent.snapshots()
        assert (info.name, info.at, info.records) == ("before", AT, 1)
        kept = agent.snapshot_of("before").value("swarm-fx/snapshots", "before")
        assert kept["active_agents"] == 2
        outcomes = agent.outcomes()
        assert [one.outcome_id for one in outcomes] == [f"o{n}" for n in range(8, -1, -1)]
        assert outcomes[0].duration_s == 28.0
        assert agent.coordination_strategy().outcomes == 9
        swarm = agent.swarm_state()
        assert swarm.shared["coordination_version"] == "1.0.0"
        assert {one.agent for one in swarm.agents} == {"a1", "My Agent"}
        assert agent.locks() == {}
        assert agent.messages.backlog().waiting == 0
        assert agent.memory.get("swarm-fx/coordination-state", "checkpoint/1") == {"step": 3}
        # It is theirs now: they write on, and a later import does not take that away.
        agent.update_state(step=2)
        agent.record_decision("storage", "PostgreSQL")
        assert len(agent.decisions()) == 2
    last = services.apply_import(services.plan_import(str(source)))
    assert last.written == 0
    state = services.memory.get("swarm-fx/agent-a1", "state")
    assert (state["status"], state["step"]) == ("active", 2)


def test_deadlines_of_the_source_hold(services: Services, source: Path, clock: ManualClock) -> None:
    services.apply_import(services.plan_import(str(source)))
    read = services.memory.read("swarm-fx/agent-a1", "state")
    assert read is not None
    assert read.expires_at == datetime(2026, 12, 21, 0, 44, 0, 386_000, tzinfo=UTC)
    clock.advance(31 * 24 * 3_600_000)
    assert services.memory.get("swarm-fx/agent-a1", "state") is None
    assert services.memory.get("neural/outcomes", "o1") is not None


def test_claude_flow_comes_in_without_what_has_expired(store_url: str, tmp_path: Path) -> None:
    settings = Settings(plans_url=str(tmp_path / "plans"))
    living = [row for row in rows(60) if row[-1] is None or row[-1] > NOON]
    with open_services(store_url, clock=ManualClock(NOON * 1_000), settings=settings) as services:
        for written in (len(living), 0):
            report = services.apply_import(services.plan_import(str(GOLDEN / "claude-flow")))
            assert (report.written, report.expired) == (written, 60 - len(living))
        assert services.memory.get("preferences", "version-4") == "1.40"
        record = services.memory.read("command-history", f"cmd-{NOON}-0")
        assert record is not None
        assert record.value["exitCode"] == 0
        assert record.labels.session == "s1"
        assert record.labels.extra["original"] == {"form": "json"}
