"""Agents at the same time: threads, processes, two machines; locks, messages, grants."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from memtend import AgentMemory
from memtend.clock import ManualClock
from memtend.errors import AccessDenied, LeaseHeld
from memtend.memory import Memory
from memtend.store.verify import verify_store
from tests.fixtures.agents import Join
from tests.fixtures.replicas import Make, assert_alike, sync

PROGRAM = """
import sys
from memtend import AgentMemory
url, name = sys.argv[1:]
with AgentMemory.open(url, agent=name, swarm="demo", session="s1", durability="normal") as agent:
    agent.initialize()
    for number in range(20):
        agent.record_decision("step", number)
        agent.share_knowledge("count", number, topic=f"n{number}")
        agent.record_progress(f"task {number}", done=1)
        agent.record_task_outcome("step", "success")
        agent.update_state(**{f"field{number}": number})
"""


def test_threads_lose_nothing_of_each_other(join: Join) -> None:
    def work(name: str) -> None:
        agent = join(name)
        agent.initialize()
        for number in range(10):
            agent.record_decision("step", number)
            agent.share_knowledge("count", number, topic=f"n{number}")
            agent.record_progress(f"task {number}", done=1)

    names = [f"agent {number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as pool:
        for done in [pool.submit(work, name) for name in names]:
            done.result()
    observer = join("observer")
    assert len(observer.decisions(agent="*", limit=1_000)) == 60
    assert len(observer.knowledge("count", limit=1_000)) == 60
    assert all(len(observer.progress(agent=name)) == 10 for name in names)
    assert observer.swarm_state().alive == 6


def test_one_agent_in_several_threads_loses_no_field(join: Join) -> None:
    agent = join("builder", session="s1")
    with ThreadPoolExecutor(4) as pool:
        for number in range(20):
            pool.submit(agent.update_state, **{f"field{number}": number})
            pool.submit(agent.update_session_context, **{f"field{number}": number})
    state, context = agent.state(), agent.session_context()
    assert state is not None
    assert all(state[f"field{n}"] == context[f"field{n}"] == n for n in range(20))


def test_processes_lose_nothing_of_each_other(lasting_url: str) -> None:
    with Memory.open(lasting_url):
        pass
    running = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, lasting_url, f"agent{number}"])
        for number in range(4)
    ]
    assert [one.wait() for one in running] == [0] * 4
    with AgentMemory.open(lasting_url, agent="observer", swarm="demo") as observer:
        assert len(observer.decisions(agent="*", limit=1_000)) == 80
        assert len(observer.knowledge("count", limit=1_000)) == 80
        assert len(observer.outcomes(limit=1_000)) == 80
        state = observer.swarm_state()
        assert (state.alive, [len(one.progress) for one in state.agents]) == (4, [20] * 4)
        assert all(one.state["field19"] == 19 for one in state.agents)
        assert verify_store(observer.memory.store).ok


def test_two_machines_that_decide_at_once_are_both_heard(both: tuple[Memory, Memory]) -> None:
    here, there = (AgentMemory(memory, "builder", "demo") for memory in both)
    for agent, option in ((here, "SQLite"), (there, "PostgreSQL")):
        agent.initialize()
        agent.record_decision("storage", option)
        agent.share_knowledge("api", option, topic=option)
    AgentMemory(both[1], "reviewer", "demo").share_knowledge("api", "neither")
    sync(*both)
    for agent in (here, there):
        assert {made.decision for made in agent.decisions()} == {"SQLite", "PostgreSQL"}
        assert len(agent.knowledge("api")) == 3
        assert agent.swarm_state().agents[0].agent == "builder"
    assert_alike(*both)


def test_what_comes_from_another_machine_is_news(replica: Make, clock: ManualClock) -> None:
    here, there = replica(), replica()
    reviewer = AgentMemory(here, "reviewer", "demo")
    reviewer.synchronize()
    AgentMemory(there, "builder", "demo").record_decision("storage", "SQLite")
    sync(here, there)
    assert [one.decision for one in reviewer.synchronize().decisions] == ["SQLite"]
    assert not reviewer.synchronize()
    sync(here, there)
    elsewhere = AgentMemory(there, "reviewer", "demo")
    assert not elsewhere.synchronize(peek=True).progress


def test_a_lock_keeps_others_out(join: Join) -> None:
    builder, tester = join("builder"), join("tester")
    with builder.lock("deploy/web server") as lease:
        assert list(tester.locks()) == ["deploy/web server"]
        with pytest.raises(LeaseHeld), tester.lock("deploy/web server", wait_s=0):
            pass
        with join("tester", swarm="other").lock("deploy/web server", wait_s=0):
            pass
        builder.memory.put("swarm-demo/coordination/web", "state", "rolling", lease=lease)
    assert tester.locks() == {}


def test_messages_reach_the_agent_of_this_swarm(join: Join) -> None:
    builder, reviewer = join("builder"), join("code reviewer")
    builder.initialize()
    reviewer.initialize()
    builder.send("code reviewer", {"look": "at this"}, topic="review")
    join("builder", swarm="other").send("code reviewer", "not yours")
    assert reviewer.synchronize().messages_waiting == 1
    [message] = reviewer.receive()
    assert (message.body, reviewer.sender_of(message)) == ({"look": "at this"}, "builder")
    reviewer.messages.reply(message, "done")
    reviewer.messages.ack(message)
    answer = builder.messages.answer(message.id)
    assert answer is not None
    assert answer.body == "done"
    builder.broadcast("stop")
    assert [one.body for one in reviewer.receive()] == ["stop"]
    assert builder.receive() == []


def test_who_has_left_hears_nothing_more(join: Join, clock: ManualClock) -> None:
    builder, tester = join("builder"), join("tester")
    builder.initialize()
    tester.initialize()
    builder.send("tester", "one")
    clock.advance(2 * 3_600_000)
    report = tester.health_report()
    assert (report.messages_waiting, report.healthy) == (1, False)
    tester.leave()
    builder.broadcast("two")
    assert tester.health_report().messages_waiting == 1


def test_an_agent_may_do_what_its_grants_allow(memory: Memory, join: Join) -> None:
    for pattern, right in (
        ("swarm-demo", "read"), ("swarm-demo/agent-builder", "write"),
        ("swarm-demo/global", "write"), ("neural", "write"),
    ):  # fmt: skip
        memory.config.grant("builder", pattern, right, "operator")  # type: ignore[arg-type]
    memory.config.grant("tester", "swarm-demo/agent-tester", "write", "operator")
    builder, tester = join("builder"), join("tester")
    builder.initialize()
    tester.initialize()
    made = tester.record_decision("private", "x")
    builder.share_knowledge("api", "v1")
    builder.record_task_outcome("build", "success")
    assert [one.decision_id for one in builder.decisions(agent="tester")] == [made]
    with pytest.raises(AccessDenied):
        builder.record_decision_outcome(made, "success", agent="tester")
    for refused in (
        lambda: tester.decisions(agent="builder"), tester.knowledge, tester.outcomes,
        tester.coordination_strategy, lambda: tester.share_knowledge("api", "v2"),
        lambda: builder.record_coordination("checkpoint", 1),
    ):  # fmt: skip
        with pytest.raises(AccessDenied):
            refused()
    assert [one.agent for one in tester.swarm_state().agents] == ["tester"]
    assert {one.agent for one in builder.swarm_state().agents} == {"builder", "tester"}
    assert not tester.synchronize()
    assert tester.decisions(agent="*")[0].agent == "tester"


def test_a_refused_write_changes_nothing(memory: Memory, join: Join) -> None:
    memory.config.grant("auditor", "swarm-demo", "read", "operator")
    auditor = join("auditor")
    for refused in (auditor.initialize, auditor.heartbeat, auditor.synchronize):
        with pytest.raises(AccessDenied):
            refused()
    assert not auditor.synchronize(peek=True)
    memory.config.refresh(memory.store.meta().config)
    assert not memory.config.laid_out


def test_who_may_see_a_part_is_shown_that_part(memory: Memory, join: Join) -> None:
    join("builder").initialize()
    made = join("builder").record_decision("storage", "SQLite")
    join("builder").record_decision_outcome(made, "success")
    join("tester").initialize()
    memory.config.grant("auditor", "swarm-demo/agent-builder/decisions", "read", "operator")
    auditor = join("auditor")
    [decision] = auditor.decisions(agent="*")
    assert (decision.decision, decision.outcomes) == ("SQLite", ())
    [seen] = auditor.swarm_state().agents
    assert (seen.agent, seen.state, seen.decisions) == ("builder", {}, 1)
    assert auditor.health_report().holdings[0].records == 1


def test_nobody_is_somebody_else(memory: Memory) -> None:
    with pytest.raises(AccessDenied):
        AgentMemory(Memory(memory.store, agent="tester"), "builder", "demo")
    agent = AgentMemory(memory, "builder", "demo")
    agent.initialize()
    found = memory.read("swarm-demo/agent-builder", "state")
    assert found is not None
    assert (found.labels.writer, found.labels.agent) == ("builder", "builder")
