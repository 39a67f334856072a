"""Learning on every engine: what is read, what is entered, what is in use, and who is told so."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memtend.agent.memory import AgentMemory
from memtend.clock import ManualClock
from memtend.errors import ModelNotPromoted, ModelUnknown, OutcomesUnusable, ScenarioUnknown
from memtend.health.report import Level
from memtend.limits_learning import MODEL_LOOK_MS, MODEL_RETRY_MS
from memtend.model.learned import ModelStatus
from memtend.model.record import Trust
from memtend.policies import load_policies
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.quarantine import mark_writer
from memtend.store.verify import verify_store
from tests.fixtures.ended import record, recorded
from tests.fixtures.worlds import WRITERS

FEW = 60


def settings(folder: Path) -> Settings:
    return Settings(models_url=f"{folder}/models", archive_url=f"{folder}/archive")


@pytest.fixture
def services(store_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Services]:
    with open_services(store_url, settings=settings(tmp_path), clock=clock) as opened:
        yield opened
        report = verify_store(opened.store)
        assert report.ok, report.findings


def test_outcomes_of_all_swarms_and_dialects_are_read(
    services: Services, clock: ManualClock
) -> None:
    memory = services.memory
    AgentMemory(memory, "ada", "one").record_task_outcome("build", "success", strategy="solo")
    memory.put("neural/outcomes", "older", {
        "outcome_id": "older", "task_type": "build", "outcome_type": "timeout", "strategy": "pair",
        "execution_time": 12.5, "timestamp": "2025-01-01T00:00:00", "metadata": None,
        "agents_involved": ["a1"], "swarm_id": "two", "resource_usage": {}, "success_score": 0.0,
    })  # fmt: skip
    memory.put("neural/outcomes", "odd", ["no", "outcome"])
    seen = services.outcomes_for_learning()
    assert [(one.swarm, one.strategy, one.success) for one in seen.rows] == [
        ("two", "pair", 0.0), ("one", "solo", 1.0),
    ]  # fmt: skip
    assert seen.rows[0].duration_s == 12.5
    assert seen.left_out == {"not an outcome": 1}


def test_a_writer_is_who_wrote_it_and_quarantine_hides_it(
    services: Services, clock: ManualClock
) -> None:
    liar = AgentMemory(services.memory, "mallory", "demo")
    liar.record_task_outcome("build", "success", strategy="solo")
    liar.memory.put("neural/outcomes", "forged", {
        "outcome_id": "forged", "task_type": "build", "outcome_type": "success",
        "recorded_by": "ada", "at_ms": clock.now_ms(),
    })  # fmt: skip
    seen = services.outcomes_for_learning()
    assert {one.writer for one in seen.rows} == {"mallory"}
    mark_writer(services.store, "mallory", Trust.QUARANTINED, actor="operator")
    assert services.outcomes_for_learning().rows == []


def test_only_the_latest_are_learned_from(services: Services, clock: ManualClock) -> None:
    policies = load_policies("learn: {outcomes: {max: 10}}\n")
    services.memory.config.set_policies(policies, "operator")
    rows = recorded("rich", 30)
    record(services.memory, clock, rows)
    seen = services.outcomes_for_learning()
    assert [one.outcome_id for one in seen.rows] == [one.outcome_id for one in rows[20:]]
    assert seen.left_out == {"older than the latest": 20}


def test_scenarios_are_everything_types_of_tasks_and_swarms(
    services: Services, clock: ManualClock
) -> None:
    record(services.memory, clock, recorded("rich", FEW), "Team One")
    found = {one.name: one for one in services.scenarios()}
    assert found["default"].outcomes == FEW
    assert found["task-code"].task_type == "code"
    [swarm] = [one for one in found.values() if one.swarm]
    assert (swarm.swarm, swarm.outcomes, swarm.enough) == ("Team One", FEW, False)
    assert services.fit_strategy(swarm.name).model.scenario == swarm.name
    with pytest.raises(ScenarioUnknown, match="task-code"):
        services.fit_strategy("task-unheard-of")


def test_few_outcomes_are_no_reason_to_change_anything(
    services: Services, clock: ManualClock
) -> None:
    with pytest.raises(OutcomesUnusable):
        services.fit_strategy()
    record(services.memory, clock, recorded("rich", FEW))
    report = services.fit_strategy()
    assert (report.adopted, report.outcomes) == (False, FEW)
    assert "too few" in report.model.why
    assert "too few" in services.model_card(report.model.model_id)
    assert report.model.status is ModelStatus.CANDIDATE
    with pytest.raises(ModelNotPromoted, match="the gate has not let it pass"):
        services.promote(report.model.model_id)
    agent = AgentMemory(services.memory, "ada", "demo")
    assert not agent.get_coordination_strategy({}, task_type="code").learned


def test_a_model_in_use_is_asked_and_taken_back(services: Services, clock: ManualClock) -> None:
    record(services.memory, clock, recorded("rich", FEW))
    first = services.fit_strategy().model
    services.promote(first.model_id[:8], forced="to explore")
    agent = AgentMemory(services.memory, "ada", "demo")
    advice = agent.get_coordination_strategy({"queue": 3}, task_type="code")
    assert (advice.learned, advice.model) == (False, first.model_id)
    assert advice.strategy is not None
    assert advice.propensity is not None
    clock.advance(1)
    agent.record_task_outcome("code", "success", duration_s=3.0, **advice.for_outcome())
    [told] = agent.outcomes("code", limit=1)
    assert (told.strategy, told.propensity) == (advice.strategy, advice.propensity)
    assert (told.context, told.metadata["model"]) == ({"queue": 3}, first.model_id)
    clock.advance(1)
    second = services.fit_strategy().model
    assert second.parent == first.model_id
    services.promote(second.model_id, forced="newer")
    assert agent.get_coordination_strategy({}, task_type="code").model == second.model_id
    back = services.rollback()
    assert back is not None
    assert back.model_id == first.model_id
    assert agent.get_coordination_strategy({}, task_type="code").model == first.model_id
    assert services.rollback() is None
    with pytest.raises(ModelNotPromoted):
        services.rollback()
    with pytest.raises(ModelUnknown):
        services.promote("no such model")


def test_the_same_outcomes_give_the_same_files(services: Services, clock: ManualClock) -> None:
    record(services.memory, clock, recorded("rich", FEW))
    one, two = services.fit_strategy().model, services.fit_strategy().model
    assert one.model_id != two.model_id
    assert one.files == two.files


def test_another_model_is_noticed_by_a_running_process_within_seconds(
    lasting_url: str, clock: ManualClock, tmp_path: Path
) -> None:
    chosen = settings(tmp_path)
    with open_services(lasting_url, settings=chosen, clock=clock) as services:
        record(services.memory, clock, recorded("rich", FEW))
        model = services.fit_strategy().model
        with open_services(lasting_url, settings=chosen, clock=clock) as other:
            agent = AgentMemory(other.memory, "ada", "demo")
            assert agent.get_coordination_strategy({}, task_type="code").model is None
            services.promote(model.model_id, forced="to explore")
            clock.advance(MODEL_LOOK_MS)
            told = agent.get_coordination_strategy({}, task_type="code")
    assert told.model == model.model_id


def test_of_two_who_promote_at_once_one_model_is_in_use(
    lasting_url: str, clock: ManualClock, tmp_path: Path
) -> None:
    chosen = settings(tmp_path)

    def promoted(model: str) -> bool:
        with open_services(lasting_url, settings=chosen, clock=clock) as other:
            try:
                other.promote(model, forced="a race")
            except ModelNotPromoted:
                return False
        return True

    with open_services(lasting_url, settings=chosen, clock=clock) as services:
        record(services.memory, clock, recorded("rich", FEW))
        ids = [services.fit_strategy().model.model_id for _ in range(2)]
        with ThreadPoolExecutor(2) as pool:
            assert any(pool.map(promoted, ids))
        used = [one.model_id for one in services.models() if one.status is ModelStatus.ACTIVE]
    assert len(used) == 1
    assert used[0] in ids


@pytest.mark.parametrize("harm", ["altered", "cut", "gone"])
def test_a_harmed_file_is_refused_with_the_reason_and_tried_again(
    harm: str, clock: ManualClock, tmp_path: Path
) -> None:
    with open_services("sqlite://", settings=settings(tmp_path), clock=clock) as services:
        record(services.memory, clock, recorded("rich", FEW))
        model = services.fit_strategy().model
        services.promote(model.model_id, forced="to explore")
        [path] = tmp_path.glob("models/**/serve.npz")
        whole = path.read_bytes()
        path.unlink()
        if harm == "altered":
            path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        if harm == "cut":
            path.write_bytes(whole[:-1])
        agent = AgentMemory(services.memory, "ada", "demo")
        for _ in range(2):
            advice = agent.get_coordination_strategy({}, task_type="code")
            assert (advice.learned, advice.strategy) == (False, None)
            assert advice.why.startswith("what was learned cannot be used: the file 'serve.npz'")
        assert services.learning_news().refit is (harm != "altered")
        # Length and presence are looked at by health; bytes by who asks, and by all of health.
        level = {one.name: one.level for one in services.health().checks}["models"]
        assert level is (Level.OK if harm == "altered" else Level.WARNING)
        [found] = [one for one in services.health(full=True).checks if one.name == "models"]
        assert (found.level, "serve.npz" in found.fact) == (Level.WARNING, True)
        path.write_bytes(whole)
        clock.advance(MODEL_RETRY_MS)
        assert agent.get_coordination_strategy({}, task_type="code").model == model.model_id


def test_news_ask_for_another_fit(services: Services, clock: ManualClock) -> None:
    rows = recorded("rich", 2 * FEW)
    record(services.memory, clock, rows[:FEW])
    assert services.learning_news().refit
    first = services.refit()
    assert first is not None
    assert services.refit() is None
    record(services.memory, clock, rows[FEW : FEW + 5])
    news = services.learning_news()
    assert (news.refit, news.outcomes) == (False, 5)
    assert services.evaluate().value is None
    record(services.memory, clock, rows[FEW + 5 :])
    assert services.learning_news().refit
    value = services.evaluate().value
    assert value is not None
    assert (value.judged_on, value.outcomes) == ("what has come since it was fitted", FEW)
    assert (value.incumbent.saving.value, value.better) == (0.0, False)
    one, other = WRITERS[:2]
    assert services.refit(exclude_writers=[one]) is not None
    assert services.refit(exclude_writers=[one]) is services.refit() is None
    again = services.refit(exclude_writers=[other])
    assert again is not None
    assert again.model.facts["excluded"] == [one, other]
