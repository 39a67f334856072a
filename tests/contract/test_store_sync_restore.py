"""A replica that was restored from a backup, among others that go on (CRDT_SPEC 8)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from memtend.backup.restore_plan import Mode, Scope
from memtend.clock import ManualClock
from memtend.errors import EpochMismatch
from memtend.memory import Memory
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.peers import acknowledged, allow, peers
from memtend.store.rejoining import bootstrap, unsent
from memtend.store.sync import apply, outgoing, vector
from memtend.store.verify import verify_store
from tests.fixtures.replicas import NS, Make, assert_alike, pages_of, send, sync


@pytest.fixture
def restored(lasting_url: str, tmp_path: Path, clock: ManualClock) -> Iterator[Services]:
    """Services over a store that can be restored."""
    settings = Settings(backup_url=str(tmp_path / "backup"), plans_url=str(tmp_path / "plans"))
    with ExitStack() as stack:
        yield stack.enter_context(open_services(lasting_url, settings=settings, clock=clock))


def test_a_deletion_since_the_backup_is_applied_again(restored: Services, replica: Make) -> None:
    """Examples 12 and 13."""
    a, b = restored.memory, replica()
    a.put(NS, "k", 1)
    a.put(NS, "kept", 1)
    sync(a, b)
    restored.take_backup()
    a.delete(NS, "k")
    a.put(NS, "since", 2)
    sync(a, b)
    a.put(NS, "unsent", 3)
    allow(a.store, b.store.own_replica(), [NS])
    before = a.store.own_replica()
    restored.apply_restore(restored.plan_restore())
    [peer] = peers(a.store)
    assert (peer.id, peer.accept, peer.at_seq, peer.at_vv) == (b.store.own_replica(), (NS,), 0, {})
    assert a.get(NS, "k") == 1
    a.put(NS, "again", 4)  # under a new id: nobody takes it for what was written before
    sync(a, b)
    assert a.store.own_replica() != before
    assert dict(b.scan(NS)) == {"again": 4, "kept": 1, "since": 2}
    assert_alike(a, b)
    plan = restored.plan_restore(scope=Scope(namespace=NS, key="k"), mode=Mode.REASSERT)
    restored.apply_restore(plan)
    sync(a, b)
    assert a.get(NS, "k") == b.get(NS, "k") == 1
    assert_alike(a, b)


def test_everybody_is_rolled_back(restored: Services, replica: Make) -> None:
    """CRDT_SPEC 8.3: who has the lower epoch begins anew from the restored one."""
    a, b = restored.memory, replica("file")
    a.put(NS, "k", "good")
    sync(a, b)
    restored.take_backup()
    b.put(NS, "k", "bad")
    sync(a, b)
    b.put(NS, "mine", "unsent")
    restored.apply_restore(restored.plan_restore(mode=Mode.EVERYBODY))
    for sender, receiver in ((a, b), (b, a)):
        with pytest.raises(EpochMismatch):
            send(sender, receiver)
    assert [one["value"] for one in unsent(b.store, vector(a.store))] == ["bad", "unsent"]
    took_over(a, b)
    b.put(NS, "new", 1)
    sync(a, b)
    assert dict(a.scan(NS)) == {"k": "good", "new": 1}
    assert_alike(a, b)
    report = verify_store(a.store)
    assert report.ok, report.findings


def took_over(sender: Memory, receiver: Memory) -> None:
    done = bootstrap(receiver.store, pages_of(sender, full=True), actor="operator")
    receiver.config.refresh(receiver.store.meta().config)
    assert done.epoch == sender.store.meta().epoch


def test_what_was_sent_before_a_restore_says_nothing_after_it(
    restored: Services, replica: Make, clock: ManualClock
) -> None:
    """The sequence goes on, but stands for another state: here one that an undo brought back."""
    a, b = restored.memory, replica()
    a.put(NS, "one", 1)
    restored.take_backup()
    a.put(NS, "two", 2)
    clock.advance(1_000)
    restored.apply_restore(restored.plan_restore())
    with outgoing(a.store, {}) as delta:
        applied = apply(b.store, delta.pages())
    restored.undo_restore()
    acknowledged(a.store, b.store.own_replica(), applied.vv, sent=delta.sent)
    send(a, b)
    assert (b.get(NS, "one"), b.get(NS, "two")) == (1, 2)
