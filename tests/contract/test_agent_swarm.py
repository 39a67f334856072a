"""What agents share, what is new to them, how the swarm is. On each engine."""

from __future__ import annotations

from base64 import b64encode
from random import Random

import pytest

from memtend.clock import ManualClock
from memtend.errors import LimitExceeded
from memtend.memory import Memory
from memtend.model.policyfile import Quotas
from tests.fixtures.agents import Join
from tests.fixtures.stores import beside, set_policies

MINUTE_MS = 60_000


def test_each_author_keeps_its_word(join: Join, clock: ManualClock) -> None:
    """Sharing replaces what the same agent said of the same topic, and nothing else."""
    one, two = join("builder"), join("reviewer")
    one.share_knowledge("api", "v1", topic="rest", confidence=0.5)
    two.share_knowledge("api", "other", topic="rest", confidence=0.9, evidence=["o1"])
    two.share_knowledge("api", "in general")
    two.share_knowledge("style", "short")
    clock.advance(1)
    one.share_knowledge("api", "v2", topic="rest", confidence=0.6)
    rest = two.knowledge("api", topic="rest")
    assert [(known.agent, known.knowledge) for known in rest] == [
        ("builder", "v2"),
        ("reviewer", "other"),
    ]
    assert [known.knowledge for known in one.knowledge(confidence_min=0.7)] == ["other"]
    assert [known.knowledge for known in one.knowledge(text="GENERAL")] == ["in general"]
    assert len(one.knowledge(author="reviewer")) == 3
    assert len(one.knowledge(limit=2)) == 2
    with pytest.raises(LimitExceeded):
        one.knowledge(limit=0)


def test_patterns_are_for_every_swarm(join: Join) -> None:
    number = join("builder").learn_pattern(
        "split", conditions={"files": ">10"}, actions=["split"], confidence=0.4, success_rate=0.8
    )
    join("builder").learn_pattern("split", conditions={}, actions=["wait"])
    found = join("x", swarm="other").patterns("split")
    assert [one.actions for one in found] == [("split",), ("wait",)]
    assert (found[0].pattern_id, found[0].success_rate) == (number, 0.8)
    assert len(join("builder").patterns(confidence_min=0.4)) == 1


def test_coordination_is_what_holds_just_now(join: Join, clock: ManualClock) -> None:
    one, two = join("builder"), join("reviewer")
    one.record_coordination("checkpoint", {"step": 1})
    two.record_coordination("checkpoint", {"step": 2})
    one.record_coordination("topology", "mesh")
    assert {said.agent: said.data["step"] for said in two.coordination("checkpoint")} == {
        "builder": 1,
        "reviewer": 2,
    }
    clock.advance(60 * MINUTE_MS)
    assert two.coordination() == []


def test_the_swarm_knows_who_is_there(join: Join, clock: ManualClock) -> None:
    builder, tester = join("builder", session="s1"), join("tester")
    builder.initialize()
    builder.record_progress("build", done=0.5)
    builder.record_decision("storage", "SQLite")
    tester.initialize()
    clock.advance(11 * MINUTE_MS)
    builder.heartbeat()
    state = join("observer").swarm_state()
    found = {one.agent: one for one in state.agents}
    assert {name: one.status for name, one in found.items()} == {
        "builder": "alive",
        "tester": "silent",
    }
    assert (state.alive, state.silent, state.offline, state.decisions) == (1, 1, 0, 1)
    assert found["builder"].progress[0].done == 0.5
    assert found["builder"].session == "s1"


def test_whoever_is_gone_for_good_is_not_looked_for(join: Join, clock: ManualClock) -> None:
    join("builder").initialize()
    join("tester").initialize()
    join("tester").record_decision("storage", "SQLite")
    clock.advance(8 * 24 * 60 * MINUTE_MS)
    state = join("observer").swarm_state()
    assert [(one.agent, one.status, one.seen_at) for one in state.agents] == [
        ("tester", "offline", None)
    ]


def test_concurrent_values_are_one_piece_of_news(join: Join, memory: Memory) -> None:
    beside(memory, "swarm-demo/agent-builder/progress", "build", {"task": "build", "done": 0.1})
    beside(memory, "swarm-demo/agent-builder/progress", "docs", {"task": "docs"})
    beside(memory, "swarm-demo/agent-builder/progress", "build", {"task": "build", "done": 0.2})
    assert sorted(one.task for one in join("reviewer").synchronize().progress) == ["build", "docs"]


def test_every_write_is_a_sign_of_life(join: Join, clock: ManualClock) -> None:
    agent = join("builder")
    agent.initialize()
    for _ in range(5):
        clock.advance(9 * MINUTE_MS)
        agent.record_progress("build")
    assert agent.swarm_state().alive == 1


def test_an_agent_is_told_once_what_others_wrote(join: Join) -> None:
    builder, reviewer = join("builder"), join("reviewer")
    builder.initialize()
    made = builder.record_decision("storage", "SQLite")
    builder.record_progress("build", done=0.1)
    reviewer.share_knowledge("style", "short")
    news = reviewer.synchronize()
    assert set(news.states) == {"builder"}
    assert [one.decision_id for one in news.decisions] == [made]
    assert [one.task for one in news.progress] == ["build"]
    assert news.knowledge == ()
    assert not reviewer.synchronize()
    builder.record_decision_outcome(made, "success")
    builder.record_coordination("checkpoint", 1)
    builder.learn_pattern("split", conditions={}, actions=["x"])
    assert reviewer.synchronize(peek=True)
    news = reviewer.synchronize()
    assert [one.decision_id for one in news.decision_outcomes] == [made]
    assert (len(news.coordination), len(news.patterns), news.decisions) == (1, 1, ())
    assert not reviewer.synchronize()
    assert [one.knowledge for one in builder.synchronize().knowledge] == ["short"]


def test_a_look_is_remembered_by_the_agent_and_not_by_the_process(join: Join) -> None:
    join("builder").record_decision("storage", "SQLite")
    assert join("reviewer").synchronize()
    assert not join("reviewer").synchronize()
    assert join("tester").synchronize()


def test_much_news_comes_in_parts(join: Join) -> None:
    builder, reviewer = join("builder"), join("reviewer")
    for number in range(25):
        builder.record_decision("step", number)
    told: list[int] = []
    while news := reviewer.synchronize(limit=7):
        told += [one.decision for one in news.decisions]
        if not news.more:
            break
    assert told == list(range(25))
    with pytest.raises(LimitExceeded):
        reviewer.synchronize(limit=0)


def test_what_is_gone_or_elsewhere_is_no_news(join: Join, memory: Memory) -> None:
    builder, reviewer = join("builder"), join("reviewer")
    made = builder.record_decision("storage", "SQLite")
    memory.delete("swarm-demo/agent-builder/decisions", f"storage/{made}")
    join("builder", swarm="other").record_decision("storage", "elsewhere")
    memory.put("swarm-demo/agent-builder/notes", "private", "not of the layout")
    assert reviewer.synchronize().decisions == ()


def test_the_health_report_counts_what_is_there(
    join: Join, memory: Memory, clock: ManualClock
) -> None:
    builder = join("builder", session="s1")
    builder.initialize()
    builder.update_session_context(branch="main")
    builder.record_decision("storage", "SQLite")
    builder.record_task_outcome("build", "success")
    report = builder.health_report()
    assert report.healthy, report.checks
    assert {one.namespace: one.records for one in report.holdings} == {
        "swarm-demo/agent-builder": 1,
        "swarm-demo/agent-builder/decisions": 1,
        "swarm-demo/session-s1": 1,
    }
    assert (report.expiring_soon, report.conflicts, report.outcomes, report.alive) == (1, 0, 1, 1)
    assert {one.scope for one in report.usage} == {"agent", "session", "store"}


def test_the_health_report_warns(join: Join, memory: Memory, clock: ManualClock) -> None:
    set_policies(memory, quotas=Quotas(agent_bytes=8_000))
    builder, tester = join("builder"), join("tester")
    tester.initialize()
    builder.share_knowledge("api", b64encode(Random(1).randbytes(6_400)).decode())
    beside(memory, "swarm-demo/agent-builder", "state", {"status": "a"})
    beside(memory, "swarm-demo/agent-builder", "state", {"status": "b"})
    before = memory.context()
    for value in (1, 2):
        memory.put_field("swarm-demo/edits", "file", "builder", value, ctx=before)
    clock.advance(11 * MINUTE_MS)
    builder.heartbeat()
    report = builder.health_report()
    assert {check.name for check in report.checks if check.level != "ok"} == {
        "agent quota", "conflicts", "agents",
    }, report.checks  # fmt: skip
    assert (report.conflicts, report.silent) == (2, ("tester",))
    assert all(check.hint for check in report.checks if check.level != "ok")
