"""What the report is told of learning: out of the registry, on every engine, fitting nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from memtend.agent.memory import AgentMemory
from memtend.clock import ManualClock, to_datetime
from memtend.model.learned import ModelEntry, ModelStatus
from memtend.model.pictures import PICTURES
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store import models
from memtend.store.trials import Trial
from memtend.store.trials import save as save_trial
from tests.fixtures.pictures import strategy_pictures, ttl_pictures

FITTED = strategy_pictures()
INSIGHT = {"fact": "mesh helps with large tasks", "sure": "80% of 40 against 50% of 90"}


def keep(services: Services, clock: ManualClock, name: str, kind: str, **more: Any) -> str:
    clock.advance(1_000)
    entry = ModelEntry(
        model_id=clock.new_id(), scenario=name, kind=kind, status=ModelStatus.CANDIDATE,
        made_at=to_datetime(clock.now_ms()), program="memtend 0", seed=0, rows=400, **more,
    )  # fmt: skip
    models.save(services.store, entry, "test")
    return entry.model_id


def test_a_store_without_models_tells_what_there_is_to_learn_from(
    store_url: str, clock: ManualClock, tmp_path: Path
) -> None:
    settings = Settings(archive_url=f"{tmp_path}/archive")
    with open_services(store_url, settings=settings, clock=clock) as services:
        agent = AgentMemory(services.memory, "ada", "team")
        for _ in range(3):
            agent.record_task_outcome("build", "success", strategy="solo", propensity=0.5)
        facts = services.report_facts()
    assert (facts.outcomes, facts.models, facts.strategies) == (3, (), ())
    assert facts.keeping is None
    assert facts.unread == ()


def test_models_bring_their_pictures(store_url: str, clock: ManualClock, tmp_path: Path) -> None:
    """The one in use is shown, not the newer candidate; what is of no known form is left out."""
    settings = Settings(archive_url=f"{tmp_path}/archive")
    facts = {PICTURES: FITTED.model_dump(mode="json"), "insights": [INSIGHT]}
    with open_services(store_url, settings=settings, clock=clock) as services:
        used = keep(services, clock, "tasks", "strategy", facts=facts, why="surely better")
        models.promote(services.store, used, expected=None, actor="test")
        keep(services, clock, "tasks", "strategy", facts={PICTURES: {"of": "tomorrow"}})
        keep(services, clock, "odd", "strategy", facts={"insights": "none"})
        keep(
            services, clock, "ttl", "ttl", facts={PICTURES: ttl_pictures().model_dump(mode="json")}
        )
        with services.store.engine.write() as tx:
            tried = {"before": "for ever", "after": "3 d", "why": "too late for 1%"}
            save_trial(tx, Trial("1" * 32, "session/*", "running", tried, clock.now_ms()))
        told = services.report_facts()
        written = services.write_report(f"{tmp_path}/page.html")
    assert [one.scenario for one in told.strategies] == ["tasks"]
    assert told.strategies[0].pictures == FITTED
    assert told.keeping == ttl_pictures()
    assert [tuple(one) for one in told.insights] == [(INSIGHT["fact"], INSIGHT["sure"])]
    assert [(one.scenario, one.status) for one in told.models] == [
        ("tasks", "active"), ("ttl", "candidate"), ("odd", "candidate"), ("tasks", "candidate"),
    ]  # fmt: skip
    [trial] = told.trials
    assert (trial.namespace, trial.before, trial.after) == ("session/*", "for ever", "3 d")
    page = Path(written.path).read_text()
    assert INSIGHT["fact"] in page
    assert "Cost and regret" in page


def test_the_report_needs_no_package_of_learning(tmp_path: Path) -> None:
    """Reading figures loads neither scikit-learn nor what fits."""
    code = (
        "import sys; from memtend.services import open_services\n"
        f"with open_services('{tmp_path}/memory.db') as services: services.report_facts()\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('sklearn', 'scipy', 'skops')"
        " or name.startswith('memtend.learn')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"
