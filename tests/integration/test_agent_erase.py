"""An agent that is erased is gone from its swarm: records, what it shared, messages."""

from __future__ import annotations

from pathlib import Path

from memtend import AgentMemory, open_services
from memtend.clock import ManualClock
from memtend.model.subject import Subject
from tests.fixtures.erasing import erase

SECRET = "the secret of ada"


def test_an_erased_agent_leaves_nothing_in_its_swarm(tmp_path: Path, clock: ManualClock) -> None:
    with open_services(f"sqlite:///{tmp_path}/store.db", clock=clock) as services:
        ada = AgentMemory(services.memory, "ada", "demo", "s1")
        bob = AgentMemory(services.memory, "bob", "demo")
        for agent in (ada, bob):
            agent.initialize()
        ada.record_decision("storage", SECRET)
        ada.share_knowledge("api", SECRET)
        ada.record_progress("task", note=SECRET)
        ada.record_task_outcome("build", "success", metadata={"said": SECRET})
        ada.send("bob", SECRET)
        ada.snapshot("before")
        bob.send("ada", "for ada only")
        bob.record_decision("storage", "of bob")
        clock.advance(1_000)
        report = erase(services, Subject.of_agent("ada"))
        assert report.residue == 0
        assert bob.receive() == []
        assert ada.messages.peek() == []
        assert bob.knowledge() == []
        assert bob.snapshots() == []
        assert [one.agent for one in bob.swarm_state().agents] == ["bob"]
        assert [one.decision for one in bob.decisions(agent="*")] == ["of bob"]
        ada.initialize()
        bob.send("ada", "welcome back")
        assert [one.body for one in ada.receive()] == ["welcome back"]
