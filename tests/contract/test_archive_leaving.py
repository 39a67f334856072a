"""Out of the archive: recalled, compacted away, erased, and its index rebuilt from it alone."""

from __future__ import annotations

import pytest

from memtend.clock import ManualClock, to_datetime
from memtend.errors import QuotaExceeded
from memtend.limits import ARCHIVE_KEEP_MS
from memtend.model.plan import Action
from memtend.model.policyfile import Quotas
from memtend.model.record import Labels
from memtend.services import Services
from memtend.store import archived
from tests.fixtures.archives import (
    DAY_MS,
    NS,
    archive_everything,
    cold,
    fill,
    serving,
    shown,
    value,
)
from tests.fixtures.stores import set_policies


def test_recall_is_a_put_that_keeps_everything(services: Services, clock: ManualClock) -> None:
    services.memory.put(
        NS, "k", value(1), labels=Labels(kind="plan", agent="ada", tags=("a", "b"), confidence=0.5),
        ttl_ms=50 * DAY_MS,
    )  # fmt: skip
    before = services.memory.read(NS, "k")
    assert before is not None
    clock.advance(10 * DAY_MS)
    archive_everything(services)
    clock.advance(DAY_MS)
    report = services.recall(f"{NS}/k")
    assert report.written == 1
    after = services.memory.read(NS, "k")
    assert after is not None
    assert after.dot != before.dot
    assert after.updated_at == to_datetime(clock.now_ms())
    same = {"dot": after.dot, "updated_at": after.updated_at}
    assert after == before.model_copy(update=same)
    assert cold(services) == 0
    assert [key for _, key, _ in services.memory.tagged("a")] == ["k"]


def test_recall_of_one_of_many_and_of_a_run(services: Services) -> None:
    values = fill(services, 10)
    first = archive_everything(services)
    fill(services, 5, "other")
    second = archive_everything(services)
    assert services.recall(keys=[(NS, "k001"), (NS, "gone")]).written == 1
    assert services.recall("notes/*/k9*").written == 0
    assert services.recall(f"{NS}/k002").written == 1
    plan = services.plan_recall(run=first.run)
    assert {one.action for one in plan.decisions} == {Action.RECALL}
    assert services.undo_archive(first.run).written == 8
    assert cold(services) == 5
    assert services.undo_archive(second.run).written == 5
    assert shown(services) == values


def test_a_recall_that_would_break_a_quota_changes_nothing(services: Services) -> None:
    values = fill(services, 5)
    archive_everything(services)
    small = services.memory.stats().agents[0].bytes + 100
    set_policies(services.memory, quotas=Quotas(agent_bytes=small))
    with pytest.raises(QuotaExceeded):
        services.recall("**")
    assert cold(services) == 5
    assert shown(services) == values
    set_policies(services.memory)
    assert services.recall("**").written == 5


def test_the_index_is_rebuilt_from_the_archive_alone(
    services: Services, archive_url: str, clock: ManualClock
) -> None:
    values = fill(services, 12)
    archive_everything(services)
    services.recall(f"{NS}/k000")
    services.memory.put(NS, "k000", value(500))
    archive_everything(services)
    services.memory.delete(NS, "k001")
    services.memory.put(NS, "k002", "newer")
    assert services.reindex_archive().written == 0
    with serving("sqlite://", archive_url, clock) as fresh:
        report = fresh.reindex_archive()
        assert report.written == 12
        wanted = values | {"k000": value(500)}
        assert shown(fresh) == wanted
        record = fresh.memory.read(NS, "k005")
        assert record is not None
        assert (record.labels.kind, record.labels.tags) == ("fact", ("t",))
        assert fresh.reindex_archive().written == 0
        assert fresh.verify_store().ok
        assert fresh.verify_archive().ok


def test_compact_keeps_what_an_older_backup_may_name(
    services: Services, clock: ManualClock
) -> None:
    values = fill(services, 20)
    archive_everything(services)
    for key in list(values)[:15]:
        services.memory.delete(NS, key)
        del values[key]
    plan = services.plan_compact()
    assert [one.action for one in plan.decisions] == [Action.UPDATE]
    done = services.apply_compact(plan)
    assert (done.rewritten, done.moved, done.removed, done.waiting) == (1, 5, 0, 1)
    assert shown(services) == values
    assert services.verify_archive().ok
    clock.advance(ARCHIVE_KEEP_MS - 1)
    assert services.compact_archive().removed == 0
    clock.advance(1)
    assert services.compact_archive().removed == 1
    assert services.compact_archive().waiting == 0
    assert shown(services) == values
    assert services.verify_archive().ok
    assert services.undo_archive(1).written == 5


def test_an_erased_record_leaves_the_archive_at_once(services: Services) -> None:
    """Also its older versions, and old stubs of its neighbours still find their values."""
    values = fill(services, 10)
    archive_everything(services)
    old = {stub.key: stub for stub in archived.stubs(services.store)}
    services.memory.delete(NS, "k004")
    with services._maintaining("test") as lease:
        assert services.erase_archived(lambda entry: entry.key == "k004", lease) == 1
    assert services.archive_residue(lambda entry: entry.key == "k004") == 0
    del values["k004"]
    assert shown(services) == values
    assert services.verify_archive().ok
    vault = services._vault()
    address = old["k005"].address
    assert address is not None
    assert vault.entry(address, f"{NS}/k005").key == "k005"
