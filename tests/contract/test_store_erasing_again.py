"""Erasure beside everything else: repeated, written over, raced, guarded, on damage, by slices."""

from __future__ import annotations

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.erase.apply import apply_erase
from memtend.errors import LeaseHeld, PlanForeign, StaleLease
from memtend.guard import Safety, clear
from memtend.memory import Memory
from memtend.model.names import MAINTENANCE
from memtend.model.query import Query
from memtend.model.record import Labels
from memtend.model.subject import Subject
from memtend.services import Services
from memtend.settings import Settings
from memtend.store import leases
from memtend.store.lease_desk import force_release
from memtend.store.ledger import Filter
from memtend.store.snapshot import snapshot
from memtend.store.verify import verify_store
from tests.fixtures.erasing import CANARY, LABELS, erase, said
from tests.fixtures.stores import run_sql


@pytest.fixture
def services(memory: Memory, tmp_path_factory: pytest.TempPathFactory) -> Services:
    home = tmp_path_factory.mktemp("home")
    return Services(
        memory, Settings(plans_url=str(home / "plans"), archive_url=str(home / "archive"))
    )


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
    with pytest.raises(PlanForeign):
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
    force_release(store, MAINTENANCE, "operator")
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
