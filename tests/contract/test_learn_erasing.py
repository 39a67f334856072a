"""Erasing what was learned: sampled accesses, models by their rows and files, trials."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from memtend.memory import Memory
from memtend.model.subject import Subject
from memtend.modelfiles import files_of
from memtend.objects import open_target
from memtend.services import Services
from memtend.settings import Settings
from memtend.store import models, trials
from tests.contract.test_learn_models import entry
from tests.fixtures.stores import run_sql

NAME = "agent-9d41c0"


@pytest.fixture
def services(memory: Memory, tmp_path: Path) -> Services:
    settings = Settings(plans_url=f"{tmp_path}/plans", archive_url=f"{tmp_path}/archive")
    memory.store.models_url = f"{tmp_path}/models"
    return Services(memory, settings)


def boxed(text: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.json", text)
    return packed.getvalue()


def fit(services: Services, model_id: str, data: bytes, **facts: object) -> None:
    files = files_of(services.store).write(model_id, {"served.npz": data})
    models.save(services.store, entry(model_id, files=files, facts=facts), "operator")


def left(services: Services) -> set[str]:
    """Models of the registry; each has its files."""
    known = models.listed(services.store)
    assert not any(files_of(services.store).missing(one) for one in known)
    return {one.model_id for one in known}


def erased(services: Services, subject: Subject, models: int = 0) -> None:
    """So many models go with it, as the plan had said."""
    plan = services.plan_erase(subject)
    report = services.apply_erase(plan)
    assert (plan.models, report.models, report.residue) == (models, models, 0)


def test_models_that_name_an_agent_go_with_it(services: Services) -> None:
    fit(services, "by-row", b"x", features=[NAME])
    fit(services, "by-text", f"as {NAME} did".encode())
    fit(services, "by-part", boxed(json.dumps({"agents": [NAME]}).encode()))
    fit(services, "by-array", boxed(NAME.encode("utf-32-le")))
    fit(services, "damaged", b"PK and nothing more")
    fit(services, "of-another", boxed(f"{NAME}7 {NAME}_b".encode()), features=[NAME + "7"])
    models.promote(services.store, "by-part", expected=None, actor="operator")
    erased(services, Subject.of_agent(NAME), models=5)
    assert left(services) == {"of-another"}
    assert models.in_use(services.store) == {}


def test_what_a_crash_has_left_goes_too(services: Services) -> None:
    files_of(services.store).write("orphan", {"card.md": NAME.encode()})
    erased(services, Subject.of_writer(NAME), models=1)
    assert files_of(services.store).naming(NAME) == []


def test_a_namespace_takes_its_accesses_and_trials(services: Services) -> None:
    memory = services.memory
    memory.put(f"{NAME}/deep", "k", 1)
    memory.put("kept", "k", 1)
    memory.flush()
    with services.store.engine.write() as tx:
        for trial_id, namespace in (("t1", f"{NAME}/*"), ("t2", "kept")):
            trials.save(tx, trials.Trial(trial_id, namespace, "running", {}, 1))
    fit(services, "m1", b"x", namespaces=[f"{NAME}/deep"])
    erased(services, Subject.of_namespace(NAME), models=1)
    assert left(services) == set()
    assert [one.id for one in trials.listed(services.store)] == ["t2"]
    [(number,)] = run_sql(memory, "SELECT ns FROM access_log")
    assert services.store.namespaces.path(number) == "kept"


@pytest.mark.parametrize("name", ["users/ada", "users/ada-lovelace"])
def test_a_namespace_takes_the_policy_files_beside_the_plans(services: Services, name: str) -> None:
    services.memory.put(name, "note", 1)
    plans = open_target(services.settings.plans_url, services.clock)
    for number, pattern in enumerate((name, f"{name}/*", "users/*", "sessions")):
        text = f"namespaces: [{{namespace: {pattern}, ttl: 1d}}]"
        plans.put_if_absent(f"policies-{number:064x}.yaml", text.encode())
    erased(services, Subject.of_namespace(name))
    assert [one.name[72] for one in plans.list()] == ["2", "3"]


def test_a_short_key_takes_no_model(services: Services) -> None:
    """It is a word that stands in any card."""
    services.memory.put("notes", "value", 1)
    fit(services, "m1", b"the value of it", features=["value"])
    erased(services, Subject.of_record("notes", "value"))
    assert left(services) == {"m1"}
    assert run_sql(services.memory, "SELECT * FROM access_log") == []
