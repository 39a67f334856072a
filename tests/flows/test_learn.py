"""Learning runs for real: previewed, asked about, put in use, told; nothing where nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prefect import State

from memtend.agent.memory import AgentMemory
from memtend.clock import ManualClock, SystemClock
from memtend.memory import Memory
from memtend.model.learned import ModelStatus
from memtend.model.trial import TrialLook, TrialState
from memtend.services import open_services
from memtend_flows import approval
from memtend_flows.learn import learn
from memtend_flows.parameters import Promote, TuneTtl
from memtend_tasks.address import to_address
from memtend_tasks.lessons import announce_trials
from memtend_tasks.publish import LEARN_PROMOTED, LEARN_REFUSED, TRIAL_ROLLED_BACK
from tests.fixtures.lessons import remember
from tests.fixtures.tuning import DAY_MS, MINUTE_MS, lives, tuning, use
from tests.flows.answering import answer, start
from tests.flows.scratch import Scratch
from tests.flows.seen import events, pages


def statuses(store: str) -> list[str]:
    with open_services(store) as services:
        return [one.status.value for one in services.models()]


def test_a_model_is_previewed_and_put_in_use_after_a_yes(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval, "APPROVAL_POLL_S", 0.2)
    remember(scratch.store, 160, clear=True)
    label = to_address(scratch.store).label
    preview = learn(scratch.store)
    assert (preview.applied, preview.fitted, preview.promoted) == (False, 1, 0)
    assert statuses(scratch.store) == [ModelStatus.CANDIDATE]
    page = pages(f"learn-report-{label}")[0]
    assert "may be put in use" in page
    assert pages(f"model-card-default-{label}")[0].count("Model card")
    assert '"decision": "may be put in use"' in pages(f"learn-decisions-{label}")[0]
    with start(learn, scratch.store, dry_run=False) as run:
        shown = answer(scratch, approve=True, note="ticket 9")
        state = run.result()
    assert "may be put in use" in shown
    done = state.result()
    assert (done.fitted, done.promoted) == (0, 1)  # nothing was new: the model of the preview
    assert statuses(scratch.store) == [ModelStatus.ACTIVE]
    assert "ticket 9" in pages(f"lessons-{label}")[0]
    [event] = events(LEARN_PROMOTED, f"memtend.store.{label}")
    assert event["payload"]["scenario"] == "default"
    assert "What decides" in Path(done.report).read_text()
    with Memory.open(scratch.store) as memory:
        agent = AgentMemory(memory, "ada", "team")
        advice = agent.coordination_strategy({"files": 38}, task_type="code")
    assert advice.learned
    assert "parallel" in (advice.strategy, *advice.alternatives)


def test_what_the_gate_refuses_is_told_and_not_used(scratch: Scratch) -> None:
    remember(scratch.store, 110, clear=False)
    done = learn(scratch.store, promote=Promote.AUTO, tune_ttl=TuneTtl.OFF, seed=3, dry_run=False)
    assert (done.refused, done.promoted) == (1, 0)
    assert ModelStatus.ACTIVE not in statuses(scratch.store)
    label = to_address(scratch.store).label
    [event] = events(LEARN_REFUSED, f"memtend.store.{label}")
    assert event["payload"]["why"]
    assert "what is done today stays" in pages(f"learn-report-{label}")[0]


def test_times_to_live_are_tried_and_can_be_undone(scratch: Scratch, tmp_path: Path) -> None:
    store = str(tmp_path / "used.db")
    clock = ManualClock(SystemClock().now_ms() - 3 * DAY_MS)
    with tuning(store, tmp_path, clock) as services:
        use(services, clock, "k", [10 * MINUTE_MS, 25 * MINUTE_MS, 40 * MINUTE_MS], keys=80)
        before = lives(services.memory.config.file)
    label = to_address(store).label
    proposed = learn(store, tune_ttl=TuneTtl.PROPOSE)
    assert (proposed.proposed, proposed.tried) == (1, 0)
    assert "| session/" in pages(f"ttl-plan-{label}")[0]
    done = learn(store, promote=Promote.AUTO, tune_ttl=TuneTtl.TRY, dry_run=False)
    assert done.tried == 1
    with open_services(store) as services:
        [trial] = services.trials()
        services.undo_ttl(trial.plan)
        assert lives(services.memory.config.file) == before
    taken = trial.model_copy(update={"state": TrialState.ROLLED_BACK})
    announce_trials(to_address(store), [TrialLook(trial=taken, verdict="alarm", why="too late")])
    [event] = events(TRIAL_ROLLED_BACK, f"memtend.store.{label}")
    assert event["payload"]["rule"] == "session/*"


def test_without_outcomes_it_says_what_to_do(scratch: Scratch) -> None:
    done = learn(scratch.store, scenario="all", promote=Promote.AUTO, dry_run=False)
    assert (done.scenarios, done.fitted, done.promoted) == (0, 0, 0)
    assert (
        "nothing to learn from yet" in pages(f"learn-report-{to_address(scratch.store).label}")[0]
    )
    assert learn(scratch.store, tune_ttl=TuneTtl.OFF).scenarios == 1


def test_a_scenario_that_is_none_fails_the_run_and_no_other(scratch: Scratch) -> None:
    state: State[Any] = learn(scratch.store, "task-none", tune_ttl=TuneTtl.OFF, return_state=True)
    assert "LessonsFailed" in str(state.message)
    assert "task-none" in str(state.message)
