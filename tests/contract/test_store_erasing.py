"""Erasure on a real store: everything of the subject goes, nothing else does, no name is left."""

from __future__ import annotations

import pytest

from memtend.clock import ManualClock
from memtend.memory import Memory
from memtend.model.record import Labels, Trust
from memtend.model.subject import Subject, SubjectKind
from memtend.services import Services
from memtend.settings import Settings
from memtend.store.quarantine import mark_writer
from tests.fixtures.erasing import CANARY, LABELS, busy, erase, said, still
from tests.fixtures.stores import beside


@pytest.fixture
def services(memory: Memory, tmp_path_factory: pytest.TempPathFactory) -> Services:
    home = tmp_path_factory.mktemp("home")
    return Services(
        memory, Settings(plans_url=str(home / "plans"), archive_url=str(home / "archive"))
    )


def test_a_namespace_leaves_no_trace(
    services: Services, clock: ManualClock, kept: dict[str, object]
) -> None:
    memory = services.memory
    busy(memory, f"{CANARY}/deep", f"{CANARY}-key", LABELS, clock)
    memory.add(f"{CANARY}/sets", "colours", "red")
    memory.increment(f"{CANARY}/counts", "visits", 3)
    plan = services.plan_erase(Subject.of_namespace(CANARY))
    assert (plan.rows, plan.elements, plan.expired) == (6, 1, 1)
    assert CANARY in said(memory)
    report = erase(services, Subject.of_namespace(CANARY))
    assert (report.planned, report.deleted, report.namespaces_closed) == (6, 6, 3)
    assert report.log_entries > 0
    assert report.operations == 1
    assert CANARY not in said(memory)
    assert CANARY not in report.model_dump_json() + plan.model_dump_json() + repr(plan)
    still(memory, kept)


def test_a_record_goes_with_all_its_versions_and_elements(
    services: Services, clock: ManualClock, kept: dict[str, object]
) -> None:
    memory = services.memory
    memory.put("kept/notes", CANARY, "one", labels=Labels(tags=(CANARY + "-t",)))
    beside(memory, "kept/notes", CANARY, "two")
    memory.add("kept/sets", CANARY, "red")
    memory.get("kept/notes", CANARY)
    memory.flush()
    assert erase(services, Subject.of_record("kept/notes", CANARY)).deleted == 2
    assert memory.get("kept/notes", CANARY) is None
    assert erase(services, Subject.of_record("kept/sets", CANARY)).deleted == 1
    assert CANARY not in said(memory)
    still(memory, kept)


@pytest.mark.parametrize("kind", ["agent", "session", "tag"])
def test_a_label_takes_its_records_wherever_they_are(
    services: Services, clock: ManualClock, kept: dict[str, object], kind: str
) -> None:
    memory = services.memory
    name = {"agent": CANARY, "session": f"{CANARY}-s", "tag": f"{CANARY}-t"}[kind]
    memory.put("kept/notes", "plain", CANARY, labels=LABELS)
    memory.put("elsewhere", "plain", CANARY, labels=LABELS)
    subject = Subject(kind=SubjectKind(kind), name=name)
    report = erase(services, subject)
    assert report.deleted == 2
    assert report.ledger_entries == 3  # the label, and the two places that are empty now
    assert CANARY not in said(memory)
    assert "plain" not in said(memory)
    still(memory, kept)


def test_an_agent_is_forgotten_as_the_one_who_wrote(
    memory: Memory, services: Services, clock: ManualClock, kept: dict[str, object]
) -> None:
    agent = Memory(memory.store, agent=CANARY)
    agent.put("work", "mine", CANARY)
    agent.put("work", "dropped", 1)
    memory.delete("work", "dropped")
    memory.put("work", "both", "bob's")
    agent.put("work", "both", CANARY, ctx={}, labels=Labels(agent=CANARY))
    memory.config.grant(CANARY, "work", "write", "owner")
    memory.config.grant("bob", "**", "admin", "owner")
    mark_writer(memory.store, CANARY, Trust.UNVERIFIED, actor="owner")
    report = erase(services, Subject.of_agent(CANARY))
    assert report.deleted == 2
    assert report.grants_revoked == 1
    assert report.log_entries == 1
    assert memory.get("work", "both") == "bob's"
    assert CANARY not in said(memory)
    assert "dropped" not in said(memory)
    still(memory, kept)


def test_what_an_agent_wrote_for_others_is_told_of(services: Services) -> None:
    memory = services.memory
    Memory(memory.store, agent=CANARY).put("work", "k", 1, labels=Labels(agent="bob"))
    report = services.apply_erase(services.plan_erase(Subject.of_agent(CANARY)))
    assert (report.deleted, report.residue, report.evidence.others) == (0, 0, 1)
    assert any("--writer" in note for note in report.notes)
    assert erase(services, Subject.of_writer(CANARY)).deleted == 1
    assert CANARY not in said(memory)


def test_the_last_grants_stay(services: Services) -> None:
    memory = services.memory
    memory.config.grant(CANARY, "work", "write", "owner")
    report = services.apply_erase(services.plan_erase(Subject.of_agent(CANARY)))
    assert report.grants_revoked == 0
    assert any("grants stay" in note for note in report.notes)
    assert report.evidence.settings > 0
    assert memory.config.grants


def test_a_writer_in_quarantine_can_be_erased(services: Services, kept: dict[str, object]) -> None:
    memory = services.memory
    Memory(memory.store, agent=CANARY).put("work", "k", CANARY)
    assert mark_writer(memory.store, CANARY, Trust.QUARANTINED, actor="owner") == 1
    plan = services.plan_erase(Subject.of_writer(CANARY))
    assert (plan.rows, plan.quarantined) == (1, 1)
    erase(services, Subject.of_writer(CANARY))
    assert CANARY not in said(memory)


def test_a_pattern_with_stars_takes_what_it_governs(services: Services) -> None:
    memory = services.memory
    for namespace in ("task/1/log", "task/2/log/old", "task/1/notes", "log"):
        memory.put(namespace, "k", 1)
    assert erase(services, Subject.of_namespace("task/*/log")).deleted == 2
    assert erase(services, Subject.of_namespace("ta*/1")).deleted == 1
    assert memory.store.namespaces.load() == ["log"]
