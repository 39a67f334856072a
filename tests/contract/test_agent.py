"""One agent's memory: state, decisions, progress, session, outcomes. On each engine."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from memtend.agent.outcome import Outcome, Result
from memtend.agent.recommending import Recommended
from memtend.clock import ManualClock, to_datetime
from memtend.errors import InvalidName, InvalidValue, LimitExceeded, NotFound
from memtend.memory import Memory
from tests.fixtures.agents import Join


def test_an_agent_says_who_it_is_and_what_it_is_at(join: Join) -> None:
    agent = join("builder", session="s1")
    assert agent.state() is None
    agent.initialize({"languages": ["python"]}, model="large")
    agent.update_state(current_task="t1")
    state = join("reviewer").state("builder")
    assert state is not None
    assert (state["status"], state["current_task"], state["model"]) == ("active", "t1", "large")
    assert state["capabilities"] == {"languages": ["python"]}


def test_a_new_run_keeps_what_an_earlier_one_knew(join: Join) -> None:
    join("builder").initialize({"languages": ["python"]}, tasks_completed=3)
    state = join("builder", session="s2").initialize()
    assert (state["tasks_completed"], state["session"]) == (3, "s2")


def test_capabilities_may_be_a_list(join: Join) -> None:
    agent = join("builder")
    assert agent.initialize(["plan", "test"])["capabilities"] == ["plan", "test"]
    assert agent.initialize("plan")["capabilities"] == ["plan"]


def test_an_agent_that_leaves_is_offline_and_not_forgotten(join: Join) -> None:
    agent = join("builder")
    agent.initialize()
    agent.leave(reason="done")
    state = agent.state()
    assert state is not None
    assert (state["status"], state["reason"]) == ("offline", "done")
    assert [one.status for one in agent.swarm_state().agents] == ["offline"]


def test_decisions_are_a_history(join: Join, clock: ManualClock) -> None:
    """The older program kept one decision per type and lost all others."""
    agent = join("builder")
    for option in ("SQLite", "PostgreSQL", "both"):
        agent.record_decision("storage", option, rationale=f"because of {option}", confidence=0.7)
        clock.advance(1_000)
    agent.record_decision("naming", "short", tags=["style"])
    assert [made.decision for made in agent.decisions("storage")] == [
        "both", "PostgreSQL", "SQLite",
    ]  # fmt: skip
    latest = agent.decisions()[0]
    assert (latest.decision_type, latest.agent, latest.confidence) == ("naming", "builder", None)


def test_decisions_are_found_by_time_words_and_page(join: Join, clock: ManualClock) -> None:
    agent = join("builder")
    for number in range(5):
        agent.record_decision("step", {"do": f"thing {number}"}, rationale="Only THIS time")
        clock.advance(60_000)
    since = to_datetime(clock.now_ms()) - timedelta(minutes=2)
    assert len(agent.decisions(since=since)) == 2
    assert [made.decision["do"] for made in agent.decisions(text="this 3")] == ["thing 3"]
    first = agent.decisions(limit=2)
    then = agent.decisions(limit=10, after=first[-1].decision_id)
    assert [made.decision["do"] for made in [*first, *then]] == [
        f"thing {number}" for number in (4, 3, 2, 1, 0)
    ]
    with pytest.raises(NotFound):  # not the first page once more
        agent.decisions(after="gone meanwhile")
    with pytest.raises(InvalidValue, match="no time zone"):
        agent.decisions(since=datetime(2026, 1, 1))
    with pytest.raises(LimitExceeded):
        agent.decisions(limit=0)


@pytest.mark.parametrize("at_ms", [2**53 - 1, 1 - 2**53, -1, 1e300, "soon"])
def test_a_record_of_no_possible_time_hides_no_other(
    join: Join, memory: Memory, at_ms: object
) -> None:
    builder, reviewer = join("builder"), join("reviewer")
    builder.initialize()
    builder.record_decision("storage", "SQLite")
    odd = {"at_ms": at_ms, "session": 5, "timestamp": "0001-01-01T00:00:00+14:00"}
    for namespace, key in (
        ("swarm-demo/agent-builder/decisions", "storage/odd"), ("swarm-demo/agent-odd", "state"),
        ("swarm-demo/agent-builder/progress", "odd"), ("swarm-demo/coordination", "odd/odd"),
        ("swarm-demo/global/knowledge", "odd/odd"), ("neural/patterns", "odd"),
        ("neural/outcomes", "odd"),
    ):  # fmt: skip
        memory.put(namespace, key, odd)
    assert builder.decisions()[0].decision == "SQLite"
    assert "SQLite" in [one.decision for one in reviewer.synchronize().decisions]
    assert (len(reviewer.knowledge()), len(reviewer.patterns())) == (1, 1)
    assert (len(reviewer.coordination()), len(reviewer.progress(agent="builder"))) == (1, 1)
    assert reviewer.outcomes(swarm="*") == []
    assert reviewer.health_report().alive == 2


def test_names_and_tags_that_cannot_be_kept_are_refused_by_name(join: Join) -> None:
    for name in ("a\0b", "\ud800"):
        with pytest.raises(InvalidName):
            join(name)
        with pytest.raises(InvalidName):
            join("a", session=name)
    for tags in (["x", "x"], ["x" * 129], [""]):
        with pytest.raises(InvalidValue, match="tag"):
            join("a").record_decision("storage", 1, tags=tags)


def test_types_that_begin_alike_are_kept_apart(join: Join) -> None:
    agent = join("builder")
    for kind in ("plan", "planning", "plan/b", "plan/outcome/x"):
        agent.record_decision(kind, kind)
    assert [made.decision for made in agent.decisions("plan")] == ["plan"]
    assert [made.decision for made in agent.decisions("plan/b")] == ["plan/b"]
    assert len(agent.decisions()) == 4


def test_how_a_decision_turned_out_is_added_by_whoever_knows(join: Join) -> None:
    builder, reviewer = join("builder"), join("reviewer")
    made = builder.record_decision("storage", "SQLite")
    builder.record_decision_outcome(made, "partial_success", score=0.5, lessons=["test earlier"])
    builder.record_decision_outcome(made, "success", score=0.9, would_repeat=True)
    reviewer.record_decision_outcome(made, "failure", agent="builder")
    [decision] = builder.decisions()
    assert {(said.agent, said.result, said.score) for said in decision.outcomes} == {
        ("builder", "success", 0.9),
        ("reviewer", "failure", None),
    }
    with pytest.raises(NotFound):
        reviewer.record_decision_outcome(made, "success")
    with pytest.raises(InvalidValue, match="not one of success"):
        builder.record_decision_outcome(made, "fine")


def test_a_decision_repeated_under_its_id_is_one_decision(join: Join) -> None:
    agent = join("builder")
    for _ in range(2):
        assert agent.record_decision("storage", "SQLite", decision_id="event-7") == "event-7"
    assert len(agent.decisions()) == 1


def test_decisions_of_the_whole_swarm(join: Join) -> None:
    for name in ("builder", "code reviewer", "a/b"):
        join(name).record_decision("storage", name)
    join("builder", swarm="other").record_decision("storage", "elsewhere")
    found = {made.agent: made.decision for made in join("builder").decisions(agent="*")}
    assert found == {name: name for name in ("builder", "code reviewer", "a/b")}


def test_progress_is_the_latest_word_on_each_task(join: Join, clock: ManualClock) -> None:
    agent = join("builder")
    agent.record_progress("Write the tests!", done=0.2, note="started")
    clock.advance(1)
    agent.record_progress("docs", status="blocked", data={"by": "review"})
    clock.advance(1)
    agent.record_progress("Write the tests!", done=1, status="completed")
    assert [(one.task, one.done, one.status) for one in agent.progress()] == [
        ("Write the tests!", 1.0, "completed"),
        ("docs", None, "blocked"),
    ]
    assert agent.progress("docs")[0].data == {"by": "review"}
    assert agent.progress("nothing") == []
    with pytest.raises(InvalidValue, match="not between 0 and 1"):
        agent.record_progress("docs", done=50)


def test_the_agents_of_a_session_share_its_context(join: Join) -> None:
    one, two = join("builder", session="s1"), join("reviewer", session="s1")
    one.update_session_context(branch="main")
    two.update_session_context(reviewed=True)
    assert one.session_context() == {"branch": "main", "reviewed": True}
    assert join("builder", session="s2").session_context() == {}
    with pytest.raises(InvalidValue, match="without a session"):
        join("builder").session_context()


def test_outcomes_say_what_is_known_and_no_more(join: Join, clock: ManualClock) -> None:
    agent = join("builder", session="s1")
    number = agent.record_task_outcome(
        "build", "timeout", duration_s=30, strategy="parallel", propensity=0.5, cost=0.02,
        resources={"cpu_s": 12.5}, context={"files": 3}, agents=["builder", "tester"],
    )  # fmt: skip
    [found] = agent.outcomes("build")
    assert found == Outcome(
        outcome_id=number, swarm_id="demo", task_type="build", outcome_type=Result.TIMEOUT,
        agents_involved=("builder", "tester"), duration_s=30, cost=0.02, strategy="parallel",
        propensity=0.5, resource_usage={"cpu_s": 12.5}, context={"files": 3},
        recorded_by="builder", session="s1", timestamp=to_datetime(clock.now_ms()),
    )  # fmt: skip
    assert found.success_score is None
    assert agent.outcomes("deploy") == []
    assert join("x", swarm="other").outcomes() == []
    assert len(join("x", swarm="other").outcomes(swarm="*")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"propensity": 0}, {"propensity": 1.1}, {"score": 2}, {"duration_s": -1},
        {"cost": float("nan")}, {"strategy": ""}, {"resources": {"cpu": "much"}},
    ],
)  # fmt: skip
def test_an_outcome_that_cannot_be_right_is_refused(
    memory: Memory, join: Join, wrong: dict[str, object]
) -> None:
    with pytest.raises(InvalidValue):
        join("builder").record_task_outcome("build", "success", **wrong)  # type: ignore[arg-type]
    assert memory.scan("neural/outcomes") == []


def test_until_something_is_learned_the_answer_says_so(join: Join) -> None:
    agent = join("builder")
    assert agent.coordination_strategy({"n": 1}).outcomes == 0
    agent.record_task_outcome("build", "success")
    advice = agent.coordination_strategy({"n": 1})
    assert (advice.learned, advice.strategy, advice.outcomes) == (False, None, 1)
    assert advice.why == "nothing is learned yet here; outcomes recorded so far: 1"


def test_learning_plugs_in_as_a_recommender(join: Join) -> None:
    class Known:
        def recommend(self, task_type: str | None, context: object) -> Recommended | None:
            if task_type != "build":
                return None
            return Recommended(strategy="solo", propensity=0.9, why="9 of 10 succeeded")

    agent = join("builder", recommender=Known())
    advice = agent.coordination_strategy({}, task_type="build")
    assert (advice.learned, advice.strategy, advice.propensity) == (True, "solo", 0.9)
    assert "for this context" in agent.coordination_strategy({}, task_type="deploy").why


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"context": {1: 2}}, "context"),
        ({"context": {"\ud800": 2}}, "context"),
        ({"context": [("n", 1)]}, "context"),
        ({"context": 5}, "context"),
        ({"task_type": 5}, "task_type"),
        ({"task_type": "build\ud800"}, "task_type"),
    ],
)
def test_only_what_could_be_recorded_is_asked_about(
    join: Join, wrong: dict[str, Any], name: str
) -> None:
    with pytest.raises(InvalidValue, match=f"'{name}'"):
        join("builder").get_coordination_strategy(**wrong)


def test_what_the_older_program_wrote_is_read(memory: Memory, join: Join) -> None:
    """As an import brings it: the same paths, the older fields, times without a zone."""
    memory.put("swarm-demo/agent-a1/decisions", "task_assignment", {
        "decision_type": "task_assignment", "decision_data": {"task": "x"}, "context": {},
        "timestamp": "2026-11-21T00:44:00.026110", "agent_name": "a1",
    })  # fmt: skip
    memory.put("swarm-demo/global/knowledge", "optimization", {
        "knowledge_type": "optimization", "knowledge_data": {"parallel": True},
        "shared_by": "a2", "shared_at": "2026-11-21T00:44:00",
    })  # fmt: skip
    memory.put("neural/outcomes", "o0", {
        "outcome_id": "o0", "swarm_id": "demo", "task_type": "proc", "metadata": None,
        "agents_involved": ["a1", "a2"], "outcome_type": "success", "success_score": 1.0,
        "execution_time": 20.0, "resource_usage": {"cpu": 0.5}, "context": {"n": 0},
        "timestamp": "2026-11-21T00:44:00.813210",
    })  # fmt: skip
    agent = join("a1")
    [decision] = agent.decisions()
    assert (decision.decision, decision.decision_id) == ({"task": "x"}, "task_assignment")
    assert (decision.at.hour, decision.at.minute) == (0, 44)
    [known] = agent.knowledge("optimization")
    assert (known.agent, known.knowledge) == ("a2", {"parallel": True})
    [outcome] = agent.outcomes()
    assert (outcome.duration_s, outcome.success_score, outcome.strategy) == (20.0, 1.0, None)


@pytest.mark.parametrize("name", ["", "x" * 97])
def test_names_that_cannot_be_used_are_refused_before_anything_opens(join: Join, name: str) -> None:
    with pytest.raises(InvalidName):
        join(name)
    with pytest.raises(InvalidName):
        join("builder", swarm=name)
