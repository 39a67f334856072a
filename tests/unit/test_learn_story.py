"""A poisoned writer from the first outcome to the model without him; what an agent loads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.agent.learned import draw_of, recommended
from memtend.agent.memory import AgentMemory
from memtend.clock import ManualClock
from memtend.errors import LearnPackageMissing
from memtend.errors.learning import learn_packages
from memtend.learn.advice import Advice as Told
from memtend.learn.advice import Likely
from memtend.model.scenario import applicable, of_swarm, of_task
from memtend.policies import load_policies
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.fixtures.ended import record, recorded


@pytest.fixture
def services(clock: ManualClock, tmp_path: Path) -> Iterator[Services]:
    settings = Settings(models_url=f"{tmp_path}/models")
    with open_services(f"sqlite:///{tmp_path}/store.db", settings=settings, clock=clock) as opened:
        yield opened


def test_a_poisoned_writer_is_found_left_out_and_the_model_fitted_again(
    services: Services, clock: ManualClock
) -> None:
    # Too few, so that a fit takes no time; docs/howto/learn.md tells it with enough of them.
    policies = load_policies("learn: {outcomes: {min: 1000}}\n")
    services.memory.config.set_policies(policies, "operator")
    rows = recorded("poisoned", 150)
    record(services.memory, clock, rows)
    [suspect] = services.findings().suspects
    assert suspect.writer == "mallory"
    spoiled = services.fit_strategy()
    assert [one.writer for one in spoiled.suspects] == ["mallory"]
    assert "Suspect: mallory reports success" in spoiled.card
    clean = services.fit_strategy(exclude_writers=["mallory"])
    assert clean.suspects == ()
    assert "mallory" not in clean.model.facts["writers"]
    assert clean.outcomes == sum(row.writer != "mallory" for row in rows)
    services.promote(clean.model.model_id, forced="the story goes on")
    advice = AgentMemory(services.memory, "ada", "demo").get_coordination_strategy(
        rows[0].context, task_type="code", explain=True
    )
    assert advice.model == clean.model.model_id
    assert advice.learned == clean.adopted
    assert advice.cases
    assert services.rollback() is None


ASKING = """
import sys
from memtend import AgentMemory
with AgentMemory.open(sys.argv[1], agent="ada", swarm="demo") as agent:
    assert "numpy" not in sys.modules
    print(agent.get_coordination_strategy({"queue": 3}, task_type="code").model)
    print([name for name in ("sklearn", "scipy", "skops") if name in sys.modules])
"""


def test_an_agent_asks_without_loading_what_fits(
    services: Services, clock: ManualClock, tmp_path: Path
) -> None:
    record(services.memory, clock, recorded("rich", 60))
    model = services.fit_strategy().model
    services.promote(model.model_id, forced="to explore")
    told = subprocess.run(
        [sys.executable, "-c", ASKING, services.store.url], check=True, text=True,
        stdout=subprocess.PIPE, env={**os.environ, "MEMTEND_MODELS_URL": f"{tmp_path}/models"},
    )  # fmt: skip
    assert told.stdout.splitlines() == [model.model_id, "[]"]


def test_a_missing_package_is_named() -> None:
    def without_it() -> None:
        with learn_packages():
            raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")

    with pytest.raises(LearnPackageMissing, match="needs the package sklearn"):
        without_it()


def test_scenarios_of_any_text_have_names_that_never_meet() -> None:
    texts = ["build", "Build", "code review", "a/b", "", "x" * 99, "0123456789abcdef"]
    names = [of(text).name for text in texts for of in (of_task, of_swarm)]
    assert len(set(names)) == len(names)
    assert of_task("build").name == "task-build"
    assert all(len(name) <= 32 for name in names)
    assert applicable("build", "demo") == ("task-build", "swarm-demo", "default")
    assert applicable(None, None) == ("default",)


def test_a_draw_is_a_share() -> None:
    assert draw_of("0" * 32) == 0.0
    assert 0.99 < draw_of("f" * 32) < 1.0
    assert draw_of("8" + "0" * 31) == 0.5


def test_what_a_model_says_is_told_in_an_agents_words() -> None:
    told = Told("solo", 0.9, False, Likely(0.8, 0.7, 0.9), 0.3, "pair", 0.1, True, "it holds")
    found = recommended("m1", told)
    assert (found.strategy, found.model, found.success_low) == ("solo", "m1", 0.7)
    assert (found.learned, found.explored, found.why) == (True, False, "it holds")
