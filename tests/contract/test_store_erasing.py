"""Erasure on a real store: everything of the subject goes, nothing else does, no name is left."""

from __future__ import annotations

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.erase.apply import apply_erase
from memtend.erase.report import EraseReport
from memtend.errors import LeaseHeld, PlanStale, StaleLease
from memtend.guard import Safety, clear
from memtend.memory import Memory
from memtend.model.query import Query
from memtend.model.record import Labels, Trust
from memtend.model.subject import Subject, SubjectKind
from memtend.services import Services
from memtend.serving.base import MAINTENANCE
from memtend.settings import Settings
from memtend.store import leases
from memtend.store.ledger import Filter
from memtend.store.quarantine import mark_writer
from memtend.store.snapshot import snapshot
from memtend.store.verify import verify_store
from tests.fixtures.stores import beside, run_sql

CANARY = "canary-1f9d5c0e"
LABELS = Labels(agent=CANARY, session=CANARY + "-s", tags=(CANARY + "-t", "other"))
TEXT_COLUMNS = {
    "sibling": ("key", "field", "kind", "agent", "writer"),
    "tag": ("tag",),
    "log": ("key", "field"),
    "access": ("key",),
    "op": ("op_id", "result"),
    "tally": ("name",),
    "namespace": ("path",),
    "audit": ("actor", "detail"),
    "setting": ("value",),
    "access_grant": ("agent", "pattern"),
    "lease": ("resource", "holder"),
}
BLOBS = ("body", "value")


@pytest.fixture
def services(memory: Memory, tmp_path_factory: pytest.TempPathFactory) -> Services:
    home = tmp_path_factory.mktemp("home")
    return Services(
        memory, Settings(plans_url=str(home / "plans"), archive_url=str(home / "archive"))
    )


def erase(services: Services, subject: Subject) -> EraseReport:
    report = services.apply_erase(services.plan_erase(subject))
    assert report.residue == 0, report
    return report


def said(memory: Memory) -> str:
    """Every text and every byte that any table says."""
    found = []
    for table, columns in TEXT_COLUMNS.items():
        for column in columns:
            found += run_sql(memory, f"SELECT {column} FROM {table}")
    for column in BLOBS:
        rows = run_sql(memory, f"SELECT {column} FROM sibling")
        found += [(bytes(data).decode("latin-1"),) for (data,) in rows]
    return "\n".join(str(cell) for (cell,) in found)


def busy(memory: Memory, namespace: str, key: str, labels: Labels, clock: ManualClock) -> None:
    """Leave a trace in every table."""
    memory.put(namespace, key, {"text": CANARY}, labels=labels, op_id=f"op-{CANARY}-{key}")
    beside(memory, namespace, key, f"{CANARY} again", labels=labels)
    memory.put(namespace, f"{key}-short", CANARY, labels=labels, ttl_ms=1_000)
    memory.put(namespace, f"{key}-gone", CANARY, labels=labels)
    memory.delete(namespace, f"{key}-gone")
    memory.put(namespace, f"{key}-old", CANARY, labels=labels)
    memory.put(namespace, f"{key}-old", f"{CANARY} newer", labels=labels)
    memory.get(namespace, key)
    memory.flush()
    clock.advance(5_000)


@pytest.fixture
def kept(memory: Memory) -> dict[str, object]:
    """Somebody else's records, which no erasure may touch."""
    values: dict[str, object] = {f"k{n}": {"n": n} for n in range(5)}
    labels = Labels(agent="bob", session="s1", tags=("other",))
    memory.put_many([Put("kept/notes", key, value, labels) for key, value in values.items()])
    return values


def still(memory: Memory, kept: dict[str, object]) -> None:
    assert dict(memory.scan("kept/notes")) == kept
    assert len(memory.tagged("other")) == len(kept)


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


def test_what_is_written_again_lives(services: Services) -> None:
    """The same names later are new records; a second erasure takes those as well."""
    memory = services.memory
    for value in ("first", "second"):
        memory.put(f"{CANARY}/ns", "k", value, labels=LABELS)
        number = memory.store.namespaces.ids[f"{CANARY}/ns"][0]
        assert memory.get(f"{CANARY}/ns", "k") == value
        with snapshot(memory.store) as view:
            ledger = Filter.of_side(view.side())
            assert not any(ledger.erased(row) for row in view.rows())
        assert verify_store(memory.store).ok
        assert erase(services, Subject.of_namespace(CANARY)).deleted == 1
        assert memory.get(f"{CANARY}/ns", "k") is None
        assert f"{CANARY}/ns" not in memory.store.namespaces.ids
    memory.put(f"{CANARY}/ns", "k", "third")
    assert memory.store.namespaces.ids[f"{CANARY}/ns"][0] == number
    assert len(memory.search(Query(namespace=CANARY))) == 1


def test_what_agents_write_while_it_is_planned_goes_too(services: Services) -> None:
    memory = services.memory
    plan = services.plan_erase(Subject.of_agent("ada"))
    memory.put("n", "k", 1, labels=Labels(agent="ada"))
    report = services.apply_erase(plan)
    assert (report.planned, report.deleted) == (0, 1)


def test_a_repeated_erasure_changes_nothing_more(services: Services) -> None:
    memory = services.memory
    memory.put("n", "k", 1)
    erase(services, Subject.of_record("n", "k"))
    before = memory.store.meta()
    again = erase(services, Subject.of_record("n", "k"))
    assert (again.deleted, again.log_entries, again.namespaces_closed) == (0, 0, 0)
    after = memory.store.meta()
    assert (after.rows, after.size, after.sum) == (before.rows, before.size, before.sum)


def test_a_peer_that_is_behind_must_bootstrap(services: Services) -> None:
    """The log says nothing of what was erased, so the floor is above all that a peer can know."""
    memory = services.memory
    memory.put("n", "k", 1)
    memory.put("n", "other", 1)
    memory.delete("n", "other")
    with snapshot(memory.store) as view:
        knows = view.state.vv
    erase(services, Subject.of_namespace("n"))
    with snapshot(memory.store) as view:
        assert list(view.log()) == []
        assert any(knows.get(replica, 0) < floor for replica, floor in view.state.floor.items())
        assert all(floor <= view.state.vv[replica] for replica, floor in view.state.floor.items())


def test_many_rows_go_in_slices(services: Services) -> None:
    memory = services.memory
    puts = [Put("bulk", f"k{n:04}", n, Labels(agent="ada")) for n in range(500)]
    memory.put_many(puts)
    report = erase(services, Subject.of_agent("ada"))
    assert report.deleted == 500
    assert report.slices > 2
    assert report.ledger_entries == 501


def test_a_pattern_with_stars_takes_what_it_governs(services: Services) -> None:
    memory = services.memory
    for namespace in ("task/1/log", "task/2/log/old", "task/1/notes", "log"):
        memory.put(namespace, "k", 1)
    assert erase(services, Subject.of_namespace("task/*/log")).deleted == 2
    assert erase(services, Subject.of_namespace("ta*/1")).deleted == 1
    assert memory.store.namespaces.load() == ["log"]


def test_damage_does_not_protect(damageable: Memory, tmp_path: object) -> None:
    memory = damageable
    memory.put("n", "k", 1, labels=LABELS)
    memory.put("n", "other", 1)
    broken = memory.store.engine.read("of_key", (memory.store.namespaces.ids["n"][0], "k"))[0][0]
    body = "X'ff'" if memory.store.engine.kind == "sqlite" else "'\\xff'::bytea"
    run_sql(memory, f"UPDATE sibling SET body = {body} WHERE seq = {broken}")
    services = Services(memory, Settings(plans_url=f"{tmp_path}/p", archive_url=f"{tmp_path}/a"))
    report = services.apply_erase(services.plan_erase(Subject.of_agent(CANARY)))
    assert report.deleted == 1
    assert run_sql(memory, "SELECT key FROM sibling") == [("other",)]
    assert run_sql(memory, "SELECT count(*) FROM tag") == [(0,)]


def test_another_process_notices_before_its_next_write(
    lasting_url: str, clock: ManualClock, tmp_path: object
) -> None:
    with Memory.open(lasting_url, clock=clock) as one, Memory.open(lasting_url, clock=clock) as two:
        one.put(CANARY, "k", 1)
        assert two.get(CANARY, "k") == 1
        two.get(CANARY, "k")
        services = Services(one, Settings(plans_url=f"{tmp_path}/p", archive_url=f"{tmp_path}/a"))
        assert services.apply_erase(services.plan_erase(Subject.of_namespace(CANARY))).residue == 0
        assert two.get(CANARY, "k") is None
        two.flush()  # counts that it had not written yet
        assert CANARY not in said(one)
        two.put(CANARY, "k", 2)
        assert one.get(CANARY, "k") == 2
        assert verify_store(one.store).ok
        one.put(CANARY, "again", 3)
        assert two.get(CANARY, "again") == 3
        assert verify_store(two.store).ok


def test_the_guard_refuses_another_store_and_another_holder(services: Services) -> None:
    services.memory.put("n", "k", 1)
    plan = services.plan_erase(Subject.of_record("n", "k"))
    with pytest.raises(PlanStale):
        services.apply_erase(plan.model_copy(update={"store_id": "another"}))
    held = leases.acquire(services.store, MAINTENANCE, "another", 60_000)
    with pytest.raises(LeaseHeld):
        services.apply_erase(plan)
    assert services.memory.get("n", "k") == 1
    leases.release(services.store, held)
    erase(services, plan.subject)


def test_an_erasure_that_loses_its_lease_stops(services: Services) -> None:
    """Whoever took over goes on: nothing more is written under the old lease."""
    store = services.store
    services.memory.put_many([Put("n", f"k{n:02}", n) for n in range(40)])
    plan = services.plan_erase(Subject.of_namespace("n"))
    lease = leases.acquire(store, MAINTENANCE, "one", 60_000)
    cleared = clear(plan, lease=lease, facts=services.facts(), safety=Safety())
    leases.acquire(store, MAINTENANCE, "one", 60_000)
    with pytest.raises(StaleLease):
        apply_erase(cleared, store)
    assert len(services.memory.scan("n")) == 40


def test_a_saved_plan_that_names_it_is_deleted(services: Services, clock: ManualClock) -> None:
    from memtend.objects import open_target  # noqa: PLC0415
    from memtend.plans import save_plan  # noqa: PLC0415

    memory = services.memory
    memory.put("n", CANARY, 1, ttl_ms=1_000)
    memory.put("n", "other", 1, ttl_ms=200_000)
    clock.advance(100_000)
    url = services.settings.plans_url
    save_plan(services.plan_sweep(), url, clock)
    services.apply_sweep(services.plan_sweep())
    clock.advance(200_000)
    harmless = save_plan(services.plan_sweep(), url, clock)
    report = erase(services, Subject.of_record("n", CANARY))
    assert report.plans_deleted == 1
    assert [i.name for i in open_target(url, clock).list()] == [f"sweep-{harmless.sha256}.json"]
