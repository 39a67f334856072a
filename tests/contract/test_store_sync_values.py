"""What travels, whatever it looks like in the store that sends or receives it."""

from __future__ import annotations

from typing import Any

import pytest

from memtend.clock import ManualClock
from memtend.codec.delta import write_pages
from memtend.drafting import Put
from memtend.errors import ArchiveUnreachable, NotEntitled, RecordDamaged
from memtend.limits import DELTA_PAGE_BYTES, MERGE_ROWS, SIBLINGS_MAX
from memtend.memory import Memory
from memtend.model.policyfile import Quotas
from memtend.model.record import Labels, Trust
from memtend.model.subject import Subject
from memtend.services import Services
from memtend.settings import Settings
from memtend.store.dictionaries import train
from memtend.store.lines import Lines
from memtend.store.quarantine import mark_writer
from memtend.store.sync import apply, outgoing, vector
from tests.fixtures.archives import archive_everything, fill, serving
from tests.fixtures.erasing import erase
from tests.fixtures.replicas import NS, Make, assert_alike, pages_of, rows, send, sync
from tests.fixtures.stores import beside, blob, run_sql, set_policies

LONG = "worth compressing, " * 200


def test_values_squeezed_by_one_store_only(both: tuple[Memory, Memory]) -> None:
    a, b = both
    texts = [b'{"n":%d,"status":"done","tool":"search"}' % n for n in range(2_000)]
    train(a.store, "run", texts, actor="t")
    a.config.refresh(a.store.meta().config)
    run = {"n": 1, "status": "done", "tool": "search", "more": LONG}
    a.put(NS, "dictionary", run, labels=Labels(kind="run"))
    a.put(NS, "long", LONG)
    send(a, b)
    assert (b.get(NS, "dictionary"), b.get(NS, "long")) == (run, LONG)
    assert [tier.name for tier in b.stats().tiers] == ["hot", "warm"]
    b.put(NS, "other", 1)
    sync(a, b)
    assert_alike(a, b)
    send(a, b)  # the same events, named by marks, are recognised
    with outgoing(a.store, vector(b.store), full=True) as delta:
        assert apply(b.store, delta.pages())[1:4] == (3, 0, 0)


def test_quarantine_travels(both: tuple[Memory, Memory]) -> None:
    a, b = both
    a.put(NS, "k", 1, labels=Labels(writer="mallory"))
    sync(a, b)
    mark_writer(a.store, "mallory", Trust.QUARANTINED, actor="operator")
    send(a, b)
    assert b.get(NS, "k") is None
    assert rows(b) == 1
    assert_alike(a, b)


def test_archived_values_are_brought_along(
    replica: Make, store_url: str, tmp_path: Any, clock: ManualClock
) -> None:
    b, late = replica(), replica()
    with serving(store_url, str(tmp_path / "archive"), clock) as services:
        values = fill(services, 3)
        send(services.memory, late)
        archive_everything(services)
        assert send(services.memory, b).added == 3
        assert dict(b.scan("notes/cold")) == values
        # What a peer has seen is named; nobody asks the archive for it.
        services.store.archive = None
        assert send(services.memory, late)[1:4] == (0, 0, 0)
        with outgoing(services.store, vector(late.store), full=True) as delta:
            assert apply(late.store, delta.pages())[1:4] == (3, 0, 0)
        with pytest.raises(ArchiveUnreachable):
            pages_of(services.memory)
    assert_alike(b, late)


def test_more_than_a_window_of_keys_and_elements(both: tuple[Memory, Memory]) -> None:
    """Deltas and stores are read some paths at a time; here their windows end at odd places."""
    a, b = both
    a.put_many([Put(NS, "set", n, field=f"f{n:05}") for n in range(MERGE_ROWS + 50)])
    a.put_many([Put("many", f"k{n:05}", n) for n in range(0, 2 * MERGE_ROWS, 3)])
    b.put_many([Put("many", f"k{n:05}", n) for n in range(1, 2 * MERGE_ROWS, 2)])
    b.put("zebra", "last", 1)
    sync(a, b)
    assert_alike(a, b)
    everything = rows(a)
    a.delete("many", "k00000")
    b.delete("many", "k01999")
    b.delete("zebra", "last")
    for sender, receiver in ((a, b), (b, a)):
        with outgoing(sender.store, {}, full=True) as delta:
            apply(receiver.store, delta.pages())
    assert rows(a) == rows(b) == everything - 3
    assert_alike(a, b)


def test_large_values_come_in_pages(both: tuple[Memory, Memory]) -> None:
    a, b = both
    set_policies(a, quotas=Quotas(agent_bytes=2**40))
    for n in range(3):
        beside(a, NS, "big", f"{n}" * (DELTA_PAGE_BYTES // 2 + 1))
    a.put(NS, "after", 1)
    pages = pages_of(a)
    assert len(pages) > 2
    assert apply(b.store, pages).added == 4
    b.config.refresh(b.store.meta().config)
    assert len(b.siblings(NS, "big")) == 3
    assert_alike(a, b)


def test_a_crowded_key_travels_with_an_alarm(replica: Make) -> None:
    a, b = replica(), replica()
    for n in range(SIBLINGS_MAX):
        beside(a, NS, "k", n)
        beside(b, NS, "k", -n)
    b.put(NS, "k2", 1)
    applied = send(a, b)
    assert any("128 siblings" in alarm for alarm in applied.alarms)
    assert any("128 siblings" in alarm for alarm in send(b, a).alarms)
    assert_alike(a, b)
    b.put(NS, "k", "settled")
    assert send(b, a).dropped == 2 * SIBLINGS_MAX
    assert_alike(a, b)


def test_a_counter_that_outlived_many_replica_ids_travels(both: tuple[Memory, Memory]) -> None:
    a, b = both
    lines = SIBLINGS_MAX + 2
    for _ in range(lines):
        a.increment(NS, "n")
        with a.store.change("t") as (change, _):
            Lines(change).begin(a.store.clock.new_id())
    applied = send(a, b)
    assert applied.alarms == ()
    assert b.increment(NS, "n") == lines + 1
    sync(a, b)
    assert_alike(a, b)


def test_siblings_of_several_kinds_are_kept_and_told(both: tuple[Memory, Memory]) -> None:
    a, b = both
    a.put(NS, "k", "value")
    b.increment(NS, "k", 3)
    assert any("several kinds" in alarm for alarm in send(a, b).alarms)
    assert rows(b) == 2


def test_what_a_sender_may_not_send(both: tuple[Memory, Memory]) -> None:
    a, b = both
    b.put("private", "k", 1)
    send(b, a)
    a.put(NS, "k", 1)
    before = vector(b.store)
    with pytest.raises(NotEntitled, match=NS):
        send(a, b, accept=lambda namespace: namespace != NS)
    assert vector(b.store) == before
    a.delete(NS, "k")
    # Leaving it out of a full delta is no way to delete it, either.
    with outgoing(a.store, {}, full=True) as delta:
        items = [item for item in delta.items() if item.namespace == NS]
        with pytest.raises(NotEntitled, match="private"):
            apply(b.store, write_pages(delta.head, items), accept=lambda ns: ns == NS)
    assert b.get("private", "k") == 1


def test_a_quota_is_reported_and_drops_nothing(both: tuple[Memory, Memory]) -> None:
    a, b = both
    set_policies(b, quotas=Quotas(agent_bytes=10))
    a.put(NS, "k", "x" * 100, labels=Labels(agent="ada"))
    applied = send(a, b)
    assert any("ada" in alarm for alarm in applied.alarms)
    assert b.get(NS, "k") == "x" * 100


def test_a_damaged_row_is_not_passed_on_and_not_called_a_clone(replica: Make) -> None:
    a, b = replica(), replica("file")
    a.put(NS, "k", 1)
    sync(a, b)
    [(seq, value)] = run_sql(b, "SELECT seq, value FROM sibling")
    run_sql(b, f"UPDATE sibling SET exp = 5 WHERE seq = {seq}")
    with pytest.raises(RecordDamaged):
        pages_of(b)
    with (
        outgoing(a.store, vector(b.store), full=True) as delta,
        pytest.raises(RecordDamaged),
    ):
        apply(b.store, delta.pages())
    run_sql(b, f"UPDATE sibling SET exp = NULL, value = {blob(b, value)} WHERE seq = {seq}")


def test_what_was_erased_here_stays_erased_everywhere(
    replica: Make, tmp_path: Any, clock: ManualClock
) -> None:
    a, b, c = replica("file"), replica(), replica("file")
    a.put("private", "k", "secret")
    sync(a, b, c)
    b.put("private", "k", "secret again")
    b.put(NS, "n", 1)
    send(b, c)
    clock.advance(1_000)
    erase(Services(a, Settings(plans_url=str(tmp_path))), Subject.of_namespace("private"))
    clock.advance(1_000)
    applied = send(b, a)
    assert (applied.erased, a.get("private", "k"), a.get(NS, "n")) == (1, None, 1)
    sync(a, b, c)
    assert [rows(one) for one in (a, b, c)] == [1, 1, 1]
    assert_alike(a, b, c)
    assert run_sql(a, "SELECT key FROM log") == []
    b.put("private", "k", "later")  # written after the erasure: it lives
    sync(a, b, c)
    assert a.get("private", "k") == "later"
    assert_alike(a, b, c)
