"""A queue that is full, of the living and of the dead."""

from __future__ import annotations

import pytest

from memtend.clock import ManualClock
from memtend.errors import LimitExceeded
from memtend.limits import LEASE_TICKET_MS
from memtend.memory import Memory
from memtend.store import leases
from tests.contract.test_store_lease_queue import ask, hold, waiting
from tests.fixtures.leases import let_pass


def test_the_dead_do_not_fill_the_queue(
    memory: Memory, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE_TICKETS_MAX", 2)
    hold(memory, "a")
    assert [ask(memory, "dead"), ask(memory, "dying")] == [None] * 2
    with pytest.raises(LimitExceeded):
        ask(memory, "b")
    let_pass(memory, clock, LEASE_TICKET_MS)
    assert ask(memory, "b") is None
    assert waiting(memory) == ["b"]
