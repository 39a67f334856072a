"""Leases, plans, guards and sweeps on a real store: nothing is dropped that should not be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import (
    ClockAlarmed,
    DeletesTooMuch,
    LeaseHeld,
    PlanForeign,
    PlanStale,
    StaleLease,
)
from memtend.guard import Safety, clear
from memtend.limits import SLICE_ROWS_MIN, SWEEP_MARGIN_MS
from memtend.memory import Memory
from memtend.model.lease import Fence, Lease
from memtend.model.names import MAINTENANCE
from memtend.model.plan import Action, Plan
from memtend.model.policy import Cleanup, Policy
from memtend.model.policyfile import PolicyFile, PolicySafety
from memtend.model.policyset import PolicySet
from memtend.services import Services
from memtend.settings import Settings
from memtend.store import leases
from memtend.store.expiry import drop_expired
from memtend.store.lease_desk import force_release
from memtend.sweep.apply import apply_sweep
from tests.fixtures.stores import run_sql, set_policies

NS = "session/a"
HOUR = 3_600_000
EXPIRED_MS = 1_000 + SWEEP_MARGIN_MS


@pytest.fixture
def services(memory: Memory) -> Services:
    return Services(memory, Settings())


def fill(memory: Memory, count: int, ttl_ms: int = 1_000, name: str = "k") -> None:
    memory.put_many([Put(NS, f"{name}{n:05}", n, ttl_ms=ttl_ms) for n in range(count)])


def rows(memory: Memory) -> int:
    return int(run_sql(memory, "SELECT count(*) FROM sibling")[0][0])


# leases


def test_one_holder_and_a_token_that_only_grows(memory: Memory) -> None:
    store = memory.store
    first = leases.acquire(store, "work", "one", HOUR)
    with pytest.raises(LeaseHeld, match="one"):
        leases.acquire(store, "work", "two", HOUR)
    assert leases.acquire(store, "other work", "two", HOUR).fence == Fence(0, 1)
    with pytest.raises(LeaseHeld, match="one"):
        leases.acquire(store, "work", "one", HOUR)  # a name gives nobody a second one
    assert force_release(store, "work", "operator") == 1
    again = leases.acquire(store, "work", "one", HOUR)
    assert again.fence > first.fence
    assert not leases.release(store, first)  # no longer the newest: changes nothing
    with pytest.raises(LeaseHeld):
        leases.acquire(store, "work", "two", HOUR)
    assert leases.release(store, again)
    assert not leases.release(store, again)
    assert leases.acquire(store, "work", "two", HOUR).fence > again.fence


def test_an_expired_lease_is_taken_over(memory: Memory) -> None:
    store = memory.store
    late = leases.acquire(store, "work", "one", 0)
    with pytest.raises(StaleLease):
        leases.renew(store, late, HOUR)
    taken = leases.acquire(store, "work", "two", HOUR)
    assert taken.fence > late.fence
    with pytest.raises(StaleLease):
        leases.renew(store, late, HOUR)
    renewed = leases.renew(store, taken, 2 * HOUR)
    assert renewed.fence == taken.fence
    assert renewed.expires_at - taken.expires_at > timedelta(minutes=59)


def test_a_restore_makes_every_older_token_stale(memory: Memory) -> None:
    before = leases.acquire(memory.store, "work", "one", HOUR)
    with memory.store.engine.write() as tx:
        meta = memory.store.meta()._replace(lease_epoch=1)
        tx.run("save_meta", meta.params())
    after = leases.acquire(memory.store, "work", "one", HOUR)
    assert after.fence > before.fence
    assert after.fence.epoch == 1


def test_a_stale_lease_writes_nothing(memory: Memory, clock: ManualClock) -> None:
    fill(memory, 1)
    clock.advance(EXPIRED_MS)
    seqs = [row[0] for row in run_sql(memory, "SELECT seq FROM sibling")]
    stale = leases.acquire(memory.store, "work", "one", 0)
    newer = leases.acquire(memory.store, "work", "two", HOUR)
    unknown = Lease(resource="none", holder="me", fence=Fence(0, 1), expires_at=newer.expires_at)
    forged = newer.model_copy(update={"holder": "one"})
    before = memory.store.meta()
    for lease in (stale, unknown, forged):
        with pytest.raises(StaleLease):
            memory.put_many([Put(NS, "new", 1)], lease=lease)
        with pytest.raises(StaleLease):
            drop_expired(memory.store, seqs, actor="s", lease=lease)
    assert memory.store.meta() == before
    memory.put_many([Put(NS, "new", 1)], lease=newer)
    assert drop_expired(memory.store, seqs, actor="s", lease=newer).rows == 1


def test_maintenance_by_another_holder(services: Services) -> None:
    plan = services.plan_sweep()
    leases.acquire(services.store, MAINTENANCE, "another", HOUR)
    with pytest.raises(LeaseHeld):
        services.apply_sweep(plan)


# sweeps


def test_a_plan_says_what_and_why_and_changes_nothing(
    services: Services, clock: ManualClock
) -> None:
    memory = services.memory
    set_policies(memory, Policy(pattern="session/*", ttl_ms=1_000),
                 Policy(pattern="manual", ttl_ms=1_000, cleanup=Cleanup.MANUAL))  # fmt: skip
    fill(memory, 2)
    memory.put("manual", "k", 1)
    memory.put("keep", "k", 1)
    clock.advance(EXPIRED_MS)
    plan = services.plan_sweep()
    assert plan == services.plan_sweep()
    assert (plan.total, plan.basis, plan.truncated) == (4, 4, False)
    assert [(d.action, d.namespace) for d in plan.decisions] == [
        (Action.DELETE, NS), (Action.DELETE, NS), (Action.KEEP, "manual"),
    ]  # fmt: skip
    assert "under 'session/*'" in plan.decisions[0].reason
    assert "only by hand" in plan.decisions[2].reason
    assert plan.decisions[0].size_bytes > 0
    assert rows(memory) == 4
    by_hand = services.plan_sweep(frozenset(Cleanup))
    assert len(by_hand.to_delete()) == 3
    assert services.apply_sweep(by_hand).deleted == 3


def test_applied_twice_is_applied_once(services: Services, clock: ManualClock) -> None:
    memory = services.memory
    fill(memory, 10)
    clock.advance(EXPIRED_MS)
    plan, size = services.plan_sweep(), memory.stats().bytes
    report = services.apply_sweep(plan)
    assert (report.planned, report.deleted, report.changed_since) == (10, 10, 0)
    assert report.bytes_freed == size
    again = services.apply_sweep(plan)
    assert (again.planned, again.deleted, again.changed_since) == (10, 0, 10)
    assert services.apply_sweep(services.plan_sweep()).slices == 0


def test_what_changed_since_the_plan_is_spared(services: Services, clock: ManualClock) -> None:
    memory = services.memory
    fill(memory, 4)
    clock.advance(EXPIRED_MS)
    plan = services.plan_sweep()
    memory.put(NS, "k00000", "new life")
    memory.put(NS, "k00001", "short life", ttl_ms=1)
    report = services.apply_sweep(plan)
    assert (report.deleted, report.changed_since) == (2, 2)
    assert memory.get(NS, "k00000") == "new life"
    assert rows(memory) == 2


def test_long_work_goes_in_slices(services: Services, clock: ManualClock) -> None:
    memory = services.memory
    fill(memory, 5 * SLICE_ROWS_MIN)
    clock.advance(EXPIRED_MS)
    report = services.apply_sweep(services.plan_sweep())
    assert report.deleted == 5 * SLICE_ROWS_MIN
    assert report.slices == 3  # 16, then twice that, then the rest
    audited = run_sql(memory, "SELECT count(*) FROM audit WHERE action = 'sweep'")
    assert audited == [(3,)]


def test_a_sweep_that_loses_its_lease_stops(services: Services, clock: ManualClock) -> None:
    memory = services.memory
    fill(memory, 3)
    clock.advance(EXPIRED_MS)
    lease = leases.acquire(memory.store, "work", "one", HOUR)
    plan = services.plan_sweep()
    cleared = clear(plan, lease=lease, facts=services.facts(), safety=Safety())
    force_release(memory.store, "work", "operator")
    with pytest.raises(StaleLease):
        apply_sweep(cleared, memory.store)
    assert rows(memory) == 3


# the guard, on real facts


def test_too_much_is_refused_and_a_raised_limit_lets_it_pass(
    services: Services, clock: ManualClock
) -> None:
    memory = services.memory
    fill(memory, 1_001)
    clock.advance(EXPIRED_MS)
    plan = services.plan_sweep()
    with pytest.raises(DeletesTooMuch, match="100%"):
        services.apply_sweep(plan)
    assert rows(memory) == 1_001
    file = PolicyFile(policies=PolicySet(), safety=PolicySafety(delete_share_max=1))
    memory.config.set_policies(file, "operator")
    assert services.apply_sweep(plan).deleted == 1_001


def test_a_clock_that_jumped_sweeps_nothing(services: Services, clock: ManualClock) -> None:
    memory = services.memory
    fill(memory, 2, ttl_ms=HOUR)
    clock.jump(100 * 365 * 24 * HOUR)
    assert memory.get(NS, "k00000") == 0
    plan = services.plan_sweep()
    assert plan.decisions == ()
    with pytest.raises(ClockAlarmed):
        services.apply_sweep(plan)
    clock.jump(-100 * 365 * 24 * HOUR)
    services.apply_sweep(plan)


def test_a_plan_of_another_store_or_of_the_future(services: Services) -> None:
    plan: Plan = services.plan_sweep()
    for change, error in (
        ({"store_id": "another"}, PlanForeign),
        ({"basis": plan.basis + 1}, PlanStale),
    ):
        with pytest.raises(error):
            services.apply_sweep(plan.model_copy(update=change))
